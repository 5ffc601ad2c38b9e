import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Scheme } from '../../src/transport/index.ts';
import { expectUnchanged, makeSource, packetsOf, parseFrameHashes, type Packets } from './packets.ts';
import { run } from './programs.ts';

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
  let folder: string;
  let source: Packets;
  const results = new Map<string, Packets>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    await makeSource(join(folder, 'source.flv'), 4);
    source = await packetsOf(join(folder, 'source.flv'));
    venue = await open();
    await Promise.all(SCHEMES.map((scheme) => publishToPlayers(scheme)));
  }, 60_000);

  afterAll(async () => {
    await venue?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function publishToPlayers(publisher: Scheme): Promise<void> {
    const players = SCHEMES.map((scheme) => ({ name: `${publisher}-${scheme}`, running: play(publisher, scheme) }));
    await venue.awaitPlayers(publisher, players.length);
    const input = ['-v', 'error', '-re', '-i', join(folder, 'source.flv')];
    const target = venue.url(publisher, `live/${publisher}`);
    const { code, stderr } = await run('ffmpeg', [...input, '-c', 'copy', '-f', 'flv', target]).finished;
    expect(code, stderr).toBe(0);
    for (const { name, running } of players) {
      results.set(name, parseFrameHashes((await running.finished).stdout.toString()));
    }
  }

  const play = (publisher: Scheme, scheme: Scheme) =>
    run(
      'ffmpeg',
      ['-v', 'error', '-i', venue.url(scheme, `live/${publisher}`), '-c', 'copy', '-f', 'framemd5', '-'],
      40_000,
    );

  for (const publisher of SCHEMES) {
    for (const player of SCHEMES) {
      it(`packets published over ${publisher} arrive over ${player} unchanged and contiguous`, () => {
        const received = results.get(`${publisher}-${player}`)!;
        expectUnchanged(received, source, TAIL_LOST_BY_FFMPEG[publisher]);
      });
    }
  }
}
