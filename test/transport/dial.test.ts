import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, TransportError } from '../../src/errors.ts';
import { dialer, parseTarget } from '../../src/transport/dial.ts';
import { TunnelClient } from '../../src/transport/rtmpt/client.ts';
import { keep, release } from '../../src/transport/slab.ts';
import { makeTestCertificate } from '../support/certificate.ts';
import type { TestCertificate } from '../support/certificate.ts';
import { tunnelAnswer } from '../support/http-script.ts';
import { ScriptedTunnel } from '../support/scripted-tunnel.ts';

const never = new AbortController().signal;
let certificate: TestCertificate;

beforeAll(async () => {
  certificate = await makeTestCertificate();
});

describe('where a URL leads', () => {
  it.each([
    ['rtmp://example.com/live/key', { scheme: 'rtmp', host: 'example.com', port: 1935 }],
    ['rtmps://example.com/live/key', { scheme: 'rtmps', host: 'example.com', port: 443 }],
    ['rtmpt://example.com', { scheme: 'rtmpt', host: 'example.com', port: 80 }],
    ['rtmpts://example.com/', { scheme: 'rtmpts', host: 'example.com', port: 443 }],
    ['rtmps://user:secret@example.com:1936/app', { scheme: 'rtmps', host: 'example.com', port: 1936 }],
    ['RTMP://[2001:db8::1]:19350/live', { scheme: 'rtmp', host: '2001:db8::1', port: 19350 }],
  ])('%s', (url, target) => {
    expect(parseTarget(url)).toEqual(target);
  });

  it.each([
    'http://example.com/',
    'rtmpe://example.com/',
    'example.com:1935',
    'rtmp:///live',
    '',
    'rtmp://a:99999/',
    'constructor://a/',
  ])('is not said by %j', (url) => {
    expect(() => dialer(url)).toThrow(ConfigError);
  });

  it('is refused without repeating what may be secret', () => {
    expect(() => dialer('rtmpx://user:secret@host/live/key')).toThrow(/^(?!.*(secret|key)).*$/);
  });
});

describe('dialling', () => {
  it('rtmp gives the socket', async () => {
    const server = net.createServer((socket) => socket.end('rtmp')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stream = await dialer(`rtmp://127.0.0.1:${portOf(server)}/live/key`)(never);
    expect(String((await once(stream, 'data'))[0])).toBe('rtmp');
    stream.destroy();
    server.close();
  });

  it.each([
    ['rtmp', true],
    ['rtmps', true],
    ['rtmpt', false],
    ['rtmpts', false],
    [undefined, false],
  ] as const)('rtmp reads for a client over %s into memory that can be given back: %s', async (scheme, isLent) => {
    const server = net.createServer((socket) => socket.end(Buffer.alloc(50_000))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const peer = scheme && { scheme, secure: false, address: '192.0.2.7', port: 4711, id: 'c-1' };
    const stream = await dialer(`rtmp://127.0.0.1:${portOf(server)}`)(never, peer);
    const [piece] = (await once(stream, 'data')) as [Buffer];
    release(piece);
    expect(keep(piece).buffer === piece.buffer).toBe(isLent);
    stream.destroy();
    server.close();
  });

  it('rtmps gives the socket inside TLS', async () => {
    const server = tls.createServer(certificate, (socket) => socket.end('rtmps')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const options = { tls: { ca: [certificate.cert] } };
    const stream = await dialer(`rtmps://localhost:${portOf(server)}/live/key`, options)(never);
    expect(String((await once(stream, 'data'))[0])).toBe('rtmps');
    stream.destroy();
    server.close();
  });

  it('rtmpt gives an open tunnel', async () => {
    const tunnel = await ScriptedTunnel.start();
    const stream = await dialer(`rtmpt://127.0.0.1:${tunnel.server.port}/live/key`)(never);
    expect(stream).toBeInstanceOf(TunnelClient);
    expect(tunnel.server.requests[0]!.headers.get('host')).toBe(`127.0.0.1:${tunnel.server.port}`);
    stream.destroy();
    await once(stream, 'close');
    await tunnel.server.close();
  });

  it('rtmpts gives an open tunnel inside TLS', async () => {
    const targets: string[] = [];
    const server = tls.createServer(certificate, (socket) => {
      socket.on('data', (bytes) => {
        targets.push(String(bytes).split(' ', 2)[1]!);
        socket.write(tunnelAnswer(targets.length === 1 ? 'Session1\n' : '\0'));
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const options = { tls: { rejectUnauthorized: false } };
    const stream = await dialer(`rtmpts://127.0.0.1:${portOf(server)}/live/key`, options)(never);
    stream.destroy();
    await once(stream, 'close');
    expect(targets).toEqual(['/open/1', '/close/Session1/0']);
    server.close();
  });

  it.each(['rtmps', 'rtmpts'])(
    '%s gives up on a server that says nothing, in the time it was given',
    async (scheme) => {
      const silent = net.createServer().listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const dial = dialer(`${scheme}://127.0.0.1:${portOf(silent)}/`, { connectTimeoutMs: 30 });
      const error = await dial(never).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TransportError);
      expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT' });
      silent.close();
    },
  );

  it.each(['rtmp', 'rtmps', 'rtmpt', 'rtmpts'])('%s gives up at once when the signal has spoken', async (scheme) => {
    const spoken = AbortSignal.abort(new Error('too late'));
    await expect(dialer(`${scheme}://127.0.0.1:1/`)(spoken)).rejects.toThrow('too late');
  });
});

function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}
