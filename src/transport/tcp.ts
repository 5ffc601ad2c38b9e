import net from 'node:net';
import { TransportError } from '../errors.ts';
import { keep } from './slab.ts';

export interface Target {
  /** A name or an IP literal (IPv6 without brackets). */
  readonly host: string;
  readonly port: number;
}

/**
 * What every connection of ours has. `noDelay`: RTMP's commands are small and each waits for the last one's answer.
 * `allowHalfOpen`: what the other side says after it has ended its own reading is for the reader to judge.
 * Keep-alive: a connection whose other side vanished without a word must be found out some day.
 */
export const SOCKET_OPTIONS = Object.freeze({
  noDelay: true,
  allowHalfOpen: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
});

/** Connects, or rejects with `TransportError` (`CONNECT_FAILED`) or the signal's reason. */
export async function connectTcp({ host, port }: Target, signal: AbortSignal): Promise<net.Socket> {
  return connected(net.connect({ ...SOCKET_OPTIONS, host, port }), { host, port }, signal);
}

/** Sockets read into it, one after the other: what is read is copied out at once. As much as libuv reads at a time. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/** The same for whoever writes on what it reads, and gives its memory back when it is written (`release`). */
export async function connectFrugally({ host, port }: Target, signal: AbortSignal): Promise<net.Socket> {
  const callback = (length: number): boolean => socket.push(keep(READ_BUFFER.subarray(0, length)));
  const onread = { buffer: READ_BUFFER, callback };
  const socket: net.Socket = net.connect({ ...SOCKET_OPTIONS, host, port, onread });
  return connected(socket, { host, port }, signal);
}

async function connected(socket: net.Socket, target: Target, signal: AbortSignal): Promise<net.Socket> {
  await ready(socket, 'connect', signal, (cause) => connectFailed(target, cause));
  return socket;
}

/** Waits until a socket that is being connected has emitted `event`; one that fails or is given up is destroyed. */
export function ready(
  socket: net.Socket,
  event: string,
  signal: AbortSignal,
  failure: (cause: Error) => Error,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      signal.removeEventListener('abort', abort);
      socket.off(event, settle).off('close', closed);
      if (error === undefined) socket.off('error', failed);
      if (error === undefined) return resolve();
      // The error listener stays: a socket may fail once more while it is being destroyed.
      socket.destroy();
      reject(error);
    };
    const failed = (cause: Error): void => settle(failure(cause));
    const closed = (): void => settle(failure(new Error('the connection was closed')));
    const abort = (): void => settle(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    socket
      .once(event, () => settle())
      .on('error', failed)
      .once('close', closed);
  });
}

function connectFailed({ host, port }: Target, cause: Error): TransportError {
  return new TransportError('CONNECT_FAILED', `no connection to ${host} port ${port}: ${reasonOf(cause)}`, { cause });
}

/** Several addresses of one name fail as one error without words of its own. */
export function reasonOf(cause: Error): string {
  if (cause instanceof AggregateError) return cause.errors.map((error: Error) => error.message).join(', ');
  return cause.message;
}
