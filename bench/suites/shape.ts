import type { Target } from '../load/carrier.ts';
import type { MediaJob, MediaReport } from '../load/job.ts';
import type { Contender } from '../measure/contender.ts';
import { runLoad } from '../measure/load.ts';
import type { Figures } from '../measure/rounds.ts';
import type { RunOptions } from './suite.ts';

/** Seconds beyond the measured ones that bringing everybody up and down may take. */
const SLACK_SECONDS = 40;
const BITS = 8;

/** Who publishes and plays, how, and how much. */
export type Shape = Pick<
  MediaJob,
  'streams' | 'playersPerStream' | 'ramp' | 'kbitPerSecond' | 'window' | 'ownNetStreams' | 'hls'
> & {
  readonly publishers: Target['transport'];
  readonly players: Target['transport'];
};

/** One publisher of 2 Mbit/s and nobody who watches, over rtmp, unless said otherwise. */
export function shape(given: Partial<Shape>): Shape {
  const plain = { publishers: 'rtmp', players: 'rtmp' } as const;
  return { streams: 1, playersPerStream: 0, ramp: 250, kbitPerSecond: 2000, ...plain, ...given };
}

/** Does it to a contender for so many seconds. */
export function play(contender: Contender, { seconds }: RunOptions, given: Shape): Promise<MediaReport> {
  const fixed = { serverPid: contender.pid, framesPerSecond: 30, warmUpSeconds: 2, pollMs: 0, seconds };
  const players = { transport: given.players, port: portOf(contender, given.players) };
  const publishers =
    given.publishers === 'rtmp'
      ? { transport: given.publishers, port: contender.publish }
      : { transport: given.publishers, port: portOf(contender, given.publishers) };
  return runLoad({ kind: 'media', ...fixed, ...given, publishers, players }, seconds + SLACK_SECONDS);
}

function portOf({ rtmp, rtmps, http }: Contender, transport: Target['transport']): number {
  return { rtmp, rtmps, rtmpt: http, rtmpts: 0 }[transport];
}

/** What reached the players, at what cost and how late. */
export function delivery({
  receivedBytes,
  receivedMessages,
  seconds,
  serverCpuSeconds,
  delayMs,
}: MediaReport): Figures {
  return {
    'Mbit/s': (receivedBytes * BITS) / 1e6 / seconds,
    'CPU s': serverCpuSeconds,
    'CPU s/GB': serverCpuSeconds / (receivedBytes / 1e9),
    'µs/message': (serverCpuSeconds * 1e6) / receivedMessages,
    'delay p50 ms': delayMs?.p50,
    'delay p99 ms': delayMs?.p99,
    'delay max ms': delayMs?.max,
  };
}

/** What should be nothing, and the load's own cost. */
export function health({ lost, reordered, damaged, disconnected, loadCpuSeconds }: MediaReport): Figures {
  return { lost, reordered, damaged, disconnected, 'load CPU s': loadCpuSeconds };
}
