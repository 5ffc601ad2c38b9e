import { describe, expect, it } from 'vitest';
import { HLS_DEFAULTS } from '../../../src/delivery/index.ts';
import { SegmentWindow } from '../../../src/delivery/hls/segment-window.ts';
import type { PartPlan } from '../../../src/delivery/hls/part-plan.ts';
import type { Rendition } from '../../../src/delivery/hls/rendition.ts';
import { Show, type Answer } from '../../../src/delivery/hls/show.ts';
import type { HlsStream } from '../../../src/delivery/hls/stream.ts';
import { Waiting, type Asker } from '../../../src/delivery/hls/waiting.ts';
import { FairShare } from '../../../src/hub/index.ts';

const ASKER: Asker = { now: 0, isGone: () => false };
const TRACKS = { video: undefined, audio: undefined };
const PART: PartPlan = {
  ...{ tracks: TRACKS, video: [], audio: [], start: 0, duration: 333, delay: 0 },
  ...{ independent: true, holdsKeyframe: true, opens: true, closes: true },
};
const MUXED = { init: Buffer.from('init'), data: Buffer.alloc(1000) };

/** A stream with one rendition of one segment, to which more may be added. */
function show() {
  const options = { window: 3, maxBytes: 1e9, partMs: 333, birth: 7_000, discontinuities: 0 };
  const window = new SegmentWindow(options, new FairShare(1e9));
  const add = (more: Partial<PartPlan> = {}) => window.add({ ...PART, ...more }, MUXED, 0, 0);
  const rendition = {
    name: 'v0',
    window,
    tracks: TRACKS,
    promise: () => window.settleTarget(4),
  } as Partial<Rendition>;
  const ranges: string[] = [];
  const packager = { renditions: new Map([['v0', rendition]]), dateRanges: () => ranges, isMixed: () => false };
  const stream = { packager, revision: 0, publishing: true };
  add();
  const waiting = new Waiting(10);
  const of = new Show(stream as unknown as HlsStream, waiting, HLS_DEFAULTS, 0);
  return { of, stream, ranges, add, waiting };
}

const RELOAD = { sequence: undefined, part: undefined, skip: false };

function shared(answer: Answer) {
  if (!('playlist' in answer)) throw new Error(`no playlist: ${answer.status}`);
  return answer.playlist;
}

describe('what those get who ask for a stream', () => {
  it('is one playlist for all of them until something is added', async () => {
    const { of, add } = show();
    const ask = async () => shared(await of.playlist('v0', RELOAD, ASKER));
    const first = await ask();
    expect(await ask()).toBe(first);
    add();
    const second = await ask();
    expect(second).not.toBe(first);
    expect(second.text).toContain('v0-8.m4s');
    expect(await ask()).toBe(second);
  });

  it('is another one when something has changed beside it, such as an ad marker', async () => {
    const { of, stream, ranges } = show();
    const ask = async () => shared(await of.playlist('v0', RELOAD, ASKER));
    await ask();
    ranges.push('#EXT-X-DATERANGE:ID="1"');
    stream.revision++;
    expect((await ask()).text).toContain('DATERANGE');
  });

  it('waits for three target durations, but no longer than proxies wait for an answer', async () => {
    for (const [target, patience] of [
      [4, 12_000],
      [30, 50_000],
    ] as const) {
      const { of, waiting } = show();
      of.stream.packager.renditions.get('v0')!.window.settleTarget(target);
      const answer = of.playlist('v0', { ...RELOAD, sequence: 9 }, ASKER);
      await new Promise(setImmediate);
      waiting.tick(patience - 1);
      expect(waiting.count).toBe(1);
      waiting.tick(patience);
      expect(await answer).toEqual({ status: 503 });
    }
  });
});
