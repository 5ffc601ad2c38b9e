import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CertificateStore } from '../../src/certificates/index.ts';
import { ConfigError } from '../../src/errors.ts';
import { TLS_DEFAULTS, type TlsOptions } from '../../src/transport/index.ts';
import { chooseAlpn } from '../../src/transport/tls-server.ts';
import { recordClientHello, recut } from '../support/client-hello.ts';
import { hex } from '../support/fixture.ts';
import { selfSigned, TestCertificates, testCertificates } from '../support/test-certificates.ts';
import { closed, everything, next, openTestDoor, type TestDoor, type TestDoorOptions } from '../support/test-door.ts';

let certificates: TestCertificates;
let gate: TestDoor;

beforeAll(async () => {
  certificates = await testCertificates(['default.example'], ['live.example.com'], ['*.wild.example']);
});
afterEach(() => gate.close());

async function open(options: TestDoorOptions = {}): Promise<TestDoor> {
  gate = await openTestDoor({ certificates, ...options });
  return gate;
}

const withTls = (tlsOptions: Partial<TlsOptions>): Promise<TestDoor> =>
  open({ tls: { ...TLS_DEFAULTS, ...tlsOptions } });

/** Which version and whose certificate a client gets; it must also be served RTMP. */
async function greet(options: tls.ConnectionOptions): Promise<{ version: string | null; names: string | undefined }> {
  const client = await gate.secure(options);
  const names = client.getPeerX509Certificate()?.subjectAltName?.replaceAll('DNS:', '');
  const version = client.getProtocol();
  client.write('\x03');
  expect(await next(client)).toBe('rtmp');
  client.destroy();
  return { version, names };
}

describe('check 25: rtmps handshakes, and must-do 28: the right certificate', () => {
  it.each([
    ['TLS 1.3 with SNI', { servername: 'live.example.com' }, 'TLSv1.3', 'live.example.com'],
    ['TLS 1.2 with SNI', { servername: 'live.example.com', maxVersion: 'TLSv1.2' }, 'TLSv1.2', 'live.example.com'],
    ['SNI in upper case', { servername: 'LIVE.Example.COM' }, 'TLSv1.3', 'live.example.com'],
    ['SNI that a wildcard covers', { servername: 'a.wild.example' }, 'TLSv1.3', '*.wild.example'],
    ['SNI one label too deep', { servername: 'a.b.wild.example' }, 'TLSv1.3', 'default.example'],
    ['unknown SNI', { servername: 'elsewhere.example' }, 'TLSv1.3', 'default.example'],
    ['no SNI, capped', { servername: '' }, 'TLSv1.2', 'default.example'],
    ['no SNI and nothing but TLS 1.3', { minVersion: 'TLSv1.3' }, 'TLSv1.3', 'default.example'],
    ['an IP literal, which sends no SNI', {}, 'TLSv1.2', 'default.example'],
  ] as const)('%s', async (_, options, version, names) => {
    await open();
    expect(await greet(options)).toEqual({ version, names });
    expect(gate.hints()).toEqual([]);
  });

  it('without SNI is not capped when so configured, or when there would be nothing left', async () => {
    await withTls({ capWithoutSni: false });
    expect(await greet({})).toMatchObject({ version: 'TLSv1.3' });
    gate.close();
    await withTls({ minVersion: 'TLSv1.3' });
    expect(await greet({})).toMatchObject({ version: 'TLSv1.3' });
  });

  it('resumes a session, with and without SNI', async () => {
    await open();
    for (const options of [{ servername: 'live.example.com', maxVersion: 'TLSv1.2' as const }, {}]) {
      const first = await gate.secure(options);
      const session = first.getSession();
      first.write('\x03');
      await next(first);
      const second = await gate.secure({ ...options, session });
      expect(second.isSessionReused()).toBe(true);
      second.write('\x03');
      expect(await next(second)).toBe('rtmp');
    }
  });

  it('refuses a range of versions that is empty', async () => {
    await open();
    await expect(withTls({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' })).rejects.toThrow(ConfigError);
  });
});

describe('check 26: what is inside TLS, and TLS on every port', () => {
  it.each([
    ['\x03', 'rtmp'],
    ['\x06', 'rtmp'],
    ['POST /open/1 HTTP/1.1\r\n\r\n', 'http'],
    ['GET / HTTP/1.1\r\n\r\n', 'http'],
  ])('serves %j', async (bytes, answer) => {
    await open();
    const client = await gate.secure({ servername: 'live.example.com' });
    client.write(bytes);
    expect(await next(client)).toBe(answer);
  });

  it.each(['\x00\x01\x02', 'SSH-2.0', '\x16\x03\x01'])('closes on anything else inside: %j', async (bytes) => {
    await open();
    const client = await gate.secure({ servername: 'live.example.com' });
    client.write(bytes, 'latin1');
    expect(await everything(client)).toBe('');
    expect(gate.hints()).toEqual([expect.stringContaining('inside TLS on a port that allows only RTMP')]);
    expect(gate.lines.at(-1)?.fields ?? {}).toMatchObject({
      serverName: 'live.example.com',
      offeredVersion: 'TLS 1.3',
    });
  });
});

describe('check 39: hostile and clumsy TLS', () => {
  it('takes a ClientHello in one-byte segments', async () => {
    await open();
    const raw = await gate.connect();
    const client = tls.connect({ socket: byteWise(raw), servername: 'live.example.com', rejectUnauthorized: false });
    client.write('\x03');
    expect(await next(client)).toBe('rtmp');
    expect(client.getProtocol()).toBe('TLSv1.3');
  });

  it('lets nobody shake hands again on a connection that stands', async () => {
    await open();
    const client = await gate.secure({ servername: 'live.example.com', maxVersion: 'TLSv1.2' });
    const outcome = await new Promise((resolve) => {
      client.on('error', ({ message }) => resolve(message));
      client.renegotiate({}, () => resolve('shaken again'));
    });
    expect(outcome).toMatch(/no.renegotiation/i);
    const other = await gate.secure({ servername: 'live.example.com', maxVersion: 'TLSv1.2' });
    other.write('\x03');
    expect(await next(other)).toBe('rtmp');
  });

  it('takes a ClientHello in several records and still finds the name', async () => {
    await open({ limits: { tlsMs: 100 } });
    const client = await gate.connect();
    client.write(recut(await recordClientHello({ servername: 'live.example.com' }), 50));
    // A ServerHello record: OpenSSL joined them as we did.
    expect((await next(client)).charCodeAt(0)).toBe(0x16);
    client.destroy();
  });

  it.each([
    ['garbage behind a record header', Buffer.concat([hex('16 0301 0100'), Buffer.alloc(256, 0x5a)])],
    ['a hello with a broken list', hex(`16 0301 0027 01 000023 0303 ${'00'.repeat(32)} 20`)],
    ['a record of no length', hex('16 0301 0000')],
    ['a hello without end', Buffer.concat(Array.from({ length: 100 }, () => hex('16 0301 0001 01')))],
    ['an SSLv2 hello', hex(`80 2e 01 0301 0015 0000 0010 ${'00'.repeat(37)}`)],
    ['plaintext HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['an alert', hex('15 0301 0002 0228')],
  ])('answers %s on a TLS port with an end and one line', async (_, bytes) => {
    await open({ protocols: ['rtmps', 'rtmpts'] });
    const client = await gate.connect();
    client.write(bytes);
    expect(await everything(client)).toMatch(/^(?:HTTP\/1\.1 400 [^]*)?$/);
    expect(gate.hints()).toHaveLength(1);
    expect(gate.hints()[0]).toMatch(/^(?:client speaks .* on a port that allows only|TLS handshake failed: )/);
  });

  it('ends a handshake that is not finished in time, whether it stalls within its hello or after (must-do 24)', async () => {
    await open({ limits: { tlsMs: 40 } });
    const hello = await recordClientHello({ servername: 'live.example.com' });
    const [early, late] = [await gate.connect(), await gate.connect()];
    early.write(hello.subarray(0, 100));
    late.write(hello);
    expect(await everything(early)).toBe('');
    expect((await everything(late)).length).toBeGreaterThan(0);
    const hint = 'TLS handshake failed: the client did not finish it in time';
    expect(gate.hints()).toEqual([hint, hint]);
  });

  it('serves a new client while 500 handshakes stall (must-do 24)', async () => {
    await open();
    const hello = await recordClientHello({ servername: 'live.example.com' });
    const stalled = await Promise.all(Array.from({ length: 500 }, () => gate.connect()));
    for (const client of stalled) client.write(hello);
    expect(await greet({ servername: 'live.example.com' })).toMatchObject({ version: 'TLSv1.3' });
    expect(stalled.every((client) => !client.closed)).toBe(true);
  });

  it('lets the oldest stalled handshake go when there are too many', async () => {
    await open({ limits: { maxUndecided: 50 } });
    const hello = await recordClientHello({ servername: 'live.example.com' });
    const stalled = [];
    for (let i = 0; i < 200; i += 1) {
      const client = await gate.connect();
      client.write(hello);
      stalled.push(client);
    }
    expect(await greet({ servername: 'live.example.com' })).toMatchObject({ version: 'TLSv1.3' });
    await closed(stalled[0]!);
    expect(gate.hints().every((hint) => hint.startsWith('too many connections stall'))).toBe(true);
    expect(gate.hints().length).toBeLessThanOrEqual(5);
  });

  it('bears a reset in the middle of a handshake without a word', async () => {
    await open();
    const client = await gate.connect();
    client.write(await recordClientHello({ servername: 'live.example.com' }));
    await next(client);
    client.resetAndDestroy();
    await gate.emptied();
    expect(gate.hints()).toEqual([]);
  });

  it('bears a reset right after a handshake', async () => {
    await open();
    const raw = await gate.connect();
    const client = tls.connect({ socket: raw, rejectUnauthorized: false });
    client.on('error', () => {});
    await new Promise((resolve) => client.once('secureConnect', resolve));
    raw.resetAndDestroy();
    await gate.emptied();
    expect(gate.hints()).toEqual([]);
  });

  it('notices at once that a client gave up within the handshake', async () => {
    await open();
    await expect(gate.secure({ rejectUnauthorized: true, servername: 'localhost' })).rejects.toThrow();
    await gate.emptied();
    expect(gate.hints()).toEqual([]);
    expect(gate.lines).toMatchObject([{ level: 'debug', message: expect.stringMatching(/^client left/) }]);
  });

  it('names a client that does not trust the certificate', async () => {
    await open();
    const client = await gate.connect();
    client.write(await recordClientHello({ servername: 'localhost', maxVersion: 'TLSv1.2' }));
    await next(client);
    // RFC 5246, 7.2.2: fatal unknown_ca
    client.write(hex('15 0303 0002 02 30'));
    await closed(client);
    const reason = 'the client does not trust our certificate (unknown authority)';
    expect(gate.hints()).toEqual([`TLS handshake failed: ${reason}`]);
  });
});

describe('must-do 29: application protocols', () => {
  it.each([
    ['RTMP', ['rtmp'], 'rtmp'],
    ['a browser', ['h2', 'http/1.1'], 'http/1.1'],
    ['anything with HTTP/1.1', ['x', 'http/1.1'], 'http/1.1'],
  ])('serves a client that offers %s', async (_, offered, chosen) => {
    await open();
    const client = await gate.secure({ ALPNProtocols: offered, servername: 'live.example.com' });
    expect(client.alpnProtocol).toBe(chosen);
    client.write('\x03');
    expect(await next(client)).toBe('rtmp');
  });

  it('serves a client that offers nothing', async () => {
    await open();
    expect((await gate.secure({})).alpnProtocol).toBe(false);
  });

  it('refuses a client that offers only HTTP/2, and says why', async () => {
    await open();
    await expect(gate.secure({ ALPNProtocols: ['h2'], servername: 'live.example.com' })).rejects.toThrow();
    await gate.emptied();
    const reason = 'the client offers no application protocol that is spoken here';
    expect(gate.hints()).toEqual([`TLS handshake failed: ${reason}`]);
  });

  it.each([
    [['h2', 'h3'], undefined],
    [[], undefined],
    [['h3', 'rtmp', 'x'], 'rtmp'],
  ])('chooses from %j: %s', (offered, chosen) => {
    expect(chooseAlpn(offered)).toBe(chosen);
    gate = { close() {} } as unknown as TestDoor;
  });
});

it('offers nothing without forward secrecy', async () => {
  const rsa = new CertificateStore([await selfSigned(['default.example'], 'rsa')]);
  await open({ certificates: new TestCertificates(rsa) });
  const versions = { maxVersion: 'TLSv1.2' } as const;
  await expect(gate.secure({ ...versions, ciphers: 'AES128-GCM-SHA256' })).rejects.toThrow();
  expect(await gate.secure({ ...versions, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })).toBeDefined();
});

describe('must-do 30: old versions', () => {
  const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s by default, and says why', async (maxVersion) => {
    await open();
    await expect(gate.secure({ ...old, maxVersion })).rejects.toThrow();
    await gate.emptied();
    expect(gate.hints()).toEqual(['TLS handshake failed: the client offers no TLS version that this port allows']);
    expect(gate.lines.at(-1)).toBeDefined();
  });

  it.each([
    ['TLSv1', 'live.example.com'],
    ['TLSv1', ''],
    ['TLSv1.1', 'a.wild.example'],
    ['TLSv1.2', ''],
    ['TLSv1.3', 'live.example.com'],
  ] as const)('serves %s to "%s" where it is asked for', async (version, servername) => {
    await withTls({ minVersion: 'TLSv1' });
    const client = version === 'TLSv1.3' ? {} : { ...old, maxVersion: version };
    expect(await greet({ ...client, servername })).toMatchObject({ version });
  });
});

/** A way to a socket that passes on one byte a turn. */
function byteWise(socket: net.Socket): Duplex {
  const dribble = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      void (async () => {
        for (const byte of chunk) {
          socket.write(Buffer.from([byte]));
          await setImmediate();
        }
        done();
      })();
    },
  });
  socket.on('data', (chunk) => dribble.push(chunk));
  socket.on('close', () => dribble.destroy());
  return dribble;
}
