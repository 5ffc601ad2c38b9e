import { RtmpClient } from '../../bench/load/rtmp-client.ts';
import { encodeMessage } from '../../bench/load/chunks.ts';
import { AVC_CONFIGURATION, frameOf } from '../../bench/load/stamp.ts';
import type { Counts } from '../../src/gateway.ts';
import { EVERY_VISIT, visit, WATCHED } from './departures.ts';
import { startGateway, type TestGateway } from './gateway.ts';

/** What is left in the process: compared before and after the visitors. */
export interface Remains {
  readonly counts: Counts;
  /** Active resources of the event loop (timers, sockets, servers, requests), by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** After garbage collection. */
  readonly heapKiB: number;
  /** Buffers' memory, after garbage collection. */
  readonly buffersKiB: number;
}

export interface Farewell {
  readonly empty: Remains;
  /** After the warm-up: code compiled, tables grown. That takes a thousand visitors or more to come to an end. */
  readonly before: Remains;
  readonly after: Remains;
  /** How many of the visitors got so far as to go as their kind goes. */
  readonly asPlanned: number;
}

const AT_ONCE = 24;
const FRAME_MS = 20;
const MEDIA_CHUNKS = { id: 6, size: 4096 };

/** Run as `node --expose-gc --import tsx farewell-child.ts VISITORS WARM-UP`; prints a Farewell as JSON. */
async function main(visitors: number, warmUp: number): Promise<void> {
  // Short times, so that what a time-out must clear away is cleared away while the test looks.
  const gateway = await startGateway({ core: { grace: '200ms' }, tunnel: { idleTimeout: '1s' } });
  const empty = await remains(gateway);
  await crowd(gateway, warmUp);
  const before = await remains(gateway);
  const asPlanned = await crowd(gateway, visitors);
  const after = await remains(gateway);
  await gateway.stop();
  process.stdout.write(JSON.stringify({ empty, before, after, asPlanned } satisfies Farewell));
}

/** Visitors of every kind in turn, some at a time, while a stream is on. */
async function crowd(gateway: TestGateway, visitors: number): Promise<number> {
  const show = await startShow(gateway);
  let next = 0;
  let asPlanned = 0;
  const usher = async () => {
    while (next < visitors) {
      const index = next++;
      const kind = EVERY_VISIT[index % EVERY_VISIT.length]!;
      const port = {
        rtmp: gateway.ports.rtmp,
        rtmpt: gateway.ports.http,
        rtmps: gateway.ports.https,
        rtmpts: gateway.ports.https,
      };
      const came = await visit(kind, port[kind.scheme], kind.role === 'play' ? WATCHED.stream : `visitor-${index}`);
      if (came) asPlanned += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, usher));
  show.stop();
  return asPlanned;
}

/** The publisher that the players come for. */
function startShow(gateway: TestGateway): Promise<{ stop(): void }> {
  return new Promise((resolve, reject) => {
    const target = { transport: 'rtmp', port: gateway.ports.rtmp } as const;
    const wish = { target, ...WATCHED, role: 'publish', tunnel: { pollMs: 0, answered: () => {} } } as const;
    const client: RtmpClient = new RtmpClient(wish, { ready: () => resolve(show()), media: () => {}, lost: reject });
    const show = () => {
      let time = 0;
      client.write(encodeMessage(9, client.streamId, 0, AVC_CONFIGURATION, MEDIA_CHUNKS));
      const timer = setInterval(() => {
        time += FRAME_MS;
        client.write(encodeMessage(9, client.streamId, time, frameOf(2_000, true), MEDIA_CHUNKS));
      }, FRAME_MS);
      return {
        stop: () => {
          clearInterval(timer);
          client.close();
        },
      };
    };
  });
}

/** Waits until the gateway counts nobody and the event loop's resources stay the same, then weighs what is left. */
async function remains(gateway: TestGateway): Promise<Remains> {
  await gateway.until(() => Object.values(gateway.gateway.counts()).every((count) => count === 0), 30_000);
  let last = '';
  let since = Date.now();
  await gateway.until(() => {
    const now = JSON.stringify(resources());
    if (now !== last) since = Date.now();
    last = now;
    return Date.now() - since > 300;
  }, 30_000);
  for (let round = 0; round < 4; round++) {
    globalThis.gc!();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    counts: gateway.gateway.counts(),
    // As they had settled: once a second the files of certificates are looked at.
    resources: JSON.parse(last) as Record<string, number>,
    heapKiB: Math.round(heapUsed / 1024),
    buffersKiB: Math.round(arrayBuffers / 1024),
  };
}

function resources(): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo().sort()) {
    // Immediates are the turn that is just running, and where the result goes is no business of the gateway's.
    if (kind === 'Immediate' || kind === 'PipeWrap' || kind === 'TTYWrap') continue;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

const [visitors, warmUp] = process.argv.slice(2).map(Number);
await main(visitors!, warmUp!);
