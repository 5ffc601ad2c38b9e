import { createServer } from 'node:http';
import type { Server } from 'node:http';
import express from 'express';
import { NO_LOG } from '../../src/log.ts';
import {
  AddressCounter,
  dialer,
  serveTunnelConnection,
  TUNNEL_DEFAULTS,
  tunnelRouter,
  Tunnels,
} from '../../src/transport/index.ts';
import type { DialOptions, DoorDependencies, Handler, HttpArrival, TunnelOptions } from '../../src/transport/index.ts';
import type { Way } from '../conformance/transport.ts';
import { openDoor } from './door-way.ts';

/** Which of the two parsers of the tunnel's HTTP serves: its own, or Node's behind the Express router. */
export type EngineName = 'own' | 'router';

export interface TunnelPort {
  readonly tunnels: Tunnels;
  readonly port: number;
  close(): Promise<void>;
}

type Serve = DoorDependencies['http'];

/** A door whose HTTP connections are served by one engine of the tunnel. */
export async function openTunnelPort(
  engine: EngineName,
  secure: boolean,
  handler: Handler,
  options: Partial<TunnelOptions> = {},
): Promise<TunnelPort> {
  const clients = new AddressCounter({ max: 10_000, maxPerAddress: 10_000 });
  const tunnels = new Tunnels({ ...TUNNEL_DEFAULTS, ...options }, { handler, log: NO_LOG, clients });
  const served = engine === 'own' ? serveByItself(tunnels) : serveByExpress(tunnels);
  const { door, port } = await openDoor(secure, { rtmp: (stream) => void stream.destroy(), http: served.serve });
  const close = async (): Promise<void> => {
    tunnels.destroy();
    door.destroy();
    await served.stop();
  };
  return { tunnels, port, close };
}

/** The same, with the dial that leads there. */
export async function openTunnelWay(
  engine: EngineName,
  secure: boolean,
  handler: Handler,
  options: DialOptions = {},
): Promise<Way> {
  const tunnel = await openTunnelPort(engine, secure, handler);
  const url = `${secure ? 'rtmpts' : 'rtmpt'}://127.0.0.1:${tunnel.port}/`;
  return { dial: dialer(url, { tls: { rejectUnauthorized: false }, ...options }), close: () => tunnel.close() };
}

function serveByItself(tunnels: Tunnels): { serve: Serve; stop(): Promise<void> } {
  const handOver = (socket: { destroy(): unknown }): void => void socket.destroy();
  const serve: Serve = (socket, arrival) => serveTunnelConnection(socket, arrival, { tunnels, log: NO_LOG, handOver });
  return { serve, stop: async () => {} };
}

function serveByExpress(tunnels: Tunnels): { serve: Serve; stop(): Promise<void> } {
  const arrivals = new WeakMap<object, HttpArrival>();
  const app = express();
  app.use(tunnelRouter(tunnels, ({ socket }) => arrivals.get(socket)!));
  const server: Server = createServer({ requireHostHeader: false, keepAliveTimeout: TUNNEL_DEFAULTS.keepAliveMs }, app);
  const serve: Serve = (socket, arrival) => {
    arrivals.set(socket, arrival);
    server.emit('connection', socket);
    socket.resume();
  };
  return { serve, stop: async () => server.closeAllConnections() };
}
