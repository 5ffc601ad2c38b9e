import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './support/gateway.ts';

let server: TestGateway;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.stop();
});

/** The status line's code of a new connection's first answer; the connection stays open. */
async function visit(): Promise<number> {
  const socket = connect(server.ports.http, '127.0.0.1');
  sockets.push(socket);
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return Number(answer.toString('latin1', 9, 12));
}

async function visits(count: number): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < count) statuses.push(await visit());
  return statuses;
}

const limits = { connections: 12, connectionsPerAddress: 1 };

test('one address may hold a quarter of all connections, even if each has served a request', async () => {
  server = await startGateway({ limits, trustedProxies: [] });
  expect(await visits(4)).toEqual([200, 200, 200, 503]);
  sockets[0]!.destroy();
  await server.until(() => server.gateway.counts().webConnections === 2);
  expect(await visit()).toBe(200);
});

test('a trusted proxy may hold all of them', async () => {
  server = await startGateway({ limits });
  expect(await visits(12)).toEqual(Array.from({ length: 12 }, () => 200));
});
