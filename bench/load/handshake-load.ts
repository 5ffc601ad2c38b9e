import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import type { HandshakeJob, HandshakeReport } from './job.ts';
import { TLS_CLIENT } from './socket.ts';
import { measure } from './window.ts';

interface Seen {
  handshakes: number;
  otherwise: number;
  failed: number;
  readonly reasons: Set<string>;
}

/** Handshake after handshake, some at a time, each on a connection of its own. */
export async function runHandshakes(job: HandshakeJob): Promise<HandshakeReport> {
  const seen: Seen = { handshakes: 0, otherwise: 0, failed: 0, reasons: new Set() };
  const ticket = job.resumed ? await firstTicket(job) : undefined;
  const state = { isOver: false };
  const lanes = Array.from({ length: job.concurrency }, async () => {
    while (!state.isOver) await shakeHands(job, ticket, seen);
  });
  await sleep(job.warmUpSeconds * 1000);
  Object.assign(seen, { handshakes: 0, otherwise: 0, failed: 0 });
  const finish = measure(job.serverPid);
  await sleep(job.seconds * 1000);
  const report = { ...finish(), ...seen, reasons: [...seen.reasons] };
  state.isOver = true;
  await Promise.all(lanes);
  return report;
}

function dial({ port, version }: HandshakeJob, session?: Buffer): tls.TLSSocket {
  const versions = { minVersion: version, maxVersion: version } as const;
  return tls.connect({ ...TLS_CLIENT, ...versions, host: '127.0.0.1', port, ...(session && { session }) });
}

/** TLS 1.3 brings its tickets behind the handshake (RFC 8446, 4.6.1), TLS 1.2 within it. */
async function firstTicket(job: HandshakeJob): Promise<Buffer> {
  const socket = dial(job);
  const [ticket] = (await once(socket, 'session')) as [Buffer];
  socket.destroy();
  return ticket;
}

/** Until the connection is gone from both sides. */
function shakeHands(job: HandshakeJob, ticket: Buffer | undefined, seen: Seen): Promise<void> {
  return new Promise((resolve) => {
    const socket = dial(job, ticket);
    socket.once('secureConnect', () => {
      seen.handshakes += 1;
      if (socket.isSessionReused() !== job.resumed) seen.otherwise += 1;
      socket.end();
    });
    socket.resume();
    socket.on('error', ({ message }) => {
      seen.failed += 1;
      seen.reasons.add(message);
    });
    socket.once('close', () => resolve());
  });
}
