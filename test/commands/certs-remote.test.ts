import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { plainFailure, readTarget, REMOTE_LIMITS, viewRemote } from '../../src/commands/certs-remote.ts';
import { makeCertificate, makeChain } from '../support/made-certificates.ts';

const servers: net.Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function listen(server: net.Server) {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function serve(options: tls.TlsOptions) {
  const server = tls.createServer(options, (socket) => socket.on('error', () => {}));
  server.on('tlsClientError', () => {});
  return listen(server);
}

const failure = (target: { host: string; port: number }) =>
  viewRemote(target, []).then(
    () => 'none',
    (error: unknown) => plainFailure(error),
  );

// Good now: these are looked at with the real clock.
const LONG = { from: -10, to: 5000 } as const;

describe('a server', () => {
  test.each([
    ['live.example:8443', 'live.example', 8443],
    ['LIVE.example:443', 'live.example', 443],
    ['10.0.0.5:1', '10.0.0.5', 1],
    ['[2001:db8::5]:8443', '2001:db8::5', 8443],
    ['rtmps://live.example', 'live.example', 443],
    ['rtmpts://live.example:8443/live/a?b', 'live.example', 8443],
    ['https://live.example/', 'live.example', 443],
  ])('%s is understood', (text, host, port) => {
    expect(readTarget(text)).toEqual({ host, port });
  });

  test.each(['live.example', 'live.example:99999', ':443', '', 'rtmp://live.example', 'a b:1', 'certs/server.crt'])(
    '%s is none',
    (text) => {
      expect(readTarget(text)).toBeUndefined();
    },
  );
});

describe('what a server shows', () => {
  test('is its chain as it was sent, and how it shook hands', async () => {
    const { root, intermediate, server } = await makeChain();
    // Out of order on purpose: nothing puts it right on the way.
    const cert = server.cert + root.cert + intermediate.cert;
    const view = await viewRemote(await serve({ cert, key: server.key, maxVersion: 'TLSv1.2' }), []);
    expect(view).toMatchObject({ protocol: 'TLSv1.2', cipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' });
    expect(view.chain.map(({ subject }) => subject)).toEqual(['CN=live.example', 'CN=Root', 'CN=Intermediate']);
  });

  test('is a leaf alone where it sends no more, even if its issuer is known here', async () => {
    const { root, intermediate, server } = await makeChain();
    const target = await serve({ cert: server.cert, key: server.key });
    expect((await viewRemote(target, [root.cert, intermediate.cert])).chain).toHaveLength(1);
  });

  test('is trusted or not by the authorities given, and for the name asked for', async () => {
    const root = await makeCertificate({ name: 'Root', names: [], ca: true, ...LONG });
    const server = await makeCertificate({ names: ['localhost'], issuer: root, ...LONG });
    const { port } = await serve({ cert: server.cert, key: server.key });
    const distrusted = async (host: string, ...authorities: string[]) =>
      (await viewRemote({ host, port }, authorities)).distrusted;
    expect(await distrusted('localhost', root.cert)).toBeUndefined();
    expect(await distrusted('localhost')).toBe('an issuer is missing, or not installed here');
    expect(await distrusted('127.0.0.1', root.cert)).toBe('it is not for 127.0.0.1');
    const alone = await makeCertificate(LONG);
    const { port: other } = await serve({ cert: alone.cert, key: alone.key });
    expect((await viewRemote({ host: 'localhost', port: other }, [])).distrusted).toBe(
      'nobody but itself has signed it',
    );
  });

  test('is seen of servers that only old clients should still talk to', async () => {
    const old = await makeCertificate({ key: 'RSA-1024', hash: 'SHA-1' });
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const target = await serve({ cert: old.cert, key: old.key, minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers });
    expect((await viewRemote(target, [])).protocol).toBe('TLSv1');
  });
});

describe('a server that cannot be looked at', () => {
  test('is told by what it did', async () => {
    const closed = await listen(net.createServer());
    servers.splice(0).forEach((server) => server.close());
    expect(await failure(closed)).toBe('connection refused: nothing listens there');
    expect(await failure(await listen(net.createServer((socket) => socket.end('HTTP/1.1 400 No\r\n\r\n'))))).toBe(
      'it answers, but not in TLS',
    );
    const shut = await listen(net.createServer((socket) => socket.destroy()));
    expect(await failure(shut)).toBe('it closed the connection during the handshake');
    const { server } = await makeChain();
    const mutual = await serve({ cert: server.cert, key: server.key, requestCert: true, maxVersion: 'TLSv1.2' });
    expect(await failure(mutual)).toMatch(/^it refused the handshake \(handshake failure\); it may want a client cert/);
  });

  test('is given 10 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const server = net.createServer((socket) => void socket.on('error', () => {}));
      const failed = failure(await listen(server));
      const [socket] = (await once(server, 'connection')) as [net.Socket];
      await once(socket, 'data');
      vi.advanceTimersByTime(REMOTE_LIMITS.timeoutMs - 1);
      expect(await Promise.race([failed, new Promise((resolve) => setImmediate(resolve, 'waiting'))])).toBe('waiting');
      vi.advanceTimersByTime(1);
      expect(await failed).toBe('no answer within 10 s');
    } finally {
      vi.useRealTimers();
    }
  });
});
