import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../../src/transport/listen.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function server(): Server {
  const made = createServer();
  servers.push(made);
  return made;
}

test('tells where it listens: the port it was given, or a free one', async () => {
  const { host, port } = await listen(server(), { host: '127.0.0.1', port: 0 });
  expect(host).toBe('127.0.0.1');
  expect(port).toBeGreaterThan(0);
});

test('on all addresses when none is named', async () => {
  expect(['::', '0.0.0.0']).toContain((await listen(server(), { port: 0 })).host);
});

test('a port in use is an error that says where, with what the system said behind it', async () => {
  const { port } = await listen(server(), { host: '127.0.0.1', port: 0 });
  const failure = await listen(server(), { host: '127.0.0.1', port }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'CANNOT_LISTEN', cause: { code: 'EADDRINUSE', port } });
  expect(String(failure)).toContain(`cannot listen on 127.0.0.1 port ${port}`);
});
