import { afterAll, beforeAll, it } from 'vitest';
import type { Scheme } from '../../src/transport/index.ts';
import { makeClip, playToEnd, type Clip } from './clip.ts';
import { expectUnchanged, type Packets } from './packets.ts';

export const SCHEMES: readonly Scheme[] = ['rtmp', 'rtmps', 'rtmpt', 'rtmpts'];

/** FFmpeg's tunnel writer discards what it has not flushed when it ends: fewer than `rtmp_flush_interval` (10) packets. */
export const TAIL_LOST_BY_FFMPEG: Record<Scheme, number> = { rtmp: 0, rtmps: 0, rtmpt: 10, rtmpts: 10 };

/** Something to publish to and play from. */
export interface Venue {
  url(scheme: Scheme, path: string): string;
  /** Resolves once so many wait for `live/` and this name. */
  awaitPlayers(name: string, count: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * FFmpeg publishes over each transport, and plays each stream over each: every packet arrives, unchanged. Players come
 * first; they end when the stream does.
 */
export function describeSixteenPairs(open: () => Promise<Venue>): void {
  let venue: Venue;
  let clip: Clip;
  const results = new Map<string, Packets>();

  beforeAll(async () => {
    clip = await makeClip(4);
    venue = await open();
    await Promise.all(SCHEMES.map((scheme) => publishToPlayers(scheme)));
  }, 60_000);

  afterAll(async () => {
    await venue?.stop();
    await clip?.remove();
  });

  async function publishToPlayers(publisher: Scheme): Promise<void> {
    const players = SCHEMES.map((scheme) => ({
      name: `${publisher}-${scheme}`,
      played: playToEnd(venue.url(scheme, `live/${publisher}`)),
    }));
    await venue.awaitPlayers(publisher, players.length);
    await clip.publish(venue.url(publisher, `live/${publisher}`));
    for (const { name, played } of players) results.set(name, await played);
  }

  for (const publisher of SCHEMES) {
    for (const player of SCHEMES) {
      it(`packets published over ${publisher} arrive over ${player} unchanged and contiguous`, () => {
        const received = results.get(`${publisher}-${player}`)!;
        expectUnchanged(received, clip.packets, TAIL_LOST_BY_FFMPEG[publisher]);
      });
    }
  }
}
