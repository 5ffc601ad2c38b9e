import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { SeededRandom } from './random.ts';

export interface BreakingProxy {
  readonly port: number;
  /** Connections that were broken so far. */
  readonly broken: number;
  close(): Promise<void>;
}

/** The longest answer, its request and something to spare. */
const ENOUGH_BYTES = 1_200_000;

/**
 * A TCP proxy on bad days: each connection breaks after a random number of bytes, in the middle of a request, of an answer
 * or between them. What had been read from one side and not written to the other is lost, as in a proxy that fails. One
 * connection in three is reset, the others just end. Every third one
 * lasts for one exchange at least, lest a session that is worth giving up be expected to live.
 */
export async function breakingProxy(target: number, random: SeededRandom): Promise<BreakingProxy> {
  const sockets = new Set<net.Socket>();
  let broken = 0;
  let connections = 0;
  const server = net.createServer({ noDelay: true }, (near) => {
    const far = net.connect({ port: target, host: '127.0.0.1', noDelay: true });
    let budget = 1 + random.int(60_000) + (++connections % 3 === 0 ? ENOUGH_BYTES : 0);
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    const breakOff = (): void => {
      broken++;
      if (random.int(3) === 0) near.resetAndDestroy();
      if (random.int(3) === 0) far.resetAndDestroy();
      end();
    };
    const pass = (from: net.Socket, to: net.Socket): void => {
      from.on('data', (bytes: Buffer) => {
        if (to.destroyed) return;
        to.write(bytes.subarray(0, budget));
        budget -= bytes.length;
        if (budget <= 0) setImmediate(breakOff);
      });
    };
    pass(near, far);
    pass(far, near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => (sockets.delete(socket), end()));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get broken() {
      return broken;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
