import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';

/** Where a scripted client goes: a door of the gateway on this machine, in TLS or not. */
export interface Gate {
  readonly port: number;
  readonly secure: boolean;
}

/** What a publisher publishes, or a player wants, under which name. */
export interface StreamTarget {
  readonly app: string;
  readonly name: string;
}

/** A connected socket. Errors are the business of whoever waits for data: here they only must not end the process. */
export async function connectTo({ port, secure }: Gate): Promise<net.Socket> {
  const host = '127.0.0.1';
  const socket = secure ? tls.connect({ host, port, rejectUnauthorized: false }) : net.connect({ host, port });
  socket.setNoDelay(true).on('error', () => {});
  await Promise.race([
    once(socket, secure ? 'secureConnect' : 'connect'),
    once(socket, 'close').then(() => Promise.reject(new Error('could not connect'))),
  ]);
  return socket;
}
