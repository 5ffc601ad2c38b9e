import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CertificateStore, DEVELOPMENT_FILES, type CertificateSource } from '../../src/certificates/index.ts';
import { ConfigError } from '../../src/errors.ts';
import { NO_LOG } from '../../src/log.ts';
import { fixture } from '../support/fixture.ts';
import { recordingLog } from '../support/recording-log.ts';

const DAY_MS = 86_400_000;
let root: string;
let directory: string;
let live: { cert: string; key: string };
let other: { cert: string; key: string };

async function pem(name: string, days = 365): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 400 * DAY_MS),
    notAfterDate: new Date(Date.now() + days * DAY_MS),
  });
  return { cert: made.cert, key: made.private };
}

async function put(files: Record<string, string | Buffer>): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
}

const open = (...certificates: CertificateSource[]): Promise<CertificateStore> =>
  CertificateStore.open({ directory, certificates }, NO_LOG);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'certificates-'));
  live = await pem('live.example.com');
  other = await pem('other.example.com');
});
beforeEach(async () => {
  directory = await mkdtemp(join(root, 'run-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('the certificate store with nothing configured', () => {
  it('makes a development certificate, its key for our eyes only', async () => {
    const store = await CertificateStore.open(
      { directory: join(directory, 'deep', 'certs'), certificates: [] },
      NO_LOG,
    );
    expect(store.fallback[0]).toMatchObject({ development: true });
    expect(store.fallback[0].names).toContain('localhost');
    const key = await stat(join(directory, 'deep', 'certs', DEVELOPMENT_FILES.key));
    expect(key.mode & 0o777).toBe(0o600);
    expect((await readdir(join(directory, 'deep', 'certs'))).sort()).toEqual(Object.values(DEVELOPMENT_FILES).sort());
  });

  it('uses the same one again at the next start', async () => {
    const first = await open();
    const second = await open();
    expect(second.fallback[0].fingerprint).toBe(first.fallback[0].fingerprint);
    expect(second.fallback[0].development).toBe(true);
  });

  it.each([
    ['has expired', -1],
    ['is about to expire', 20],
  ])('renews one that %s', async (_what, days) => {
    const old = await pem('localhost', days);
    await put({ [DEVELOPMENT_FILES.cert]: old.cert, [DEVELOPMENT_FILES.key]: old.key });
    const store = await open();
    expect(store.fallback[0].validTo.getTime()).toBeGreaterThan(Date.now() + 300 * DAY_MS);
    expect(await readFile(join(directory, DEVELOPMENT_FILES.cert), 'utf8')).not.toBe(old.cert);
  });

  it('makes a damaged one again', async () => {
    await put({ [DEVELOPMENT_FILES.cert]: live.cert, [DEVELOPMENT_FILES.key]: other.key });
    expect((await open()).fallback[0].names).toContain('localhost');
  });

  it('serves from memory and says so when the directory cannot be written', async () => {
    await put({ occupied: 'a file where the directory should be' });
    const { log, lines } = recordingLog();
    const store = await CertificateStore.open({ directory: join(directory, 'occupied'), certificates: [] }, log);
    expect(store.fallback[0].development).toBe(true);
    expect(lines[0]).toMatchObject({ level: 'warn', message: expect.stringContaining('cannot be written') });
  });

  it.each([
    ['certbot', 'fullchain.pem', 'privkey.pem'],
    ['Kubernetes', 'tls.crt', 'tls.key'],
    ['mkcert', 'studio.pem', 'studio-key.pem'],
  ])('takes a pair that was put into the directory as %s calls it', async (_tool, cert, key) => {
    await put({ [cert]: live.cert, [key]: live.key, [DEVELOPMENT_FILES.cert]: other.cert, 'notes.txt': 'x' });
    const store = await open();
    expect(store.all.map(({ names }) => names)).toEqual([['live.example.com']]);
    expect(store.fallback[0].development).toBe(false);
  });
});

describe('the certificate store with certificates configured', () => {
  it('serves the first by default and the others by name', async () => {
    await put({ 'a.pem': live.cert, 'a.key': live.key, 'b.p12': fixture('pkcs12-modern-ec') });
    const store = await open({ cert: 'a.pem', key: 'a.key' }, { pfx: join(directory, 'b.p12'), passphrase: 'secret' });
    expect(store.fallback[0].names).toEqual(['live.example.com']);
    expect(store.choose('x.live.example.com')[0]?.names).toContain('*.live.example.com');
    expect(store.choose('unknown.example')[0]?.names).toEqual(['live.example.com']);
    expect(await readdir(directory)).not.toContain(DEVELOPMENT_FILES.cert);
  });

  it.each([
    [
      'a certificate that is not there',
      { cert: 'none.pem', key: 'a.key' },
      /there is no file .*none\.pem: correct the path/,
    ],
    [
      'a key of another certificate',
      { cert: 'a.pem', key: 'b.key' },
      /b\.key does not belong to .*a\.pem: put the server/,
    ],
    ['files the wrong way round', { cert: 'a.key', key: 'a.pem' }, /a\.key holds no PEM certificate/],
    ['a certificate for a key', { cert: 'a.pem', key: 'a.pem' }, /a\.pem holds no PEM private key/],
    [
      'a damaged certificate',
      { cert: 'bad.pem', key: 'a.key' },
      /certificate in .*bad\.pem cannot be read: .* damaged/,
    ],
    ['a damaged key', { cert: 'a.pem', key: 'bad.key' }, /key .*bad\.key cannot be read: .* damaged/],
    ['an encrypted key without passphrase', { cert: 'a.pem', key: 'locked.key' }, /locked\.key is encrypted: give its/],
    ['a wrong passphrase', { cert: 'a.pem', key: 'locked.key', passphrase: 'x' }, /passphrase is probably wrong/],
    ['a directory', { cert: '.', key: 'a.key' }, /cannot be read/],
    ['a PKCS#12 file that is none', { pfx: 'a.pem', passphrase: 'x' }, /a\.pem is not a readable PKCS#12 file/],
    ['a file that is far too large', { pfx: 'large' }, /large is no certificate, it is too large/],
  ] as const)('refuses %s and says what to do', async (_what, source, message) => {
    const locked = await generate([], { keyType: 'ec', algorithm: 'sha256', passphrase: 'secret' });
    const bad = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    await put({ 'a.pem': live.cert, 'a.key': live.key, 'b.key': other.key, 'bad.pem': bad });
    await put({ 'bad.key': bad.replaceAll('CERTIFICATE', 'PRIVATE KEY'), 'locked.key': locked.private });
    await put({ large: Buffer.alloc(1024 * 1024 + 1) });
    const failure = await open(source).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as ConfigError).message).toMatch(message);
  });

  it('opens an encrypted key with its passphrase', async () => {
    const locked = await generate([{ name: 'commonName', value: 'locked.example' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      passphrase: 'secret',
    });
    await put({ 'a.pem': locked.cert, 'a.key': locked.private });
    const store = await open({ cert: 'a.pem', key: 'a.key', passphrase: 'secret' });
    expect(store.fallback[0].names).toEqual(['locked.example']);
  });
});
