import { describe, expect, it } from 'vitest';
import type { PartPlan } from '../../../src/delivery/hls/part-plan.ts';
import { MAX_SEGMENT_MS } from '../../../src/delivery/hls/cut-rule.ts';
import { MAX_PART_BYTES, MAX_SEGMENT_BYTES, Segmenter } from '../../../src/delivery/hls/segmenter.ts';
import type { AudioConfig, VideoConfig } from '../../../src/media/index.ts';

const VIDEO: VideoConfig = {
  codec: 'avc',
  codecString: 'avc1.42c01e',
  width: 320,
  height: 240,
  description: undefined,
};
const AUDIO: AudioConfig = {
  ...{ codec: 'aac', codecString: 'mp4a.40.2', sampleRate: 48_000, channels: 2 },
  ...{ description: Buffer.from([0x11, 0x90]), packetSamples: 1024 },
};
const OPTIONS = { partMs: 333, segmentMs: 2_000 };
const DATA = Buffer.alloc(10);

/** Pictures in decoding order with B-frames: each fourth one is shown after the three that follow it. */
function reordered(index: number): number {
  return index % 4 === 1 ? index + 3 : index === 0 || index % 4 === 0 ? index - (index === 0 ? 0 : 1) : index - 1;
}

function run(
  seconds: number,
  { fps = 30, gop = 60, order = (index: number) => index, sound = true, tracks = {} } = {},
): PartPlan[] {
  const segmenter = new Segmenter({ video: VIDEO, audio: sound ? AUDIO : undefined, ...tracks }, OPTIONS);
  const plans: (PartPlan | undefined)[] = [];
  let heard = 0;
  for (let i = 0; i < seconds * fps; i++) {
    const dts = Math.round((i * 1000) / fps);
    const pts = Math.round((order(i) * 1000) / fps) + 100;
    while (sound && heard < dts + 100) {
      plans.push(segmenter.addAudio({ data: DATA, at: heard, duration: 64 / 3 }));
      heard += 64 / 3;
    }
    plans.push(segmenter.addVideo({ data: DATA, isKeyframe: i % gop === 0, dts, pts }));
  }
  plans.push(segmenter.flush());
  return plans.filter((plan) => plan !== undefined);
}

describe('the segmenter', () => {
  it.each([24, 25, 30, 50, 60])('makes parts of one length at %i pictures a second, segments of two seconds', (fps) => {
    const plans = run(10, { fps, gop: 2 * fps });
    const inner = plans.filter(({ closes }, index) => !closes && index > 0);
    const longest = Math.max(...plans.slice(0, -1).map(({ duration }) => duration));
    for (const { duration } of inner) expect(duration).toBeGreaterThan(0.85 * longest);
    expect(longest).toBeLessThan(360);
    expect(plans.filter(({ opens }) => opens).map(({ start }) => start)).toEqual([100, 2100, 4100, 6100, 8100]);
  });

  it('loses no picture and no packet that belongs to one, and leaves no gap between parts', () => {
    const plans = run(6);
    expect(plans.reduce((sum, { video }) => sum + video.length, 0)).toBe(180);
    for (const [index, { start, duration }] of plans.slice(0, -1).entries()) {
      expect(plans[index + 1]!.start).toBeCloseTo(start + duration, 6);
    }
    const sounds = plans.flatMap(({ audio }) => audio.map(({ at }) => at));
    for (const [index, at] of sounds.slice(1).entries()) expect(at - sounds[index]!).toBeCloseTo(64 / 3, 6);
  });

  it('cuts only where no picture of one part is shown after one of the next', () => {
    const plans = run(6, { order: reordered, gop: 1_000 });
    expect(plans.length).toBeGreaterThan(10);
    for (const [index, { video }] of plans.slice(1).entries()) {
      const before = Math.max(...plans[index]!.video.map(({ at }) => at));
      expect(Math.min(...video.map(({ at }) => at))).toBeGreaterThan(before);
    }
  });

  it('knows how far apart keyframes are when its first segment ends', () => {
    const segmenter = new Segmenter({ video: VIDEO, audio: undefined }, OPTIONS);
    const closes = Array.from({ length: 51 }, (_, i) =>
      segmenter.addVideo({ data: DATA, isKeyframe: i % 50 === 0, dts: i * 40, pts: i * 40 }),
    );
    expect(closes.at(-1)).toMatchObject({ closes: true });
    expect(segmenter.rule.keyInterval).toBe(2_000);
  });

  it('begins with a keyframe and tells where decoding can start', () => {
    const segmenter = new Segmenter({ video: VIDEO, audio: undefined }, OPTIONS);
    segmenter.addVideo({ data: DATA, isKeyframe: false, dts: 0, pts: 0 });
    segmenter.addVideo({ data: DATA, isKeyframe: true, dts: 40, pts: 40 });
    expect(segmenter.flush()).toMatchObject({ start: 40, independent: true, opens: true, closes: true });
    const plans = run(4);
    expect(plans.filter(({ independent }) => independent).length).toBe(2);
  });

  it('ends a segment without a keyframe rather than break the promise of its length', () => {
    const segmenter = new Segmenter({ video: VIDEO, audio: undefined }, OPTIONS);
    segmenter.rule.maxSegmentMs = 2_400;
    const plans: PartPlan[] = [];
    for (let i = 0; i < 300; i++) {
      const at = i * 40;
      const plan = segmenter.addVideo({ data: DATA, isKeyframe: i === 0, dts: at, pts: at });
      if (plan !== undefined) plans.push(plan);
    }
    const starts = plans.filter(({ opens }) => opens).map(({ start }) => start);
    expect(starts.length).toBeGreaterThan(3);
    for (const [index, start] of starts.slice(1).entries()) expect(start - starts[index]!).toBeLessThanOrEqual(2_400);
  });

  it.each([
    ...[24, 25, 30, 50, 60].flatMap((fps) => [0.4, 0.5, 1, 2].map((seconds) => [fps, seconds, false] as const)),
    // Four pictures at a time behind the keyframe.
    ...[25, 30, 50, 60].map((fps) => [fps, (Math.floor(fps / 2) * 4 + 1) / fps, true] as const),
  ])(
    'makes no part too short or too long: %i pictures a second, a keyframe each %f s, B-frames %s',
    (fps, seconds, isReordered) => {
      const segmenter = new Segmenter({ video: VIDEO, audio: undefined }, OPTIONS);
      const plans: PartPlan[] = [];
      const [gop, step] = [Math.round(fps * seconds), 1000 / fps];
      for (let i = 0; i < 20 * fps; i++) {
        const order = isReordered ? i - (i % gop) + reordered(i % gop) : i;
        const picture = { data: DATA, dts: Math.round(i * step), pts: Math.round((order + 3) * step) };
        const plan = segmenter.addVideo({ ...picture, isKeyframe: i % gop === 0 });
        if (plan !== undefined) plans.push(plan);
      }
      const target = segmenter.rule.promisePart();
      expect(target).toBeLessThan(0.5 * 1000);
      expect(Math.max(...plans.map(({ duration }) => duration))).toBeLessThanOrEqual(target);
      const short = plans.filter(
        ({ duration, closes, holdsKeyframe }) => !closes && !holdsKeyframe && duration < 0.85 * target,
      );
      expect(short.map(({ duration }) => duration)).toEqual([]);
      expect(
        plans.reduce((sum, { video }) => sum + video.filter(({ isKeyframe }) => isKeyframe).length, 0),
      ).toBeGreaterThan(8);
    },
  );

  it.each([
    [MAX_SEGMENT_MS - 40, 1],
    [MAX_SEGMENT_MS, 2],
  ])('ends its first segment after %i ms without a second keyframe: %i segments', (ms, segments) => {
    const segmenter = new Segmenter({ video: VIDEO, audio: undefined }, OPTIONS);
    const plans: (PartPlan | undefined)[] = [];
    for (let at = 0; at <= ms; at += 40) {
      plans.push(segmenter.addVideo({ data: DATA, isKeyframe: at === 0, dts: at, pts: at }));
    }
    plans.push(segmenter.flush());
    const opening = plans.filter((plan) => plan?.opens === true);
    expect(opening.map((plan) => plan!.independent)).toEqual([true, false].slice(0, segments));
  });

  it.each([
    [MAX_SEGMENT_BYTES - 2 * 256, 1],
    [MAX_SEGMENT_BYTES - 2 * 256 + 1, 2],
  ])('ends a segment of %i bytes where the next picture begins: %i segments', (bytes, segments) => {
    const segmenter = new Segmenter({ video: VIDEO, audio: undefined }, OPTIONS);
    const add = (at: number, length: number) =>
      segmenter.addVideo({ data: new Uint8Array(length), isKeyframe: at === 0, dts: at, pts: at });
    const plans = [add(0, 1), add(40, bytes - 1), add(80, 1), segmenter.flush()];
    expect(plans.filter((plan) => plan?.opens === true).length).toBe(segments);
  });

  it('says how much later pictures are shown than decoded, the same until an interruption', () => {
    const first = (pts: number, rest: readonly number[]) => {
      const segmenter = new Segmenter({ video: VIDEO, audio: undefined }, OPTIONS);
      for (const [index, shown] of [pts, ...rest].entries()) {
        segmenter.addVideo({ data: DATA, isKeyframe: index === 0, dts: index * 40, pts: shown });
      }
      return segmenter.flush()!.delay;
    };
    expect(first(80, [120, 160])).toBe(80);
    // A publisher whose times of decoding are those of showing, in order: the order itself tells.
    expect(first(0, [160, 80, 40, 120])).toBe(80);
    expect(new Set(run(6, { order: reordered }).map(({ delay }) => delay)).size).toBe(1);
  });

  it('goes on by sound alone while pictures are missing', () => {
    const segmenter = new Segmenter({ video: VIDEO, audio: AUDIO }, OPTIONS);
    segmenter.addVideo({ data: DATA, isKeyframe: true, dts: 0, pts: 0 });
    const plans: PartPlan[] = [];
    for (let at = 0; at < 8_000; at += 20) {
      const plan = segmenter.addAudio({ data: DATA, at, duration: 20 });
      if (plan !== undefined) plans.push(plan);
    }
    expect(plans.length).toBeGreaterThan(10);
  });

  it('ends its segment where it is interrupted', () => {
    const segmenter = new Segmenter({ video: VIDEO, audio: undefined }, OPTIONS);
    segmenter.addVideo({ data: DATA, isKeyframe: true, dts: 0, pts: 0 });
    expect(segmenter.interrupt({ video: VIDEO, audio: AUDIO })).toMatchObject({ closes: true });
    segmenter.addVideo({ data: DATA, isKeyframe: true, dts: 500, pts: 500 });
    expect(segmenter.flush()).toMatchObject({ opens: true, tracks: { audio: AUDIO } });
  });

  it.each([
    ['stand still', 0, 100_000],
    ['go back', -1, 100_000],
    ['stand still, of a few bytes each', 0, 1],
  ])('does not keep pictures without end whose times %s', (_, step, size) => {
    const segmenter = new Segmenter({ video: VIDEO, audio: undefined }, OPTIONS);
    const data = Buffer.alloc(size);
    let [at, most] = [1_000_000, 0];
    for (let i = 0; i < 500_000; i++) {
      at += step;
      segmenter.addVideo({ data, isKeyframe: i % 30 === 0, dts: at, pts: at });
      most = Math.max(most, segmenter.bytes);
    }
    expect(most).toBeLessThanOrEqual(MAX_SEGMENT_BYTES + MAX_PART_BYTES);
    // Time that goes on again is cut again.
    const plans: (PartPlan | undefined)[] = [];
    for (let i = 0; i < 60; i++) {
      plans.push(
        segmenter.addVideo({ data: DATA, isKeyframe: i === 0, dts: 2_000_000 + i * 40, pts: 2_000_000 + i * 40 }),
      );
    }
    expect(plans.filter((plan) => plan !== undefined).length).toBeGreaterThan(4);
  });
});
