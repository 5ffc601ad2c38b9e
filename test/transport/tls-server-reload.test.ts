import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CertificateStore, TicketKeys, type Certificate } from '../../src/certificates/index.ts';
import { TLS_DEFAULTS, type TlsOptions } from '../../src/transport/index.ts';
import { selfSigned, TestCertificates } from '../support/test-certificates.ts';
import { next, openTestDoor, type TestDoor } from '../support/test-door.ts';

let old: Certificate;
let renewed: Certificate;
let named: Certificate;
let renamed: Certificate;
let rsa: Certificate;
const gates: TestDoor[] = [];

beforeAll(async () => {
  [old, renewed, named, renamed] = await Promise.all([
    selfSigned(['default.example']),
    selfSigned(['default.example']),
    selfSigned(['live.example.com']),
    selfSigned(['live.example.com']),
  ]);
  rsa = await selfSigned(['live.example.com'], 'rsa');
});
afterEach(() => {
  for (const gate of gates.splice(0)) gate.close();
});

async function open(certificates: TestCertificates, options: Partial<TlsOptions> = {}): Promise<TestDoor> {
  const gate = await openTestDoor({ certificates, tls: { ...TLS_DEFAULTS, ...options } });
  gates.push(gate);
  return gate;
}

/** A handshake to its end: TLS 1.3 sends its tickets behind it. */
async function greet(gate: TestDoor, options: tls.ConnectionOptions = {}) {
  const client = await gate.secure(options);
  let session: Buffer | undefined;
  client.on('session', (ticket) => (session = ticket));
  client.write('\x03');
  expect(await next(client)).toBe('rtmp');
  const fingerprint = client.getPeerX509Certificate()?.fingerprint256;
  session ??= client.getSession();
  const facts = { version: client.getProtocol(), resumed: client.isSessionReused(), fingerprint };
  return { client, ...facts, session, cipher: client.getCipher().name };
}

describe('must-do 25: new certificates', () => {
  it.each([
    ['without SNI', {}, () => [old, renewed] as const],
    ['with SNI (must-do 28)', { servername: 'live.example.com' }, () => [named, renamed] as const],
  ] as const)('are seen by the next connection, and leave those that stand alone, %s', async (_, options, pair) => {
    const certificates = new TestCertificates(new CertificateStore([old, named]));
    const gate = await open(certificates);
    const [before, after] = pair();
    const first = await greet(gate, options);
    expect(first.fingerprint).toBe(before.fingerprint);
    certificates.change(new CertificateStore([renewed, renamed]));
    const second = await greet(gate, options);
    expect(second.fingerprint).toBe(after.fingerprint);
    expect(second.version).toBe(first.version);
    first.client.write('more');
    await vi.waitFor(() => expect(gate.rtmp[0]?.received()).toContain('more'));
  });

  it.each([
    ['TLS 1.2 at most', { maxVersion: 'TLSv1.2' }, { servername: 'default.example' }, 'TLSv1.2'],
    ['the cap without SNI', {}, {}, 'TLSv1.2'],
    ['TLS 1.3 at least', { minVersion: 'TLSv1.3' }, { servername: 'default.example' }, 'TLSv1.3'],
    [
      'TLS 1.0 where it is allowed',
      { minVersion: 'TLSv1' },
      { servername: 'x', minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
      'TLSv1',
    ],
  ] as const)('change nothing of %s', async (_, options, client, version) => {
    const certificates = new TestCertificates(new CertificateStore([old]));
    const gate = await open(certificates, options);
    expect((await greet(gate, client)).version).toBe(version);
    certificates.change(new CertificateStore([renewed]));
    expect(await greet(gate, client)).toMatchObject({ version, fingerprint: renewed.fingerprint });
  });

  it('change nothing of the ciphers', async () => {
    const certificates = new TestCertificates(new CertificateStore([old]));
    const only = 'ECDHE-ECDSA-CHACHA20-POLY1305';
    const gate = await open(certificates, { maxVersion: 'TLSv1.2', ciphers: only });
    expect((await greet(gate)).cipher).toBe(only);
    certificates.change(new CertificateStore([renewed]));
    expect(await greet(gate)).toMatchObject({ cipher: only, fingerprint: renewed.fingerprint });
  });

  it('do not end sessions that clients go on with', async () => {
    const certificates = new TestCertificates(new CertificateStore([old]));
    const gate = await open(certificates);
    const { session } = await greet(gate, { servername: 'default.example' });
    certificates.change(new CertificateStore([renewed]));
    expect((await greet(gate, { servername: 'default.example', session })).resumed).toBe(true);
  });

  it('are no longer of interest to a door that is closed', async () => {
    const certificates = new TestCertificates(new CertificateStore([old]));
    const gate = await open(certificates);
    expect(certificates.listeners).toBe(1);
    gate.close();
    expect(certificates.listeners).toBe(0);
  });
});

describe('certificates side by side for one name', () => {
  it.each([
    ['one that knows both', {}, () => named],
    ['one of TLS 1.2 that knows both', { maxVersion: 'TLSv1.2' }, () => named],
    ['one that knows only RSA', { sigalgs: 'rsa_pss_rsae_sha256:RSA+SHA256' }, () => rsa],
    [
      'one of TLS 1.2 that knows only RSA',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
      () => rsa,
    ],
    [
      'one of TLS 1.2 that knows only ECDSA',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      () => named,
    ],
  ] as const)('give %s what it can use', async (_, options, wanted) => {
    for (const list of [
      [named, rsa],
      [old, named, rsa],
    ] as const) {
      const gate = await open(new TestCertificates(new CertificateStore(list as never)));
      const { fingerprint } = await greet(gate, { servername: 'live.example.com', ...options });
      expect(fingerprint).toBe(wanted().fingerprint);
    }
  });

  it('are never mixed with the default one, which is of another kind', async () => {
    const gate = await open(new TestCertificates(new CertificateStore([old, rsa])));
    expect((await greet(gate, { servername: 'live.example.com' })).fingerprint).toBe(rsa.fingerprint);
    expect((await greet(gate, { servername: 'default.example' })).fingerprint).toBe(old.fingerprint);
  });

  it('are both the default when the first of them is', async () => {
    const gate = await open(new TestCertificates(new CertificateStore([named, rsa])));
    const { fingerprint } = await greet(gate, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' });
    expect(fingerprint).toBe(rsa.fingerprint);
  });
});

describe('must-do 31: session tickets', () => {
  const group = (secret: string) => new TestCertificates(new CertificateStore([old]), new TicketKeys(secret, 60_000));

  it.each([
    ['TLS 1.3', { servername: 'default.example' }],
    ['TLS 1.2', { servername: 'default.example', maxVersion: 'TLSv1.2' }],
    ['TLS 1.2 without SNI', {}],
  ] as const)(
    'of one gateway are good at another with the same secret, and elsewhere cost a handshake: %s',
    async (_, options) => {
      const [one, two, stranger] = await Promise.all([open(group('a')), open(group('a')), open(group('b'))]);
      const { session } = await greet(one, options);
      expect(session).toBeDefined();
      expect(await greet(two, { ...options, session })).toMatchObject({ resumed: true });
      expect(await greet(stranger, { ...options, session })).toMatchObject({ resumed: false });
    },
  );

  it('cost one full handshake once the keys have changed', async () => {
    const certificates = group('a');
    const gate = await open(certificates);
    const options = { servername: 'default.example' };
    const { session } = await greet(gate, options);
    certificates.time = 60_000;
    certificates.change();
    const again = await greet(gate, { ...options, session });
    expect(again.resumed).toBe(false);
    expect(await greet(gate, { ...options, session: again.session })).toMatchObject({ resumed: true });
  });
});
