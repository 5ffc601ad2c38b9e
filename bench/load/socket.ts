import net from 'node:net';
import tls from 'node:tls';
import type { Carrier, CarrierEvents } from './carrier.ts';

/** All plain sockets read into this one buffer: no allocation for each read, and nobody keeps what it holds. */
const SHARED = Buffer.alloc(256 * 1024);

/** A connection to a port of this machine: the stream that carries bytes, and the TCP socket under it. */
export interface Opened {
  readonly stream: net.Socket;
  readonly tcp: net.Socket;
}

/** Opens TCP or TLS. Certificates are not verified: the servers are our own children. */
export function openSocket(port: number, secure: boolean, events: CarrierEvents): Opened {
  const opened = secure ? secureSocket(port, events) : plainSocket(port, events);
  const { stream } = opened;
  let reason = 'closed by the server';
  opened.tcp.setNoDelay(true);
  stream.once(secure ? 'secureConnect' : 'connect', () => events.opened());
  stream.on('error', (error) => (reason = error.message));
  stream.on('end', () => stream.destroy());
  stream.on('close', () => events.closed(reason));
  return opened;
}

function plainSocket(port: number, events: CarrierEvents): Opened {
  const callback = (length: number, bytes: Uint8Array) => {
    events.read(bytes as Buffer, 0, length);
    return true;
  };
  const tcp = net.connect({ host: '127.0.0.1', port, onread: { buffer: SHARED, callback } });
  return { stream: tcp, tcp };
}

/**
 * What our TLS clients offer: one strength of cipher and one curve, so that no server under test picks a cheaper one than
 * the others. These are what two OpenSSLs agree on by themselves.
 */
export const TLS_CLIENT = Object.freeze({
  ciphers: 'TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384',
  ecdhCurve: 'X25519:P-256',
  servername: 'localhost',
  rejectUnauthorized: false,
});

function secureSocket(port: number, events: CarrierEvents): Opened {
  const tcp = net.connect({ host: '127.0.0.1', port });
  const stream = tls.connect({ ...TLS_CLIENT, socket: tcp });
  stream.on('data', (bytes: Buffer) => events.read(bytes, 0, bytes.length));
  return { stream, tcp };
}

/** RTMP straight on a socket. */
export class SocketCarrier implements Carrier {
  readonly sockets: Opened;

  constructor(port: number, secure: boolean, events: CarrierEvents) {
    this.sockets = openSocket(port, secure, events);
  }

  write(bytes: Buffer): void {
    this.sockets.stream.write(bytes);
  }

  breakOff(bytes: Buffer, part: number, written: () => void): void {
    this.sockets.stream.write(bytes.subarray(0, part), written);
  }

  close(): void {
    this.sockets.stream.destroy();
  }
}
