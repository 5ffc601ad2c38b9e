import { describe, expect, it } from 'vitest';
import { SegmentWindow } from '../../../src/delivery/hls/segment-window.ts';
import { FairShare } from '../../../src/hub/index.ts';
import type { PartPlan } from '../../../src/delivery/hls/part-plan.ts';
import { mediaPlaylist } from '../../../src/delivery/hls/playlist.ts';
import { faultsIn, readMediaPlaylist } from '../../support/hls-validator.ts';

const TRACKS = { video: undefined, audio: undefined };
const MUXED = { init: Buffer.from('init'), data: Buffer.alloc(1000) };

function windowOf(window = 3, memory = new FairShare(1e9), maxBytes = 1e9): SegmentWindow {
  return new SegmentWindow({ window, maxBytes, partMs: 333, birth: 7_000, discontinuities: 0 }, memory);
}

/** One segment of six parts. */
function fill(into: SegmentWindow, { parts = 6, closes = true, breaks = 0, opens = true } = {}): void {
  for (let i = 0; i < parts; i++) {
    const first = i === 0;
    const plan: PartPlan = {
      ...{
        tracks: TRACKS,
        video: [],
        audio: [],
        start: 0,
        duration: 333,
        delay: 0,
        independent: first,
        holdsKeyframe: first,
      },
      ...{ opens: first && opens, closes: closes && i === parts - 1 },
    };
    into.add(plan, MUXED, 0, breaks);
  }
}

const options = { prefix: 'v0', lowLatency: true, skip: false };
const read = (of: SegmentWindow, more = {}) => readMediaPlaylist(mediaPlaylist(of.view(), { ...options, ...more }));

describe('the segment window', () => {
  it('shows the window and keeps as many segments that have left it', () => {
    const kept = windowOf();
    for (let i = 0; i < 10; i++) fill(kept);
    const { mediaSequence, segments } = read(kept);
    expect([mediaSequence, segments.length]).toEqual([14, 3]);
    expect(kept.segment(10)).toBeDefined();
    expect(kept.segment(9)).toBeUndefined();
  });

  it('counts discontinuities that have left the playlist', () => {
    const kept = windowOf();
    fill(kept);
    fill(kept, { breaks: 2 });
    expect(read(kept)).toMatchObject({ discontinuitySequence: 0 });
    // Two at once: in another rendition there was something in between.
    expect(read(kept).segments.map(({ discontinuities }) => discontinuities)).toEqual([0, 2]);
    for (let i = 0; i < 3; i++) fill(kept, { breaks: 2 });
    expect(read(kept)).toMatchObject({ discontinuitySequence: 2 });
  });

  it('hints at the part that comes next, in this segment or the next', () => {
    const kept = windowOf();
    fill(kept);
    expect(read(kept).hint).toBe('v0-8.0.m4s');
    fill(kept, { parts: 2, closes: false });
    expect(read(kept).hint).toBe('v0-8.2.m4s');
    expect(read(kept).tail.length).toBe(2);
    expect(faultsIn(read(kept))).toEqual([]);
  });

  it('knows what is there: segments, parts, and what is past', () => {
    const kept = windowOf();
    fill(kept);
    fill(kept, { parts: 2, closes: false });
    expect([kept.has(7, undefined), kept.has(8, undefined), kept.has(8, 1), kept.has(8, 2), kept.has(9, 0)]).toEqual([
      ...[true, false, true, false, false],
    ]);
    expect([kept.tip, kept.isPast(8, 1), kept.isPast(8, 2)]).toEqual([{ sequence: 8, part: 1 }, true, false]);
  });

  it('takes a part behind the last one of a segment for the first of the next', () => {
    const kept = windowOf();
    fill(kept);
    expect([kept.has(7, 5), kept.has(7, 6), kept.isPast(7, 6)]).toEqual([true, false, true]);
    fill(kept, { parts: 1, closes: false });
    expect(kept.has(7, 6)).toBe(true);
  });

  it.each([
    [6, false],
    [7, false],
    [8, true],
  ])('offers delta updates only where one could ever leave something out: %i segments, %s', (window, offers) => {
    const kept = windowOf(window);
    kept.settleTarget(2);
    for (let i = 0; i < 20; i++) fill(kept);
    expect('CAN-SKIP-UNTIL' in read(kept).control).toBe(offers);
    expect(read(kept, { skip: true }).skipped > 0).toBe(offers);
  });

  it('reports where other playlists end, and not once it has ended itself', () => {
    const kept = windowOf();
    fill(kept);
    const reports = [{ uri: 'v1.m3u8', sequence: 12, part: 3 }];
    expect(read(kept, { reports }).reports).toEqual([{ URI: 'v1.m3u8', 'LAST-MSN': '12', 'LAST-PART': '3' }]);
    expect(read(kept, { reports, lowLatency: false }).reports).toEqual([]);
    kept.end();
    expect(read(kept, { reports }).reports).toEqual([]);
  });

  it('keeps to the part target that it has settled', () => {
    const kept = windowOf();
    kept.settlePart(0.35);
    kept.settlePart(0.5);
    fill(kept);
    expect(read(kept).partTarget).toBe(0.35);
  });

  it('leaves out of a delta update what is older than the boundary', () => {
    const kept = windowOf(20);
    for (let i = 0; i < 12; i++) fill(kept);
    const whole = read(kept);
    const delta = read(kept, { skip: true });
    expect(delta.skipped).toBe(5);
    // Its first one needs an initialisation and a date of its own.
    expect(delta.segments[0]).toMatchObject({ init: expect.stringContaining('init'), date: 0 });
    const bare = ({ segments }: typeof delta) => segments.map((segment) => ({ ...segment, init: '', date: undefined }));
    expect(bare(delta)).toEqual(bare(whole).slice(5));
    expect(Number(whole.control['CAN-SKIP-UNTIL'])).toBe(12);
  });

  it('says that it is over, and hints at nothing then', () => {
    const kept = windowOf();
    fill(kept, { closes: false });
    kept.end();
    expect(read(kept)).toMatchObject({ ended: true, hint: undefined });
    expect(read(kept).segments.length).toBe(1);
  });

  it('lists no parts where low latency is not wanted', () => {
    const kept = windowOf();
    fill(kept);
    fill(kept, { parts: 2, closes: false });
    const text = mediaPlaylist(kept.view(), { ...options, lowLatency: false });
    expect(text).not.toMatch(/PART|PRELOAD|SERVER-CONTROL/);
    expect(readMediaPlaylist(text).segments.length).toBe(1);
  });

  it('lets go of the oldest at its own bound, and of more than its share at the common one', () => {
    const own = windowOf(10, new FairShare(1e9), 13_000);
    for (let i = 0; i < 5; i++) fill(own);
    expect(own.bytes).toBeLessThanOrEqual(13_000);
    const memory = new FairShare(20_000);
    const [large, small] = [windowOf(10, memory), windowOf(10, memory)];
    fill(small);
    for (let i = 0; i < 5; i++) fill(large);
    expect(memory.bytes).toBeLessThanOrEqual(20_000);
    expect(small.bytes).toBe(6_000);
    large.clear();
    small.clear();
    expect(memory.bytes).toBe(0);
  });
});
