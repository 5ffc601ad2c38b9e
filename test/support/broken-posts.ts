import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FloodOptions, FloodResult } from './flood.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { seeded } from './random.ts';
import { request, TunnelConnection, TunnelPublisher } from './tunnel-publisher.ts';
import { watch } from './watcher.ts';

const APP = 'live';
const PICTURE_BYTES = 5_000;

interface BrokenPostsOptions extends Pick<FloodOptions, 'ports' | 'until'> {
  readonly pictures: number;
  /** How the connection with the half body leaves. */
  readonly parting: 'end' | 'reset';
  readonly seed: number;
}

/** So many POSTs, each broken off at another byte and sent again on another connection: every byte arrives once. */
export function describeBrokenPosts(pictures: number, seed: number): void {
  describe('a POST whose body breaks off, sent again on another connection', () => {
    let gateway: TestGateway;

    beforeAll(async () => {
      gateway = await startGateway();
    });
    afterAll(() => gateway?.stop());

    it.each(['end', 'reset'] as const)(
      `brings its bytes once when the first connection leaves by %s, ${pictures} times`,
      async (parting) => {
        const { ports, until } = gateway;
        const tally = await breakPosts({ ports, until, pictures, parting, seed });
        expect(tally).toEqual({ messages: pictures, lost: 0, reordered: 0, damaged: 0 });
      },
    );
  });
}

/**
 * Publishes pictures, each in a POST that breaks off at a random byte and comes again, whole, on a new connection.
 * Resolves to what a player received.
 */
async function breakPosts(options: BrokenPostsOptions): Promise<FloodResult['received']> {
  const { ports, pictures, parting, until } = options;
  const random = seeded(options.seed);
  const stream = `broken-${parting}`;
  const watcher = watch(ports.rtmp, APP, stream);
  const publisher = await TunnelPublisher.start(ports.http, APP, stream);
  let connection = publisher.connection;
  await connection.answered(publisher.next + 1);
  for (let index = 0; index < pictures; index++) {
    const body = publisher.picture(PICTURE_BYTES);
    const whole = request(publisher.sendPath(), body);
    const bodyStart = whole.length - body.length;
    await written(connection, whole.subarray(0, bodyStart + random.int(body.length)));
    await leave(connection, parting);
    connection = await TunnelConnection.to(ports.http);
    connection.socket.write(whole);
    await connection.answered(1);
  }
  await until(() => watcher.tally.messages + watcher.tally.lost >= pictures);
  const { messages, lost, reordered, damaged } = watcher.tally;
  connection.socket.destroy();
  watcher.close();
  return { messages, lost, reordered, damaged };
}

/** Resolves when the kernel has the bytes: before that there is nothing to break off. */
function written({ socket }: TunnelConnection, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => socket.write(bytes, () => resolve()));
}

async function leave({ socket }: TunnelConnection, parting: 'end' | 'reset'): Promise<void> {
  const closed = once(socket, 'close');
  if (parting === 'end') socket.end();
  else socket.resetAndDestroy();
  await closed;
}
