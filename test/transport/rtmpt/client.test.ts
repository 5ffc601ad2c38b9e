import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RemoteError, TransportError } from '../../../src/errors.ts';
import { cuts } from '../../support/feed.ts';
import { scriptedServer, tunnelAnswer } from '../../support/http-script.ts';
import { seeded } from '../../support/random.ts';
import { takeBytes } from '../../support/streams.ts';
import { cleanups, open, opened, received, start } from '../../support/tunnel-client.ts';

describe('a session', () => {
  it('opens, numbers all its requests from 0, sends what was written and closes', async () => {
    const tunnel = await start();
    const client = await opened(tunnel);
    client.write('hello ');
    client.end('world');
    await once(client.resume(), 'close');
    expect(received(tunnel)).toBe('hello world');
    const [open, ...rest] = tunnel.asked;
    expect(open).toBe('/open/1');
    expect(rest.map((path) => Number(path.split('/').at(-1)))).toEqual(rest.map((_, i) => i));
    expect(rest.at(-1)).toMatch(/^\/close\//);
    await expect.poll(() => tunnel.server.sockets.size).toBe(0);
  });

  it('sends all that one turn wrote in one request, a large write in several up to the cap', async () => {
    const tunnel = await start();
    const client = await opened(tunnel);
    for (const letter of 'abc') client.write(letter);
    client.end(Buffer.alloc(150_000, 'x'));
    await once(client.resume(), 'close');
    expect(tunnel.received.map((body) => body.length)).toEqual([65536, 65536, 150_003 - 131_072]);
    expect(received(tunnel).slice(0, 4)).toBe('abcx');
  });

  it('asks for more as soon as data came, without pause', async () => {
    const tunnel = await start();
    tunnel.pollingByte = 0xff;
    const client = await opened(tunnel);
    tunnel.output.push(Buffer.from('one'));
    expect((await takeBytes(client, 3)).toString()).toBe('one');
    // The byte asks for four seconds between idles; only the empty answer may count.
    tunnel.output.push(Buffer.from('two'));
    expect((await takeBytes(client, 3)).toString()).toBe('two');
  });

  it('is woken from its pause by something to send, and its answer brings what waited', async () => {
    const tunnel = await start();
    tunnel.pollingByte = 0xff;
    const client = await opened(tunnel);
    client.write('a');
    await expect.poll(() => received(tunnel)).toBe('a');
    tunnel.output.push(Buffer.from('reply'));
    client.write('b');
    expect((await takeBytes(client, 5)).toString()).toBe('reply');
    expect(tunnel.asked.filter((path) => path.startsWith('/idle')).length).toBeLessThanOrEqual(1);
  });

  it('lets the reader answer what it read before it polls again', async () => {
    const tunnel = await start();
    const client = await opened(tunnel);
    client.on('data', (bytes: Buffer) => client.write(`${bytes.toString()} yourself`));
    tunnel.output.push(Buffer.from('hello'));
    await expect.poll(() => received(tunnel)).toBe('hello yourself');
    expect(tunnel.asked.slice(0, 3)).toEqual(['/open/1', '/idle/0', '/send/1']);
  });

  it('ends beside a poll that the server holds, on another connection', async () => {
    const tunnel = await start(({ target }) => target.startsWith('/idle'));
    const client = await opened(tunnel);
    client.resume();
    await expect.poll(() => tunnel.asked).toContain('/idle/0');
    client.end('bye');
    await once(client, 'close');
    expect(received(tunnel)).toBe('bye');
    expect(tunnel.asked.slice(1)).toEqual(['/idle/0', '/send/1', '/close/2']);
  });

  it('says goodbye when it is destroyed', async () => {
    const tunnel = await start();
    const client = await opened(tunnel);
    client.destroy();
    await once(client, 'close');
    expect(tunnel.closed).toBe(true);
    await expect.poll(() => tunnel.server.sockets.size).toBe(0);
  });

  it('says goodbye on another connection when its own waits for an answer', async () => {
    const tunnel = await start(({ target }) => target.startsWith('/idle'));
    const client = await opened(tunnel);
    client.resume();
    await expect.poll(() => tunnel.asked).toContain('/idle/0');
    client.destroy();
    await once(client, 'close');
    expect(tunnel.closed).toBe(true);
    expect(tunnel.server.requests.at(-1)!.connection).toBe(1);
  });
});

describe('two requests in flight', () => {
  it('send beside a held idle, on a connection of their own', async () => {
    let held: (() => void) | undefined;
    const tunnel = await start((request, socket, self) => {
      if (request.target.endsWith('/idle/Session1/0')) {
        held = () => socket.write(self.answer(request));
        return true;
      }
      if (request.target.includes('/send/')) held?.();
      return false;
    });
    const client = await opened(tunnel, { requestsInFlight: 2 });
    client.resume();
    await expect.poll(() => held).toBeDefined();
    client.end('now');
    await once(client, 'close');
    expect(received(tunnel)).toBe('now');
    expect(tunnel.asked.slice(0, 3)).toEqual(['/open/1', '/idle/0', '/send/1']);
    expect(tunnel.server.requests[2]!.connection).toBe(1);
  });

  it('pass answers on in the order of their numbers, whichever came first', async () => {
    const late: (() => void)[] = [];
    const tunnel = await start((request, socket) => {
      const number = request.target.split('/')[3];
      if (number === '0') {
        late.push(() => socket.write(tunnelAnswer('\x01first ')));
        return true;
      }
      if (number !== '1') return false;
      socket.write(tunnelAnswer('\x01second'), () => setImmediate(() => late.forEach((answer) => answer())));
      return true;
    });
    const client = await opened(tunnel, { requestsInFlight: 2 });
    client.resume().pause();
    await expect.poll(() => late.length).toBe(1);
    client.write('x');
    expect((await takeBytes(client, 12)).toString()).toBe('first second');
  });

  it('do not run ahead of a number that is still to be answered', async () => {
    // The server remembers the answers of its last numbers only; the repetition must still find its own.
    let repeated: (() => void) | undefined;
    const tunnel = await start((request, socket, self) => {
      if (!request.target.endsWith('/send/Session1/0')) return false;
      if (request.connection === 0) socket.destroy();
      else repeated = () => socket.write(self.answer(request));
      return true;
    });
    const client = await opened(tunnel, { requestsInFlight: 2, maxSendBytes: 10 });
    client.end(Buffer.alloc(100, 'x'));
    await expect.poll(() => repeated).toBeDefined();
    await expect.poll(() => tunnel.received.length).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(tunnel.received.length).toBe(1);
    repeated?.();
    await once(client.resume(), 'close');
    expect(received(tunnel)).toBe('x'.repeat(100));
  });
});

describe('answers that come oddly', () => {
  it.each([1, 2, 3])('may be split at any byte (seed %i)', async (seed) => {
    const random = seeded(seed);
    const tunnel = await start((request, socket, self) => {
      void drip(socket, cuts(self.answer(request), random));
      return true;
    });
    const client = await opened(tunnel);
    const down = random.bytes(3000);
    for (let at = 0; at < down.length; at += 500) tunnel.output.push(down.subarray(at, at + 500));
    expect((await takeBytes(client, down.length)).equals(down)).toBe(true);
    client.end('up');
    await once(client.resume(), 'close');
    expect(received(tunnel)).toBe('up');
  });

  it('may each close their connection', async () => {
    const tunnel = await start((request, socket, self) => {
      socket.end(self.answer(request, ['Connection: close']));
      return true;
    });
    const client = await opened(tunnel);
    tunnel.output.push(Buffer.from('down'));
    client.write('up');
    expect((await takeBytes(client, 4)).toString()).toBe('down');
    client.end();
    await once(client.resume(), 'close');
    expect(received(tunnel)).toBe('up');
    expect(tunnel.server.requests.map(({ connection }) => connection)).toEqual(tunnel.server.requests.map((_, i) => i));
  });

  it('may come in chunks from a server of another make', async () => {
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => {
        const [, command] = (request.url ?? '').split('/');
        response.setHeader('Content-Type', 'application/x-fcs');
        response.write(command === 'open' ? '7' : '\x05');
        response.end(command === 'open' ? '7\r\n' : command === 'send' ? 'reply' : undefined);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
    const client = await open((server.address() as AddressInfo).port);
    cleanups.push(() => client.destroy());
    client.write('x');
    expect((await takeBytes(client, 5)).toString()).toBe('reply');
  });

  it('may have an empty body, which counts as nothing to say', async () => {
    let empty = 0;
    const tunnel = await start((request, socket) => {
      if (!request.target.startsWith('/idle') || empty++ > 0) return false;
      socket.write(tunnelAnswer(''));
      return true;
    });
    const client = await opened(tunnel);
    client.resume().pause();
    await expect.poll(() => empty).toBeGreaterThan(0);
    tunnel.output.push(Buffer.from('after'));
    expect((await takeBytes(client, 5)).toString()).toBe('after');
  });
});

describe('opening', () => {
  it.each([
    ['404 Not Found', RemoteError, 'TUNNEL_NOT_FOUND'],
    ['503 Service Unavailable', RemoteError, 'TUNNEL_BUSY'],
    ['403 Forbidden', RemoteError, 'TUNNEL_REFUSED'],
    ['200 OK', TransportError, 'TUNNEL_BAD_ANSWER'],
  ])('fails plainly on %s', async (status, kind, code) => {
    const server = await scriptedServer((_request, socket) => socket.write(tunnelAnswer('<html>', [], status)));
    cleanups.push(() => server.close());
    const error = await open(server.port).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ code });
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  it('fails when the server hangs up without a word, and does not try again', async () => {
    const server = await scriptedServer((_request, socket) => socket.destroy());
    cleanups.push(() => server.close());
    await expect(open(server.port)).rejects.toMatchObject({ code: 'TUNNEL_CONNECTION_LOST' });
    expect(server.requests).toHaveLength(1);
  });

  it('can be given up, with the reason of whoever gave up', async () => {
    const server = await scriptedServer(() => {});
    cleanups.push(() => server.close());
    const abort = new AbortController();
    const opening = open(server.port, {}, abort.signal);
    await expect.poll(() => server.requests.length).toBe(1);
    abort.abort(new Error('changed my mind'));
    await expect(opening).rejects.toThrow('changed my mind');
    await expect.poll(() => server.sockets.size).toBe(0);
    await expect(open(server.port, {}, abort.signal)).rejects.toThrow('changed my mind');
  });
});

describe('back-pressure', () => {
  it('of a reader that does not read ends the polling, and reading starts it again', async () => {
    const tunnel = await start();
    const client = await opened(tunnel);
    for (let i = 0; i < 4; i++) tunnel.output.push(Buffer.alloc(64 * 1024, i));
    client.resume().pause();
    await expect.poll(() => client.readableLength).toBeGreaterThan(0);
    tunnel.output.push(Buffer.alloc(1000, 9));
    const asked = tunnel.asked.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(tunnel.asked.length).toBe(asked);
    expect((await takeBytes(client, 4 * 64 * 1024 + 1000)).at(-1)).toBe(9);
  });

  it('of a reader that does not read leaves a poll now and then, lest the session expire', async () => {
    const tunnel = await start();
    const client = await opened(tunnel, { keepAliveMs: 20, maxUnreadBytes: 200_000 });
    tunnel.output.push(Buffer.alloc(100_000));
    client.resume().pause();
    await expect.poll(() => client.readableLength).toBe(100_000);
    const asked = tunnel.asked.length;
    await expect.poll(() => tunnel.asked.length).toBeGreaterThan(asked + 2);
    tunnel.output.push(Buffer.alloc(100_000));
    await expect.poll(() => client.readableLength).toBe(200_000);
  });

  it('of a reader that does not read ends the sending too, at the limit of what is unread', async () => {
    const tunnel = await start();
    const client = await opened(tunnel, { maxUnreadBytes: 1000 });
    tunnel.output.push(Buffer.alloc(1000));
    client.resume().pause();
    await expect.poll(() => client.readableLength).toBe(1000);
    client.write('waits');
    await new Promise((resolve) => setImmediate(resolve));
    expect(received(tunnel)).toBe('');
    await takeBytes(client, 1000);
    await expect.poll(() => received(tunnel)).toBe('waits');
  });

  it('of a server that answers late makes the writer wait, with one send and a bit in memory', async () => {
    const waiting: (() => void)[] = [];
    const tunnel = await start((request, socket, self) => {
      if (!request.target.includes('/send/')) return false;
      waiting.push(() => socket.write(self.answer(request)));
      return true;
    });
    const client = await opened(tunnel, { maxSendBytes: 10_000 });
    let written = 0;
    while (client.write(Buffer.alloc(1000)) && written < 1_000_000) written += 1000;
    await expect.poll(() => waiting.length).toBe(1);
    expect(written).toBeLessThan(150_000);
    const release = setInterval(() => waiting.shift()?.(), 0);
    cleanups.push(() => clearInterval(release));
    await once(client, 'drain');
    client.end();
    await once(client.resume(), 'close');
    expect(Buffer.concat(tunnel.received)).toHaveLength(written + 1000);
  });
});

async function drip(socket: net.Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    await new Promise((resolve) => socket.write(piece, () => setImmediate(resolve)));
  }
}
