import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CertificateStore, namesOf, readSubjectName } from '../../src/certificates/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { certs, folders } from '../support/certs-command.ts';
import { makeCertificate } from '../support/made-certificates.ts';
import { has, missing, run } from '../support/programs.ts';

const folder = folders();
const init = (directory: string, ...args: string[]) => certs(['init', '--certs', directory, ...args]);
const read = (...path: string[]) => readFileSync(join(...path), 'utf8');
const modeOf = (...path: string[]) => statSync(join(...path)).mode & 0o777;

test('makes a CA and a server certificate that the gateway serves by itself (must-do 34)', async () => {
  const directory = folder();
  const { status, printed, complained } = await init(directory);
  expect({ status, complained }).toEqual({ status: 0, complained: '' });
  const store = await CertificateStore.open({ directory, certificates: [] }, NO_LOG);
  expect(store.all.map(({ source }) => source)).toEqual([join(directory, 'server.crt')]);
  const expected = ['localhost', hostname(), '127.0.0.1', '::1'].flatMap((name) => readSubjectName(name)?.value ?? []);
  expect(new Set(store.all[0]?.names)).toEqual(new Set(expected));
  expect(store.all[0]).toMatchObject({ keyType: 'ec', development: false, keyMode: 0o600 });
  expect(store.all[0]?.chain).toHaveLength(2);
  expect(printed).toContain(`Made a development CA: ${join(directory, 'ca', 'rtmp-gateway-ca.crt')}\n`);
  for (const place of ['Windows', 'macOS', 'Debian', 'Fedora', 'Android', 'iPhone', 'Firefox', 'OBS', 'FFmpeg'])
    expect(printed).toMatch(new RegExp(`^  ${place}`, 'm'));
});

test('lets nobody else read the keys, and leaves nothing else behind', async () => {
  const directory = folder();
  await init(directory, 'live.example');
  expect([modeOf(directory, 'server.key'), modeOf(directory, 'ca', 'rtmp-gateway-ca.key')]).toEqual([0o600, 0o600]);
  expect([modeOf(directory, 'server.crt'), modeOf(directory, 'ca', 'rtmp-gateway-ca.crt')]).toEqual([0o644, 0o644]);
  expect(readdirSync(directory).sort()).toEqual(['ca', 'server.crt', 'server.key']);
  expect(readdirSync(join(directory, 'ca')).sort()).toEqual(['rtmp-gateway-ca.crt', 'rtmp-gateway-ca.key']);
});

test('renews: the CA and the names stay, key and certificate are new', async () => {
  const directory = folder();
  await init(directory, 'live.example', '10.0.0.5');
  const [before, ca] = [read(directory, 'server.crt'), read(directory, 'ca', 'rtmp-gateway-ca.crt')];
  const { status, printed } = await init(directory, '--days', '7');
  expect(status).toBe(0);
  expect(printed).toMatch(
    /^Signed by the CA that was there: .*\nRenewed .*\n {2}for live\.example, 10\.0\.0\.5; valid/,
  );
  expect(read(directory, 'ca', 'rtmp-gateway-ca.crt')).toBe(ca);
  const [old, renewed] = [new X509Certificate(before), new X509Certificate(read(directory, 'server.crt'))];
  expect(namesOf(renewed)).toEqual(namesOf(old));
  expect(renewed.publicKey.equals(old.publicKey)).toBe(false);
  expect(renewed.checkPrivateKey(createPrivateKey(read(directory, 'server.key')))).toBe(true);
  expect(new Date(renewed.validTo).getTime() - Date.now()).toBeLessThanOrEqual(7 * 86_400_000);
});

test('puts an RSA certificate beside the elliptic one, which stays the first', async () => {
  const directory = folder();
  await init(directory, 'live.example');
  await init(directory, 'live.example', '--key', 'rsa');
  const { all } = await CertificateStore.open({ directory, certificates: [] }, NO_LOG);
  expect(all.map(({ keyType }) => keyType)).toEqual(['ec', 'rsa']);
});

test('must-do 34: refuses every name that is none, all at once, and makes nothing', async () => {
  const directory = folder();
  const { status, complained } = await init(directory, 'ok.example', 'x, O=evil', 'a+b', 'c=d');
  expect(status).toBe(2);
  expect(complained).toMatch(/^x, O=evil: no host name.*\na\+b: no host name.*\nc=d: no host name.*\nTry/);
  expect(readdirSync(directory)).toEqual([]);
});

test('takes a hundred names and not one more, each once', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `a${index}.example`);
  const directory = folder();
  expect((await init(directory, ...names)).status).toBe(0);
  expect((await init(directory, ...names, 'b.example')).complained).toMatch(/^101 names: at most 100 fit\n/);
  await init(directory, 'a.example', 'A.example.');
  expect(namesOf(new X509Certificate(read(directory, 'server.crt')))).toEqual(['a.example']);
});

test.each(['0', '397', '-1', '7.5', 'x'])('takes no --days %s', async (days) => {
  expect((await init(folder(), `--days=${days}`)).complained).toMatch(/^--days: expected 1 to 396/);
});

test("leaves somebody else's files alone, unless told to replace them", async () => {
  const directory = folder();
  const other = await makeCertificate();
  writeFileSync(join(directory, 'server.crt'), other.cert);
  expect((await init(directory)).complained).toMatch(/server\.key: is missing, though .*server\.crt is there/);
  writeFileSync(join(directory, 'server.key'), other.key);
  const { status, complained } = await init(directory);
  expect(status).toBe(2);
  expect(complained).toMatch(/server\.crt: does not come from a development CA; --force replaces it\n/);
  expect(read(directory, 'server.crt')).toBe(other.cert);
  expect((await init(directory, '--force')).status).toBe(0);
  expect(read(directory, 'server.crt')).not.toBe(other.cert);
});

test('keeps a CA through --force, wants --new-ca for one of no use, and makes another when asked', async () => {
  const directory = folder();
  await init(directory);
  const ca = join(directory, 'ca', 'rtmp-gateway-ca.crt');
  const first = read(ca);
  await init(directory, '--force');
  expect(read(ca)).toBe(first);
  writeFileSync(ca, (await makeCertificate({ ca: true, to: 5000 })).cert);
  expect((await init(directory, '--force')).complained).toMatch(
    /cannot be used as a CA: its key belongs to another one; --new-ca/,
  );
  rmSync(ca);
  expect((await init(directory)).complained).toMatch(/is missing, though its key .* --new-ca makes both/);
  const { status, printed } = await init(directory, '--new-ca');
  expect(status).toBe(0);
  expect(printed).toMatch(/^Made a development CA/);
  expect(read(ca)).not.toBe(first);
});

test('asks the configuration where certificates are, and says when it names others', async () => {
  const directory = folder();
  const config = join(directory, 'gateway.yaml');
  const inside = join(directory, 'here');
  writeFileSync(config, `tls: { directory: ${inside}, certificates: [{ pfx: a.p12 }] }\n`);
  const { printed } = await certs(['init', '--config', config]);
  expect(readdirSync(inside)).toContain('server.crt');
  expect(printed).toContain('names other certificates (tls.certificates): add { cert:');
});

test.skipIf(!has('openssl'))(`makes what openssl verifies${missing('openssl')}`, async () => {
  const directory = folder();
  await init(directory, '*.live.example', '::1');
  const verify = (...args: string[]) =>
    run('openssl', ['verify', '-x509_strict', '-CAfile', join(directory, 'ca', 'rtmp-gateway-ca.crt'), ...args])
      .finished;
  const server = join(directory, 'server.crt');
  expect((await verify('-purpose', 'sslserver', '-verify_hostname', 'a.live.example', server)).code).toBe(0);
  expect((await verify('-verify_ip', '::1', server)).code).toBe(0);
  expect((await verify('-verify_hostname', 'other.example', server)).code).not.toBe(0);
  expect((await verify('-purpose', 'sslclient', server)).code).not.toBe(0);
});
