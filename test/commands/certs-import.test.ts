import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CertificateStore } from '../../src/certificates/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { certs, folders } from '../support/certs-command.ts';
import { fixture } from '../support/fixture.ts';

const folder = folders();

function archive(name: string): { readonly file: string; readonly directory: string } {
  const [source, directory] = [folder(), folder()];
  const file = join(source, 'live.pfx');
  writeFileSync(file, fixture(name));
  return { file, directory };
}

test.each([
  ['pkcs12-modern-rsa', 'rsa.example.com'],
  ['pkcs12-modern-ec', 'ec.example.com'],
  ['pkcs12-legacy-rsa', 'rsa.example.com'],
  ['pkcs12-legacy-ec', 'ec.example.com'],
])('makes a pair that the gateway serves of %s (must-do 35)', async (name, host) => {
  const { file, directory } = archive(name);
  const { status, printed } = await certs(['import', file, '--certs', directory, '--passphrase', 'secret']);
  expect(status).toBe(0);
  expect(printed).toContain(`Wrote ${join(directory, 'live.crt')}, for ${host}`);
  expect(statSync(join(directory, 'live.key')).mode & 0o777).toBe(0o600);
  const { all } = await CertificateStore.open({ directory, certificates: [] }, NO_LOG);
  expect(all.map(({ names }) => names[0])).toEqual([host]);
});

test('says of a wrong passphrase so, and of none, and writes nothing (must-do 35)', async () => {
  const { file, directory } = archive('pkcs12-legacy-rsa');
  const open = (...more: string[]) => certs(['import', file, '--certs', directory, ...more]);
  expect(await open('--passphrase', 'wrong')).toEqual({
    status: 2,
    printed: '',
    complained: `the passphrase does not open ${file}: check the passphrase\n`,
  });
  expect((await open()).complained).toBe(`the passphrase does not open ${file}: give its passphrase\n`);
  expect(readdirSync(directory)).toEqual([]);
});

test('replaces nothing unless told to, and takes another name', async () => {
  const { file, directory } = archive('pkcs12-modern-ec');
  const open = (...more: string[]) => certs(['import', file, '--certs', directory, '--passphrase', 'secret', ...more]);
  await open();
  expect((await open()).complained).toContain('live.crt: exists already; --force replaces it\n');
  expect((await open('--as', 'other')).status).toBe(0);
  expect((await open('--force')).status).toBe(0);
  expect(readdirSync(directory).sort()).toEqual(['live.crt', 'live.key', 'other.crt', 'other.key']);
  expect(readFileSync(join(directory, 'other.crt'))).toEqual(readFileSync(join(directory, 'live.crt')));
});

test('wants a file that is there, no PEM, and none of a megabyte', async () => {
  const directory = folder();
  expect((await certs(['import', join(directory, 'none.p12')])).complained).toContain('there is no such file');
  const file = join(directory, 'a.p12');
  writeFileSync(file, '-----BEGIN CERTIFICATE-----');
  expect((await certs(['import', file])).complained).toContain(
    'is PEM already; copy it into the certificate directory',
  );
  writeFileSync(file, Buffer.alloc(1024 * 1024 + 1));
  expect((await certs(['import', file])).complained).toContain('too large for a certificate');
});
