import { once } from 'node:events';
import net from 'node:net';

/** Ports that nobody listens on, all different: for programs that cannot say which one they were given. */
export async function freePorts(count: number): Promise<number[]> {
  // On `::`, so that a port is free for IPv4 and IPv6.
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, '::'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

/** Whether anybody accepts connections there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
