import { expect, test } from 'vitest';
import { trustInstructions } from '../../src/commands/certs-trust.ts';

test('names the file in every command, ready for the shell', () => {
  const text = trustInstructions('certs/ca/a.crt');
  for (const command of [
    'certutil -addstore -f Root certs/ca/a.crt',
    'System.keychain certs/ca/a.crt',
    'sudo cp certs/ca/a.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates',
    'sudo cp certs/ca/a.crt /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust',
    '-tls_verify 1 -ca_file certs/ca/a.crt rtmps://',
    'curl --cacert certs/ca/a.crt ',
    'NODE_EXTRA_CA_CERTS=certs/ca/a.crt',
  ]) {
    expect(text).toContain(command);
  }
  expect(text).not.toContain('{CA}');
  expect(trustInstructions('my certs/a.crt')).toContain('curl --cacert "my certs/a.crt" ');
});
