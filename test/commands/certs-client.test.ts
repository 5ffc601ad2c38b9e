import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { inventPassphrase } from '../../src/commands/certs-client.ts';
import { certs, folders } from '../support/certs-command.ts';
import { has, missing, run } from '../support/programs.ts';

const folder = folders();

test('makes PKCS#12 and PEM for an encoder, with a passphrase that it prints', async () => {
  const directory = folder();
  const { status, printed } = await certs(['client', 'camera-1', '--certs', directory]);
  expect(status).toBe(0);
  const [, passphrase = ''] = /passphrase ([a-z2-9-]{23})\n/.exec(printed) ?? [];
  const base = join(directory, 'clients', 'camera-1');
  expect(() => createSecureContext({ pfx: readFileSync(`${base}.p12`), passphrase })).not.toThrow();
  expect(new X509Certificate(readFileSync(`${base}.crt`)).subject).toBe('CN=camera-1');
  for (const ending of ['.p12', '.key']) expect(statSync(base + ending).mode & 0o777).toBe(0o600);
  expect(printed).toContain(`tls: { clientCa: ${join(directory, 'ca', 'rtmp-gateway-ca.crt')} }`);
  // Nothing in the directory itself, where the gateway would take it for a server's.
  expect(readdirSync(directory).sort()).toEqual(['ca', 'clients']);
});

test('takes the passphrase from the flag or the environment, and does not repeat it', async () => {
  const directory = folder();
  const byFlag = await certs(['client', 'a', '--certs', directory, '--passphrase', 'hunter2']);
  const byVariable = await certs(['client', 'b', '--certs', directory], { RTMP_GATEWAY_PASSPHRASE: 'hunter2' });
  expect(byFlag.printed + byVariable.printed).not.toContain('hunter2');
  for (const name of ['a', 'b']) {
    const pfx = readFileSync(join(directory, 'clients', `${name}.p12`));
    expect(() => createSecureContext({ pfx, passphrase: 'hunter2' })).not.toThrow();
  }
});

test.each(['', '../a', 'a/b', 'a, O=b', '.a', '-a', 'a b', 'a\u0000', 'a'.repeat(65), 'é'])(
  'takes %j for no name',
  async (name) => {
    const directory = folder();
    expect((await certs(['client', '--certs', directory, '--', name])).status).toBe(2);
    expect(readdirSync(directory)).toEqual([]);
  },
);

test('replaces nothing unless told to', async () => {
  const directory = folder();
  const make = (...more: string[]) => certs(['client', 'a', '--certs', directory, ...more]);
  await make();
  const { status, complained } = await make();
  expect(status).toBe(2);
  expect(complained.match(/exists already; --force replaces it/g)).toHaveLength(3);
  expect((await make('--force')).status).toBe(0);
});

test('writes the old form for RSA under an RSA CA, and says for what it cannot', async () => {
  const directory = folder();
  await certs(['init', '--certs', directory, '--key', 'rsa']);
  const old = ['--legacy', '--passphrase', 'x', '--certs', directory];
  expect((await certs(['client', 'a', '--key', 'rsa', ...old])).status).toBe(0);
  const refused = await certs(['client', 'b', ...old]);
  expect(refused.status).toBe(2);
  expect(refused.complained).toMatch(/^the legacy form of PKCS#12 can be written for RSA only/);
  expect(readdirSync(join(directory, 'clients')).sort()).toEqual(['a.crt', 'a.key', 'a.p12']);
});

test('invents passphrases of 99 bits that can be read out', () => {
  const invented = new Set(Array.from({ length: 100 }, inventPassphrase));
  expect(invented.size).toBe(100);
  for (const passphrase of invented) expect(passphrase).toMatch(/^([a-hjkmnp-z2-9]{5}-){3}[a-hjkmnp-z2-9]{5}$/);
});

test.skipIf(!has('openssl'))(
  `makes what openssl takes for a client, and not for a server${missing('openssl')}`,
  async () => {
    const directory = folder();
    await certs(['client', 'a', '--certs', directory]);
    const verify = (purpose: string) =>
      run('openssl', [
        'verify',
        ...['-x509_strict', '-purpose', purpose, '-CAfile', join(directory, 'ca', 'rtmp-gateway-ca.crt')],
        join(directory, 'clients', 'a.crt'),
      ]).finished;
    expect((await verify('sslclient')).code).toBe(0);
    expect((await verify('sslserver')).code).not.toBe(0);
  },
);
