import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { beforeAll, expect, test } from 'vitest';
import { certs, folders } from '../support/certs-command.ts';
import { makeCertificate } from '../support/made-certificates.ts';

const folder = folders();
let directory = '';
beforeAll(async () => {
  directory = folder();
  await certs(['init', 'live.example', '--certs', directory]);
  await certs(['client', 'camera', '--certs', directory, '--passphrase', 'x']);
});

const write = (...args: string[]) => certs(['export', ...args, '--certs', directory]);

test.each(['server', 'server.crt', 'camera'])('writes the pair %s into one file', async (name) => {
  const out = join(folder(), 'a.p12');
  const { status, printed } = await write(name, '--out', out);
  expect(status).toBe(0);
  const [, passphrase = ''] = /^Its passphrase: (\S+)$/m.exec(printed) ?? [];
  expect(() => createSecureContext({ pfx: readFileSync(out), passphrase })).not.toThrow();
  expect(statSync(out).mode & 0o777).toBe(0o600);
});

test('takes two files, the key encrypted, and comes back by import as it was', async () => {
  const { cert, key } = await makeCertificate();
  const place = folder();
  const files = { cert: join(place, 'a.crt'), key: join(place, 'a.key'), out: join(place, 'a.p12') };
  writeFileSync(files.cert, cert);
  const encrypted = createPrivateKey(key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'k',
  });
  writeFileSync(files.key, encrypted);
  const args = [files.cert, files.key, '--out', files.out, '--passphrase', 'secret'];
  expect((await write(...args)).complained).toMatch(/is encrypted: give its passphrase/);
  expect((await write(...args, '--key-passphrase', 'k')).status).toBe(0);
  await certs(['import', files.out, '--as', 'back', '--certs', place, '--passphrase', 'secret']);
  expect(readFileSync(join(place, 'back.key'), 'utf8')).toBe(key);
});

test('refuses a key of another certificate, and a name that is not there', async () => {
  const out = join(folder(), 'a.p12');
  const [cert, key] = [join(directory, 'server.crt'), join(directory, 'ca', 'rtmp-gateway-ca.key')];
  expect((await write(cert, key, '--out', out)).complained).toMatch(/does not belong to the first certificate/);
  expect((await write('nobody', '--out', out)).complained).toMatch(/^nobody: no certificate with a key of that name/);
  expect(existsSync(out)).toBe(false);
});

test('replaces nothing unless told to', async () => {
  const out = join(folder(), 'a.p12');
  writeFileSync(out, 'precious');
  expect((await write('server', '--out', out)).complained).toMatch(/a\.p12: exists already; --force replaces it/);
  expect(readFileSync(out, 'utf8')).toBe('precious');
  expect((await write('server', '--out', out, '--force')).status).toBe(0);
});

test('says for which keys the old form cannot be written', async () => {
  const { status, complained } = await write('server', '--out', join(folder(), 'a.p12'), '--legacy');
  expect(status).toBe(2);
  expect(complained).toMatch(/^the legacy form of PKCS#12 can be written for RSA only, and the key is of another kind/);
});
