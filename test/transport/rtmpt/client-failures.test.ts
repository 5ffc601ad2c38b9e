import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { RemoteError, TransportError } from '../../../src/errors.ts';
import { cuts } from '../../support/feed.ts';
import { tunnelAnswer } from '../../support/http-script.ts';
import { seeded } from '../../support/random.ts';
import type { Habit } from '../../support/scripted-tunnel.ts';
import { takeBytes } from '../../support/streams.ts';
import { opened, received, start } from '../../support/tunnel-client.ts';

/* How the tunnel's client takes failures: of connections, which it mends, and of the session, which it tells. */

describe('a connection that dies', () => {
  /** Breaks every third request in one of the ways a network has; the request may have been processed or not. */
  function breaking(random: ReturnType<typeof seeded>): Habit {
    let count = 0;
    return (request, socket, self) => {
      if (request.target.startsWith('/open') || count++ % 3 !== 0) return false;
      const way = random.int(4);
      if (way === 0) socket.resetAndDestroy();
      if (way === 1) socket.end();
      if (way === 2) {
        self.answer(request);
        socket.destroy();
      }
      if (way === 3) {
        const answer = self.answer(request);
        socket.end(answer.subarray(0, random.int(answer.length)));
      }
      return true;
    };
  }

  it.each([1, 2, 3, 4])('costs no byte in either direction and doubles none (seed %i)', async (seed) => {
    const random = seeded(seed);
    const tunnel = await start(breaking(random));
    const client = await opened(tunnel, { maxSendBytes: 1000, quietMs: 0 });
    const up = random.bytes(20_000);
    const down = random.bytes(20_000);
    for (let at = 0; at < down.length; at += 1000) tunnel.output.push(down.subarray(at, at + 1000));
    const arrived = takeBytes(client, down.length);
    for (const piece of cuts(up, random)) if (!client.write(piece)) await once(client, 'drain');
    expect((await arrived).equals(down)).toBe(true);
    client.end();
    await once(client.resume(), 'close');
    expect(Buffer.concat(tunnel.received).equals(up)).toBe(true);
  });

  it('is replaced when it dies between two requests', async () => {
    const tunnel = await start();
    tunnel.pollingByte = 0x10;
    const client = await opened(tunnel);
    client.resume();
    await expect.poll(() => tunnel.asked).toContain('/idle/0');
    for (const socket of tunnel.server.sockets) socket.destroy();
    client.end('still here');
    await once(client, 'close');
    expect(received(tunnel)).toBe('still here');
  });

  it('is repeated under the same number when the answer does not come in time', async () => {
    const tunnel = await start(({ target, connection }) => target.includes('/send/') && connection === 0);
    const client = await opened(tunnel, { sendTimeoutMs: 20 });
    client.end('once');
    await once(client.resume(), 'close');
    expect(received(tunnel)).toBe('once');
    expect(tunnel.asked.slice(0, 3)).toEqual(['/open/1', '/send/0', '/send/0']);
  });

  it('ends the tunnel with TransportError when no other can be had for long enough', async () => {
    const tunnel = await start();
    const client = await opened(tunnel, { giveUpMs: 30 });
    await tunnel.server.close();
    client.write('x');
    const [error] = (await once(client, 'error')) as [TransportError];
    expect(error).toBeInstanceOf(TransportError);
    expect(error.code).toBe('TUNNEL_LOST');
    expect(error.message).not.toContain('Session1');
  });

  it('is tried again after a proxy said that it could not reach the tunnel', async () => {
    let failures = 0;
    const tunnel = await start(({ target }, socket) => {
      if (!target.includes('/send/') || failures++ > 1) return false;
      const page = '<html>Bad Gateway</html>';
      socket.write(
        `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
      );
      return true;
    });
    const client = await opened(tunnel);
    client.end('through');
    await once(client.resume(), 'close');
    expect(received(tunnel)).toBe('through');
    expect(failures).toBeGreaterThan(1);
  });
});

describe('the session ends on the other side', () => {
  it('with everything it said, then the end', async () => {
    const tunnel = await start();
    const client = await opened(tunnel);
    tunnel.output.push(Buffer.from('last '), Buffer.from('words'));
    tunnel.ended = true;
    expect((await everything(client)).toString()).toBe('last words');
    if (!client.closed) await once(client, 'close');
    expect(tunnel.closed).toBe(false);
  });

  it('and bytes that it no longer took are an error, but only after everything was read', async () => {
    const tunnel = await start();
    const client = await opened(tunnel);
    tunnel.output.push(Buffer.from('no, thank you'));
    tunnel.ended = true;
    const events: string[] = [];
    client.on('error', (error: TransportError) => events.push(error.code));
    client.on('end', () => events.push('end'));
    client.write('request');
    expect((await takeBytes(client, 13)).toString()).toBe('no, thank you');
    client.write('more');
    await new Promise((resolve) => client.resume().on('close', resolve));
    expect(events).toEqual(['end', 'TUNNEL_ENDED']);
  });

  it('with 503, when its RTMP server cannot be reached', async () => {
    const tunnel = await start(({ target }, socket) => {
      if (!target.includes('/send/')) return false;
      socket.end(tunnelAnswer('', ['Connection: close'], '503 Service Unavailable'));
      return true;
    });
    const client = await opened(tunnel);
    client.write('x');
    const [error] = (await once(client, 'error')) as [RemoteError];
    expect(error).toBeInstanceOf(RemoteError);
    expect(error.code).toBe('TUNNEL_BUSY');
    expect(tunnel.asked).not.toContain('/close/1');
  });

  it('with something that is no HTTP', async () => {
    const tunnel = await start(({ target }, socket) => {
      if (target.startsWith('/open')) return false;
      socket.write('\x16\x03\x01 surprise\r\n\r\n');
      return true;
    });
    const client = await opened(tunnel);
    client.write('x');
    const [error] = (await once(client, 'error')) as [TransportError];
    expect(error).toMatchObject({ code: 'TUNNEL_BAD_ANSWER' });
  });

  it('with an answer beyond the limit', async () => {
    const tunnel = await start();
    const client = await opened(tunnel, { maxAnswerBytes: 100 });
    tunnel.output.push(Buffer.alloc(99));
    expect(await takeBytes(client, 99)).toHaveLength(99);
    tunnel.output.push(Buffer.alloc(100));
    client.resume();
    expect((await once(client, 'error'))[0]).toMatchObject({ code: 'TUNNEL_BAD_ANSWER' });
  });
});

async function everything(client: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of client) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
