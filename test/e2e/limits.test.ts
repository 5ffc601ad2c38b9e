import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { HttpProbe } from '../support/http-probe.ts';

let gateway: TestGateway;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await gateway.stop();
});

/** Begins RTMP's handshake, and tells whether the gateway takes part; the connection stays open. */
async function shakesHands(): Promise<boolean> {
  const socket = connect(gateway.ports.rtmp, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
  return Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)]);
}

/** The status of an answer; its connection stays open. */
async function visit(path: string): Promise<number> {
  const probe = await HttpProbe.connect(gateway.ports.http);
  sockets.push(probe.socket);
  return (await probe.post(path)).status;
}

/** Whether the gateway says 503 to one more HTTP client, which it reads from beyond all limits. */
const isFull = async () => (await visit('/fcs/ident2')) === 503;

it('limits.connections: so many are open at once, and not one more', async () => {
  gateway = await startGateway({ limits: { connections: 3 } });
  expect([await shakesHands(), await shakesHands(), await visit('/open/1')]).toEqual([true, true, 200]);
  expect(await isFull()).toBe(true);
  sockets.shift()!.destroy();
  await gateway.until(() => gateway.gateway.counts().rtmpConnections === 1);
  expect(await shakesHands()).toBe(true);
});

it('limits.connectionsPerAddress: RTMP connections and tunnel sessions of one address together, and not one more', async () => {
  gateway = await startGateway({ limits: { connectionsPerAddress: 3 }, trustedProxies: [] });
  expect([await shakesHands(), await shakesHands(), await visit('/open/1')]).toEqual([true, true, 200]);
  expect([await shakesHands(), await visit('/open/1')]).toEqual([false, 503]);
  sockets.shift()!.destroy();
  await gateway.until(() => gateway.gateway.counts().rtmpConnections === 1);
  expect(await shakesHands()).toBe(true);
  expect(await visit('/open/1')).toBe(503);
});

it('tunnel.maxSessions: so many sessions, and not one more, while RTMP connections go on being taken', async () => {
  gateway = await startGateway({ tunnel: { maxSessions: 2 } });
  expect([await visit('/open/1'), await visit('/open/1'), await visit('/open/1')]).toEqual([200, 200, 503]);
  expect(await shakesHands()).toBe(true);
});
