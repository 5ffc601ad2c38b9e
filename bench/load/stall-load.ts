import net from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import type { StallJob, StallReport } from './job.ts';
import { TLS_CLIENT } from './socket.ts';

/** A ClientHello as this process would send it. */
export function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read: () => {},
      write: (bytes: Buffer, _encoding, done) => {
        done();
        resolve(bytes);
      },
    });
    tls.connect({ ...TLS_CLIENT, socket });
  });
}

/** Holds so many half-open handshakes; whichever the server gives up is begun anew. */
export async function runStalls({ port, connections, delaySeconds, seconds }: StallJob): Promise<StallReport> {
  const hello = await clientHello();
  await sleep(delaySeconds * 1000);
  const standing = new Set<net.Socket>();
  const seen = { standing: 0, ended: 0 };
  let isOver = false;
  const begin = (bytes: Buffer): void => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      standing.add(socket);
      seen.standing = Math.max(seen.standing, standing.size);
      socket.write(bytes);
    });
    // What the server says must be read, or its end is not heard.
    socket.resume();
    socket.on('error', () => {});
    socket.once('close', () => {
      if (isOver) return;
      standing.delete(socket);
      seen.ended += 1;
      begin(bytes);
    });
  };
  for (let index = 0; index < connections; index++) {
    begin(index % 2 === 0 ? hello.subarray(0, hello.length >> 1) : hello);
  }
  await sleep(seconds * 1000);
  isOver = true;
  for (const socket of standing) socket.destroy();
  return seen;
}
