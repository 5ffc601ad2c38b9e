import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { formatReply } from '../../src/transport/rtmpt/reply.ts';
import type { RefusalStatus } from '../../src/transport/rtmpt/reply.ts';
import { WEB_DEFAULTS, WebServer } from '../../src/web/server.ts';
import type { WebServerOptions } from '../../src/web/server.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** A listening port that takes the first `taken` bytes off each connection before it hands it over. */
async function open(app: RequestListener, options: Partial<WebServerOptions> = {}, taken = 1) {
  const web = new WebServer(app, { ...WEB_DEFAULTS, ...options });
  await web.start();
  const door: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    const look = () => {
      const first = socket.read(taken) as Buffer | null;
      if (first === null) return;
      socket.removeListener('readable', look);
      socket.unshift(first);
      web.adopt(socket);
    };
    socket.on('readable', look);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  cleanUps.push(() => (web.destroy(), door.close()));
  return { web, dial: () => dial((door.address() as AddressInfo).port) };
}

/** A client that keeps all it receives. */
async function dial(port: number) {
  const socket: Socket = connect(port, '127.0.0.1');
  cleanUps.push(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk));
  const until = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(received)) await once(socket, 'data');
    return received;
  };
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
  return { socket, until, closed };
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const hello: RequestListener = (_, response) => void response.end('hello');

test.each([1, 4, REQUEST.length])('serves a connection of which %d bytes had been read', async (taken) => {
  const { web, dial } = await open(hello, {}, taken);
  const { socket, until } = await dial();
  socket.write(REQUEST);
  await until(/hello$/);
  socket.write(REQUEST);
  await until(/hello[^]*hello$/);
  expect(web.connections).toBe(1);
});

test('answers a client that closed its half right behind its request', async () => {
  const late: RequestListener = (_, response) => void setImmediate(() => response.end('hello'));
  const { dial } = await open(late);
  const { socket, closed } = await dial();
  socket.end(REQUEST);
  expect(await closed).toMatch(/hello$/);
});

test('reads the bytes put back before the ones that come later', async () => {
  const bodies: string[] = [];
  const { dial } = await open((request, response) => {
    request.setEncoding('latin1').on('data', (text: string) => bodies.push(text));
    request.on('end', () => response.end('done'));
  });
  const { socket, until } = await dial();
  const message = 'POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabcdef';
  for (const byte of message) {
    socket.write(byte);
    await new Promise(setImmediate);
  }
  await until(/done$/);
  expect(bodies.join('')).toBe('abcdef');
});

test('takes requests without a Host header, and HTTP/1.0', async () => {
  const { dial } = await open(hello);
  const { socket, until } = await dial();
  socket.write('GET / HTTP/1.1\r\n\r\n');
  expect(await until(/hello$/)).toContain('200 OK');
  socket.write('GET / HTTP/1.0\r\n\r\n');
  await until(/hello[^]*hello$/);
});

test('ends a connection whose head does not come in time: the time-out works for adopted connections', async () => {
  const { web, dial } = await open(hello, { headTimeoutMs: 300 });
  const { socket, closed } = await dial();
  socket.write('GET / HT');
  expect(await closed).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  await web.stop();
  expect(web.connections).toBe(0);
});

test('ends a request of which nothing comes any more', async () => {
  const { dial } = await open(() => {}, { stallTimeoutMs: 100 });
  const { socket, closed } = await dial();
  socket.write('POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc');
  expect(await closed).toBe('');
});

test.each([
  ['what is not HTTP', 'GARBAGE\r\n\r\n', 400],
  ['two lengths', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
  ['a head beyond the limit', `GET / HTTP/1.1\r\nX: ${'x'.repeat(17 * 1024)}\r\n\r\n`, 431],
])("refuses %s as the tunnel's own engine does, and ends the connection", async (_, message, status) => {
  const { dial } = await open(hello);
  const { socket, closed } = await dial();
  socket.on('end', () => socket.end());
  socket.write(message);
  expect(await closed).toBe(formatReply(status as RefusalStatus, false, '').toString('latin1'));
});

test('takes a head just below the limit', async () => {
  const { dial } = await open(hello);
  const { socket, until } = await dial();
  socket.write(`GET / HTTP/1.1\r\nX: ${'x'.repeat(16 * 1024 - 100)}\r\n\r\n`);
  expect(await until(/hello$/)).toContain('200 OK');
});

test('adds nothing to an answer that is on the line when nonsense follows', async () => {
  const { dial } = await open((_, response) => void response.writeHead(200, { 'Content-Length': 5 }).write('he'));
  const { socket, until, closed } = await dial();
  socket.write(REQUEST);
  await until(/he$/);
  socket.write('GARBAGE\r\n\r\n');
  expect(await closed).toMatch(/he$/);
});

test('answers 32 requests in one piece', async () => {
  const { dial } = await open((request, response) => void response.end(request.url));
  const { socket, until } = await dial();
  socket.write(Array.from({ length: 32 }, (_, i) => `GET /${i}. HTTP/1.1\r\n\r\n`).join(''));
  const received = await until(/31\.$/);
  expect(received.match(/\d+\.(?=HTTP|$)/g)).toEqual(Array.from({ length: 32 }, (_, i) => `${i}.`));
});

test('ends a connection that asks for more than that before it takes an answer, and reads no further', async () => {
  let asked = 0;
  let read = 0;
  const count = () => void read++;
  subscribe('http.server.request.start', count);
  cleanUps.push(() => void unsubscribe('http.server.request.start', count));
  const { web, dial } = await open((_, response) => void (asked++, response.end('x'.repeat(10_000))));
  const { socket, closed } = await dial();
  socket.write(REQUEST.repeat(2_000));
  await closed;
  expect({ asked, read }).toEqual({ asked: 32, read: 33 });
  expect(web.connections).toBe(0);
});

test('stop closes idle connections and lets answers under way reach their end', async () => {
  let began: (finish: () => void) => void;
  const begun = new Promise<() => void>((resolve) => (began = resolve));
  const big = 'x'.repeat(4_000_000);
  const { web, dial } = await open((request, response) => {
    if (request.url === '/slow') began(() => response.end(big));
    else response.end('hello');
  });
  const idle = await dial();
  idle.socket.write(REQUEST);
  await idle.until(/hello$/);
  const busy = await dial();
  busy.socket.write('GET /slow HTTP/1.1\r\n\r\n');
  const finish = await begun;
  const stopped = web.stop();
  await idle.closed;
  finish();
  expect((await busy.closed).endsWith(big)).toBe(true);
  await stopped;
  expect(web.connections).toBe(0);
});

test('stop resolves at once when there is nothing to wait for', async () => {
  const { web } = await open(hello);
  await web.stop();
  await web.stop();
});

test('destroy ends everything at once', async () => {
  const { web, dial } = await open(() => {});
  const { socket, closed } = await dial();
  socket.write(REQUEST);
  while (web.connections === 0) await new Promise(setImmediate);
  web.destroy();
  await closed;
});

test('does not take a connection that is gone already', async () => {
  const { web } = await open(hello);
  const { Socket } = await import('node:net');
  web.adopt(new Socket().destroy());
  expect(web.connections).toBe(0);
});
