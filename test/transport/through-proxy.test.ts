import dns from 'node:dns';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { dialer } from '../../src/transport/dial.ts';
import { parseProxy } from '../../src/transport/proxy-server.ts';
import { connectThrough } from '../../src/transport/through-proxy.ts';
import { makeTestCertificate, type TestCertificate } from '../support/certificate.ts';
import { PROXY_USERINFO, startSocks, startSquid, type EgressProxy } from '../support/egress-proxies.ts';
import { has, missing } from '../support/programs.ts';
import { ScriptedTunnel } from '../support/scripted-tunnel.ts';

const never = new AbortController().signal;
const stops: (() => unknown)[] = [];
let certificate: TestCertificate;

beforeAll(async () => {
  certificate = await makeTestCertificate();
});

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function listening(server: net.Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  stops.push(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

const scriptedProxy = async (script: (socket: net.Socket) => void): Promise<number> => {
  const sockets: net.Socket[] = [];
  const port = await listening(
    net.createServer((socket) => {
      sockets.push(socket.on('error', () => {}));
      script(socket);
    }),
  );
  stops.push(() => sockets.forEach((socket) => socket.destroy()));
  return port;
};

/** Says back what it hears, behind its own port, so that somebody can tell that it was reached. */
const echo = (socket: net.Socket): void => void socket.on('error', () => {}).pipe(socket);

async function expectEcho(stream: NodeJS.ReadWriteStream): Promise<void> {
  stream.write('hello');
  expect(String((await once(stream, 'data'))[0])).toBe('hello');
}

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GatewayError);
  return error as GatewayError;
}

describe.skipIf(!has('squid'))(`Through Squid${missing('squid')}`, () => {
  let open: number, secure: number, tunnel: ScriptedTunnel, squid: EgressProxy;

  beforeAll(async () => {
    const started = [net.createServer(echo), tls.createServer(certificate, echo)];
    for (const server of started) await once(server.listen(0, '127.0.0.1'), 'listening');
    [open, secure] = started.map((server) => (server.address() as net.AddressInfo).port) as [number, number];
    tunnel = await ScriptedTunnel.start();
    squid = await startSquid([open, secure]);
    return async () => {
      await squid.stop();
      await tunnel.server.close();
      for (const server of started) server.close();
    };
  }, 30_000);

  const proxies = () => [
    `http://${PROXY_USERINFO}@127.0.0.1:${squid.http}`,
    `https://${PROXY_USERINFO}@localhost:${squid.https}`,
  ];

  it.each([0, 1])('rtmp gives the socket (proxy %i)', async (index) => {
    const proxy = parseProxy(proxies()[index]!);
    const stream = await dialer(`rtmp://localhost:${open}/a/b`, { proxy, tls: { ca: [squid.ca] } })(never);
    await expectEcho(stream);
    stream.destroy();
  });

  it.each([0, 1])(
    'rtmps names the server, and checks its certificate and not the proxy’s (proxy %i)',
    async (index) => {
      const proxy = parseProxy(proxies()[index]!);
      const url = `rtmps://localhost:${secure}/a/b`;
      const dial = dialer(url, { proxy, tls: { ca: [squid.ca, certificate.cert] } });
      const stream = await dial(never);
      expect((stream as tls.TLSSocket).servername).toBe('localhost');
      await expectEcho(stream);
      stream.destroy();
      const untrusting = dialer(url, { proxy, tls: { ca: [squid.ca] } });
      expect(await failureOf(untrusting(never))).toMatchObject({ code: 'TLS_FAILED' });
    },
  );

  it.each([0, 1])('rtmpt writes requests, to a port that CONNECT may not reach (proxy %i)', async (index) => {
    const proxy = parseProxy(proxies()[index]!);
    const before = tunnel.server.requests.length;
    const stream = await dialer(`rtmpt://127.0.0.1:${tunnel.server.port}/a`, { proxy, tls: { ca: [squid.ca] } })(never);
    expect(tunnel.server.requests[before]!.headers.get('via')).toContain('squid');
    expect(tunnel.server.requests[before]!.headers.has('proxy-authorization')).toBe(false);
    stream.destroy();
    await once(stream, 'close');
  });

  it('CONNECT to another port is refused in words, which hold no password', async () => {
    const port = await listening(net.createServer(echo));
    const fault = await failureOf(dialer(`rtmp://127.0.0.1:${port}`, { proxy: parseProxy(proxies()[0]!) })(never));
    expect(fault.code).toBe('PROXY_REFUSED');
    expect(fault.message).toBe(
      `the proxy http://127.0.0.1:${squid.http} does not let us through (403 Forbidden, ERR_ACCESS_DENIED 0); many proxies allow CONNECT to port 443 only`,
    );
  });

  it.each([
    ['rtmp', 'wrong:one@', 'refuses the user name or the password'],
    ['rtmpt', 'wrong:one@', 'refuses the user name or the password'],
    ['rtmp', '', 'asks for a user name and a password: write http://USER:PASSWORD@HOST:PORT'],
    ['rtmpt', '', 'asks for a user name and a password: write http://USER:PASSWORD@HOST:PORT'],
  ])('%s as %j: PROXY_AUTHENTICATION, in words', async (scheme, userinfo, words) => {
    const proxy = parseProxy(`http://${userinfo}127.0.0.1:${squid.http}`);
    const url = `${scheme}://127.0.0.1:${scheme === 'rtmp' ? open : tunnel.server.port}/a`;
    const fault = await failureOf(dialer(url, { proxy })(never));
    expect([fault.code, fault.message]).toEqual(['PROXY_AUTHENTICATION', `the proxy ${proxy.shown} ${words}`]);
  });

  it('a server that is not there is told as such', async () => {
    const gone = net.createServer();
    const port = await listening(gone);
    gone.close();
    const proxy = parseProxy(proxies()[0]!);
    const fault = await failureOf(dialer(`rtmpt://127.0.0.1:${port}`, { proxy })(never));
    expect([fault.code, fault.message]).toEqual([
      'PROXY_FAILED',
      `the proxy ${proxy.shown} could not connect us (503 Service Unavailable)`,
    ]);
  });
});

describe.skipIf(!has('microsocks'))(`Through a SOCKS proxy${missing('microsocks')}`, () => {
  it.each(['socks5', 'socks5h'])('%s: rtmp, rtmps and rtmpt', async (scheme) => {
    const socks = await startSocks();
    stops.push(() => socks.stop());
    const proxy = parseProxy(`${scheme}://${PROXY_USERINFO}@127.0.0.1:${socks.port}`);
    const [open, secure] = [
      await listening(net.createServer(echo)),
      await listening(tls.createServer(certificate, echo)),
    ];
    const tunnel = await ScriptedTunnel.start();
    stops.push(() => tunnel.server.close());
    for (const url of [`rtmp://127.0.0.1:${open}`, `rtmps://localhost:${secure}`]) {
      const stream = await dialer(url, { proxy, tls: { ca: [certificate.cert] } })(never);
      await expectEcho(stream);
      stream.destroy();
    }
    const stream = await dialer(`rtmpt://127.0.0.1:${tunnel.server.port}`, { proxy })(never);
    expect(tunnel.server.requests[0]!.target).toBe('/open/1');
    stream.destroy();
    await once(stream, 'close');
  });

  it('a wrong password is told in words', async () => {
    const socks = await startSocks();
    stops.push(() => socks.stop());
    const proxy = parseProxy(`socks5h://wrong:one@127.0.0.1:${socks.port}`);
    const fault = await failureOf(dialer('rtmp://127.0.0.1:1', { proxy })(never));
    expect([fault.code, fault.message]).toEqual([
      'PROXY_AUTHENTICATION',
      `the proxy ${proxy.shown} refuses the user name or the password`,
    ]);
  });
});

describe('A proxy that misbehaves', () => {
  const through = (port: number, scheme = 'http') =>
    dialer('rtmps://target.invalid', {
      proxy: parseProxy(`${scheme}://user:geheim@127.0.0.1:${port}`),
      connectTimeoutMs: 200,
    });

  it.each(['http', 'https', 'socks5h'])('and says nothing is given up in time: %s', async (scheme) => {
    const fault = await failureOf(through(await scriptedProxy(() => {}), scheme)(never));
    expect(fault.code).toBe('CONNECT_TIMEOUT');
    expect(fault.message).toContain('through the proxy');
    expect(fault.message).not.toContain('geheim');
  });

  it('and never ends its headers is given up after 16 KiB', async () => {
    const port = await scriptedProxy((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => void (socket.writable && socket.write(`X: ${'y'.repeat(500)}\r\n`, more));
      more();
    });
    const dial = dialer('rtmp://target.invalid', { proxy: parseProxy(`http://127.0.0.1:${port}`) });
    expect(await failureOf(dial(never))).toMatchObject({ code: 'PROXY_BAD_ANSWER' });
  });

  it.each(['http', 'socks5h'])('and closes without a word: %s', async (scheme) => {
    const port = await scriptedProxy((socket) => socket.resume().end());
    const fault = await failureOf(through(port, scheme)(never));
    expect([fault.code, fault.message]).toEqual([
      'PROXY_FAILED',
      `the proxy ${scheme}://127.0.0.1:${port} closed the connection without an answer`,
    ]);
  });

  it('and is not there is named as the one that is not', async () => {
    const fault = await failureOf(through(1)(never));
    expect(fault.code).toBe('CONNECT_FAILED');
    expect(fault.message).toMatch(/^the proxy cannot be reached: no connection to 127\.0\.0\.1 port 1: /);
  });

  it('answers byte by byte, and that is no reason to fail', async () => {
    const port = await scriptedProxy((socket) => {
      socket.setNoDelay(true).once('data', () => {
        const answer = Buffer.from('HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n');
        const next = (at: number): void => {
          if (at === answer.length) return echo(socket);
          socket.write(answer.subarray(at, at + 1), () => setImmediate(() => next(at + 1)));
        };
        next(0);
      });
    });
    const proxy = parseProxy(`http://127.0.0.1:${port}`);
    const stream = await connectThrough(proxy, { host: 'far', port: 443 }, {}, never);
    await expectEcho(stream);
    stream.destroy();
  });

  it('is left at once when nobody wants the connection any more', async () => {
    const abort = new AbortController();
    const closed = new Promise<void>((resolve) => {
      void scriptedProxy((socket) => {
        socket.resume().once('close', resolve);
        abort.abort(new Error('no longer wanted'));
      }).then((port) => expect(through(port)(abort.signal)).rejects.toThrow('no longer wanted'));
    });
    await closed;
  });
});

describe('A name that we look up for a proxy', () => {
  const dial = (signal: AbortSignal, connectTimeoutMs = 10_000) =>
    dialer('rtmp://target.invalid', { proxy: parseProxy('socks5://127.0.0.1:1'), connectTimeoutMs })(signal);

  afterEach(() => void vi.restoreAllMocks());

  it('and that nobody answers for is given up in time, and at once when nobody wants it any more', async () => {
    vi.spyOn(dns, 'lookup').mockImplementation((() => undefined) as unknown as typeof dns.lookup);
    expect(await failureOf(dial(never, 20))).toMatchObject({ code: 'CONNECT_TIMEOUT' });
    const abort = new AbortController();
    const asked = dial(abort.signal);
    abort.abort(new Error('no longer wanted'));
    await expect(asked).rejects.toThrow('no longer wanted');
  });

  it('and that does not exist is said so', async () => {
    const missing = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    const lookup = (_: string, done: (error: Error) => void) => done(missing);
    vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
    const fault = await failureOf(dial(never));
    expect([fault.code, fault.message]).toEqual(['CONNECT_FAILED', 'target.invalid cannot be looked up: no such host']);
  });
});
