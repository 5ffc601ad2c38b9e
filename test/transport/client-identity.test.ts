import type tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CertificateStore, type Certificate } from '../../src/certificates/index.ts';
import { TLS_DEFAULTS } from '../../src/transport/index.ts';
import type { ClientTrust } from '../../src/transport/index.ts';
import { ClientAuthority, type PemPair } from '../support/client-authority.ts';
import { selfSigned, TestCertificates } from '../support/test-certificates.ts';
import { everything, next, openTestDoor, type TestDoor } from '../support/test-door.ts';

let server: Certificate;
let authority: ClientAuthority;
let studio: PemPair;
let gate: TestDoor;
let certificates: TestCertificates;

beforeAll(async () => {
  server = await selfSigned(['default.example']);
  authority = await ClientAuthority.create();
  studio = await authority.client('studio 1');
});
afterEach(() => gate.close());

function trusting(files: Readonly<Record<string, string>>): CertificateStore {
  return new CertificateStore([server], new Map(Object.entries(files)));
}

async function open(options: Partial<ClientTrust> = {}, files: Readonly<Record<string, string>> = {}): Promise<void> {
  certificates = new TestCertificates(trusting({ ca: authority.cert, ...files }));
  const clients = { authorities: ['ca'], revoked: [], required: true, ...options };
  gate = await openTestDoor({ certificates, tls: { ...TLS_DEFAULTS, clients } });
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** Whether a client is served RTMP, and by what session it could come again. */
async function knock(options: tls.ConnectionOptions) {
  const client = await gate.secure({ servername: 'default.example', ...options }).catch(() => undefined);
  // Over TLS 1.2 a client may hear of the end before it has heard of the handshake's.
  if (client === undefined) return { served: '', resumed: false, session: undefined };
  const resumed = client.isSessionReused();
  let session: Buffer | undefined;
  client.on('session', (ticket) => (session = ticket));
  client.write('\x03');
  const served = await Promise.race([next(client), everything(client)]).catch(() => '');
  session ??= client.getSession();
  client.destroy();
  return { served, resumed, session };
}

describe('must-do 32: a port that requires clients to have a certificate', () => {
  it.each(VERSIONS)('lets in who has one, and knows who it is, now and when it comes again: %s', async (maxVersion) => {
    await open();
    const first = await knock({ ...studio, maxVersion });
    expect(first).toMatchObject({ served: 'rtmp', resumed: false });
    expect(await knock({ ...studio, maxVersion, session: first.session })).toMatchObject({
      served: 'rtmp',
      resumed: true,
    });
    for (const { peer } of gate.rtmp) expect(peer.identity).toMatchObject({ commonName: 'studio 1' });
    expect(gate.rtmp).toHaveLength(2);
  });

  it('knows who an HTTP client is as well', async () => {
    await open();
    const client = await gate.secure({ ...studio, servername: 'default.example' });
    client.write('POST /open/1 HTTP/1.1\r\n\r\n');
    expect(await next(client)).toBe('http');
    expect(gate.http[0]?.peer.identity?.fingerprint).toMatch(/^[0-9A-F:]{95}$/);
  });

  it.each(VERSIONS)(
    'refuses who has none, also when it comes with what it got the first time: %s',
    async (maxVersion) => {
      await open();
      const first = await knock({ maxVersion });
      expect(first.served).toBe('');
      expect((await knock({ maxVersion, session: first.session })).served).toBe('');
      await gate.emptied();
      const hint = 'TLS handshake failed: the client sent no certificate, and this port requires one (clientCa)';
      expect(new Set(gate.hints())).toEqual(new Set([hint]));
      expect(gate.rtmp).toEqual([]);
    },
  );

  it('refuses who has none, but a session of a port where none is needed', async () => {
    await open({ required: false });
    const { session } = await knock({});
    const lax = gate;
    const clients = { authorities: ['ca'], revoked: [], required: true };
    gate = await openTestDoor({ certificates, tls: { ...TLS_DEFAULTS, clients } });
    // Node calls this one authorized.
    expect(await knock({ session })).toMatchObject({ served: '', resumed: true });
    lax.close();
  });

  it.each([
    [
      'another authority',
      async () => (await ClientAuthority.create('other')).client('x'),
      /was not signed by an authority/,
    ],
    ['nobody', async () => ({ cert: (await ClientAuthority.create('other')).cert, key: '' }), /./],
    ['time', async () => authority.client('late', { days: -1 }), /has expired/],
    ['its purpose', async () => authority.client('web', { usage: { serverAuth: true } }), /not one for clients/],
  ] as const)('refuses a certificate for the sake of %s', async (what, make, hint) => {
    await open();
    const pair = what === 'nobody' ? await lonely() : await make();
    expect((await knock(pair)).served).toBe('');
    await gate.emptied();
    expect(gate.hints()).toEqual([expect.stringMatching(hint)]);
  });

  it('refuses what the authority has revoked, and who comes again with it', async () => {
    const other = await authority.client('studio 2');
    await open({ revoked: ['crl'] }, { crl: await authority.revoke([]) });
    const { session, served } = await knock(studio);
    expect(served).toBe('rtmp');
    certificates.change(trusting({ ca: authority.cert, crl: await authority.revoke([studio.cert]) }));
    expect((await knock({ ...studio, session })).served).toBe('');
    expect((await knock(studio)).served).toBe('');
    expect((await knock(other)).served).toBe('rtmp');
    await gate.emptied();
    expect(gate.hints()).toEqual(
      expect.arrayContaining(["TLS handshake failed: the client's certificate was refused: it has been revoked"]),
    );
  });

  it('says that nobody gets in when the revocation list is too old', async () => {
    await open({ revoked: ['crl'] }, { crl: await authority.revoke([], -1) });
    expect((await knock(studio)).served).toBe('');
    await gate.emptied();
    expect(gate.hints()).toEqual([expect.stringContaining('the list in clientCrl is too old')]);
  });

  it('lets in nobody any more whose authority was taken away, sessions included', async () => {
    await open();
    const { session } = await knock(studio);
    const successor = await ClientAuthority.create('successor');
    certificates.change(trusting({ ca: successor.cert }));
    expect((await knock({ ...studio, session })).served).toBe('');
    expect((await knock(studio)).served).toBe('');
    expect((await knock(await successor.client('studio 3'))).served).toBe('rtmp');
  });

  async function lonely(): Promise<PemPair> {
    const { material } = await selfSigned(['x']);
    return { cert: 'cert' in material ? material.cert : '', key: 'key' in material ? material.key : '' };
  }
});

describe('a port where certificates of clients are optional', () => {
  it('lets in who has none, without a name', async () => {
    await open({ required: false });
    expect((await knock({})).served).toBe('rtmp');
    expect(gate.rtmp[0]?.peer.identity).toBeUndefined();
  });

  it('knows who has one, and refuses who has a wrong one', async () => {
    await open({ required: false });
    expect((await knock(studio)).served).toBe('rtmp');
    expect(gate.rtmp[0]?.peer.identity?.commonName).toBe('studio 1');
    const stranger = await (await ClientAuthority.create('other')).client('x');
    expect((await knock(stranger)).served).toBe('');
  });
});

it('a port that asks for none knows nobody by a certificate', async () => {
  gate = await openTestDoor({ certificates: new TestCertificates(trusting({})) });
  expect((await knock(studio)).served).toBe('rtmp');
  expect(gate.rtmp[0]?.peer.identity).toBeUndefined();
});
