import { Player } from '../../bench/load/player.ts';
import { newTally, type Tally } from '../../bench/load/tally.ts';

/** A plain RTMP player that counts what it gets by the stamps of the load generator. */
export interface Watcher {
  readonly tally: Tally;
  close(): void;
}

export function watch(port: number, app: string, stream: string): Watcher {
  const tally = newTally();
  const target = { transport: 'rtmp', port } as const;
  const wish = { target, app, stream, role: 'play', tunnel: { pollMs: 0, answered: () => {} } } as const;
  const player = new Player(wish, tally, () => {});
  return { tally, close: () => player.client.close() };
}
