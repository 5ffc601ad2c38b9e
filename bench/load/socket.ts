import net from 'node:net';
import tls from 'node:tls';
import type { Carrier, CarrierEvents } from './carrier.ts';

/** All plain sockets read into this one buffer: no allocation for each read, and nobody keeps what it holds. */
const SHARED = Buffer.alloc(256 * 1024);

/** A TCP or TLS connection to a port of this machine. Certificates are not verified: the servers are our own children. */
export function openSocket(port: number, secure: boolean, events: CarrierEvents): net.Socket {
  const socket = secure ? secureSocket(port, events) : plainSocket(port, events);
  let reason = 'closed by the server';
  socket.setNoDelay(true);
  socket.once(secure ? 'secureConnect' : 'connect', () => events.opened());
  socket.on('error', (error) => (reason = error.message));
  socket.on('end', () => socket.destroy());
  socket.on('close', () => events.closed(reason));
  return socket;
}

function plainSocket(port: number, events: CarrierEvents): net.Socket {
  const callback = (length: number, bytes: Uint8Array) => {
    events.read(bytes as Buffer, 0, length);
    return true;
  };
  return net.connect({ host: '127.0.0.1', port, onread: { buffer: SHARED, callback } });
}

function secureSocket(port: number, events: CarrierEvents): net.Socket {
  const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false });
  return socket.on('data', (bytes: Buffer) => events.read(bytes, 0, bytes.length));
}

/** RTMP straight on a socket. */
export class SocketCarrier implements Carrier {
  readonly #socket: net.Socket;

  constructor(port: number, secure: boolean, events: CarrierEvents) {
    this.#socket = openSocket(port, secure, events);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }
}
