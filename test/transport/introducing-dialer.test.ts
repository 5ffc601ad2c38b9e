import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NO_LOG } from '../../src/log.ts';
import { Bridge, introducingDialer, type Peer } from '../../src/transport/index.ts';
import { readProxyHeader } from '../../src/transport/proxy-header.ts';
import { listenTcp } from '../support/bridge-rig.ts';
import { makeTestCertificate } from '../support/certificate.ts';
import { memoryPair } from '../support/memory-link.ts';
import { takeBytes } from '../support/streams.ts';

const never = new AbortController().signal;
const PEER: Peer = { scheme: 'rtmp', secure: false, address: '192.0.2.7', port: 4711, id: 'c-1' };
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listen() {
  const server = await listenTcp();
  closing.push(() => server.close());
  return server;
}

describe('a dial that says whom it is for', () => {
  it.each(['v1', 'v2'] as const)('puts %s before the first byte, in one segment with it', async (version) => {
    const server = await listen();
    const dial = introducingDialer(`rtmp://127.0.0.1:${server.port}`, version);
    const bridge = new Bridge({ dial, whenDown: (stream) => void stream.destroy(), log: NO_LOG });
    closing.push(() => bridge.destroy());
    const [client, ours] = memoryPair();
    client.on('error', () => {});
    client.write(Buffer.from([3, 1, 2, 3]));
    const reached = server.next();
    bridge.handle(ours, PEER);
    const [first] = (await once(await reached, 'data')) as [Buffer];
    expect(readProxyHeader(first)).toMatchObject({
      client: { address: '192.0.2.7', port: 4711 },
      destination: { address: '127.0.0.1', port: server.port },
      length: first.length - 4,
    });
    expect([...first.subarray(-4)]).toEqual([3, 1, 2, 3]);
    client.destroy();
  });

  it('says nobody is meant when it is only asked whether the server lives', async () => {
    const server = await listen();
    for (const [version, words] of [
      ['v1', 'PROXY UNKNOWN\r\n'],
      ['v2', '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0'],
    ] as const) {
      const reached = server.next();
      const stream = await introducingDialer(`rtmp://127.0.0.1:${server.port}`, version)(never);
      expect((await takeBytes(await reached, words.length)).toString('latin1')).toBe(words);
      stream.destroy();
    }
  });

  it('says it before TLS begins, to RTMPS servers', async () => {
    const certificate = await makeTestCertificate();
    const headers: object[] = [];
    const secure = tls.createServer(certificate, (socket) => socket.on('error', () => {}).end('inside'));
    const server = net.createServer((raw) => {
      raw.once('readable', () => {
        const bytes = raw.read() as Buffer;
        const header = readProxyHeader(bytes);
        if (!('length' in header)) throw new Error('no whole header');
        headers.push(header);
        raw.unshift(bytes.subarray(header.length));
        secure.emit('connection', raw);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    const options = { tls: { ca: [certificate.cert] } };
    const stream = await introducingDialer(`rtmps://localhost:${port}`, 'v2', options)(never, PEER);
    expect((await takeBytes(stream, 6)).toString()).toBe('inside');
    expect(headers).toMatchObject([{ client: { address: '192.0.2.7', port: 4711 } }]);
    stream.destroy();
  });

  it('gives up on an RTMPS server that does not answer, and leaves nothing open', async () => {
    const server = await listen();
    const dial = introducingDialer(`rtmps://127.0.0.1:${server.port}`, 'v1', { connectTimeoutMs: 30 });
    await expect(dial(never, PEER)).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' });
    await vi.waitFor(() => {
      server.sockets[0]?.resume().end();
      expect(server.sockets[0]?.closed).toBe(true);
    });
  });
});
