import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialer } from '../../src/transport/index.ts';
import type { Handler, TunnelClientOptions } from '../../src/transport/index.ts';
import type { TunnelPort } from '../support/tunnel-way.ts';
import { breakingProxy } from '../support/breaking-proxy.ts';
import { seeded } from '../support/random.ts';
import { closed, digestOf, pattern, takeBytes, writeAll } from '../support/streams.ts';

const BYTES = 4_000_000;
/** Longer than all pauses before a repetition together. */
const STALLED_MS = 4_000;

/**
 * The tunnel's promise when the network breaks, between our own client and a server: however often connections die, and
 * wherever, each byte arrives once and in order.
 */
export function describeFaults(name: string, open: (handler: Handler) => Promise<TunnelPort>): void {
  describe(`${name} through a network that breaks`, () => {
    let arrived: (stream: Duplex) => void;
    let tunnel: TunnelPort;

    beforeAll(async () => {
      tunnel = await open((stream) => {
        stream.on('error', () => {});
        arrived(stream);
      });
    });

    afterAll(() => tunnel.close());

    async function exchange(seed: number, options: Partial<TunnelClientOptions>): Promise<void> {
      const proxy = await breakingProxy(tunnel.port, seeded(seed));
      const arrival = new Promise<Duplex>((resolve) => (arrived = resolve));
      const dial = dialer(`rtmpt://127.0.0.1:${proxy.port}/`, { tunnel: { maxSendBytes: 20_000, ...options } });
      const client = await untilOpen(dial);
      const broken = new Promise<never>((_resolve, reject) => client.once('error', reject));
      broken.catch(() => {});
      client.write('hello');
      const server = await Promise.race([arrival, broken]);
      await takeBytes(server, 5);
      const watch = watchProgress([client, server]);
      const work = Promise.all([
        writeAll(client, pattern(BYTES, 3_000, seed)),
        writeAll(server, pattern(BYTES, 7_000, seed + 1)),
        digestOf(server, BYTES),
        digestOf(client, BYTES),
      ]);
      const [up, down, heardUp, heardDown] = await Promise.race([work, broken, watch.stalled]).finally(() =>
        watch.stop(),
      );
      expect(heardUp).toEqual(up);
      expect(heardDown).toEqual(down);
      expect(proxy.broken).toBeGreaterThan(3);
      client.destroy();
      server.destroy();
      await Promise.all([closed(client), closed(server)]);
      await proxy.close();
    }

    it.each([1, 2, 3, 4])('carries every byte once, with one request at a time (seed %i)', async (seed) => {
      await exchange(seed, {});
    });

    it.each([11, 12, 13])('carries every byte once, with two at a time (seed %i)', async (seed) => {
      await exchange(seed, { requestsInFlight: 2 });
    });
  });
}

/** `stalled` rejects when nothing has arrived at any of the streams for so long that it never will: a byte was lost. */
function watchProgress(streams: readonly Duplex[]): { stalled: Promise<never>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing has arrived for ${STALLED_MS} ms`)), STALLED_MS);
  });
  stalled.catch(() => {});
  for (const stream of streams) stream.on('data', () => timer?.refresh());
  return { stalled, stop: () => clearTimeout(timer) };
}

/** The proxy may break the first connection as well: an open that fails is simply begun again. */
async function untilOpen(dial: (signal: AbortSignal) => Promise<Duplex>): Promise<Duplex> {
  for (;;) {
    const stream = await dial(new AbortController().signal).catch(() => undefined);
    if (stream) return stream;
  }
}
