import { describe, expect, it } from 'vitest';
import { VideoSense } from '../../src/hub/keyframe-gate.ts';
import { GOP_DEFAULTS, Outbox, OUTBOX_DEFAULTS, type OutboxLimits } from '../../src/hub/index.ts';
import { frameFromMessage, type Frame } from '../../src/media/index.ts';
import { Decoder, Source, type SourceShape } from '../support/decoder.ts';
import {
  aacHeader,
  audio,
  avcHeader,
  cuePoint,
  inter,
  key,
  metadata,
  trackHeader,
  trackVideo,
} from '../support/frames.ts';
import { seeded } from '../support/random.ts';

const ROOMY: OutboxLimits = { maxFrames: 1000, maxBytes: 1_000_000, maxDurationMs: 60_000 };

function outbox(limits: Partial<OutboxLimits>, ...frames: Frame[]): Outbox {
  const made = new Outbox({ ...ROOMY, ...limits });
  for (const frame of frames) made.push(frame);
  return made;
}

function all(from: Outbox): Frame[] {
  return from.take(Number.MAX_SAFE_INTEGER);
}

describe('an outbox', () => {
  it('is idle while nothing waits, and never again once it had to drop something', () => {
    const it = outbox({ maxFrames: 3 });
    expect(it.isIdle).toBe(true);
    it.push(key(0));
    expect(it.isIdle).toBe(false);
    all(it);
    expect(it.isIdle).toBe(true);
    for (const frame of [inter(1), inter(2), inter(3), inter(4)]) it.push(frame);
    expect([it.frames, it.isIdle]).toEqual([0, false]);
  });

  it('knows of a stream what it was told, so that sound that waits alone is not taken for a stream without video', () => {
    const sense = new VideoSense();
    sense.note(key(0));
    const it = new Outbox({ ...ROOMY, maxFrames: 2 }, sense);
    for (let at = 1; at <= 3; at++) it.push(audio(at));
    expect([all(it), it.dropped]).toEqual([[], 3]);
    for (const frame of [audio(4), key(5), audio(6)]) it.push(frame);
    expect(all(it)).toEqual([key(5), audio(6)]);
  });

  it('learns for itself from then on', () => {
    const sense = new VideoSense();
    const it = new Outbox({ ...ROOMY, maxFrames: 2 }, sense);
    it.push(key(0));
    expect(sense.hasMedia).toBe(false);
  });

  it('hands frames over in the order they came, as many as the bytes allow, but at least one', () => {
    const frames = [key(0, 0, 50), audio(1), inter(2, 0, 20), audio(3)];
    const it = outbox({}, ...frames);
    expect([it.frames, it.bytes, it.durationMs]).toEqual([4, 78, 3]);
    expect(it.take(10)).toEqual([frames[0]]);
    expect(it.take(23)).toEqual([frames[1]]);
    expect(it.take(24)).toEqual([frames[2], frames[3]]);
    expect(it.take(100)).toEqual([]);
    expect([it.frames, it.bytes, it.durationMs, it.dropped]).toEqual([0, 0, 0, 0]);
  });

  it('hands over frames without a payload', () => {
    const frame = frameFromMessage({ type: 8, streamId: 1, timestamp: 5, payload: Buffer.alloc(0) });
    expect(outbox({}, frame, frame).take(1)).toEqual([frame, frame]);
  });

  it('holds a joiner’s group of pictures with room to spare', () => {
    expect(OUTBOX_DEFAULTS.maxFrames).toBeGreaterThan(GOP_DEFAULTS.maxFrames);
    expect(OUTBOX_DEFAULTS.maxBytes).toBeGreaterThan(GOP_DEFAULTS.maxBytes);
    expect(OUTBOX_DEFAULTS.maxDurationMs).toBeGreaterThan(GOP_DEFAULTS.maxDurationMs);
  });

  it('holds as many frames as its limit; with one more it drops up to the next keyframe', () => {
    const frames = [key(0), inter(1), audio(1), key(2), inter(3), audio(3)];
    const it = outbox({ maxFrames: 6 }, ...frames);
    expect([it.frames, it.dropped]).toEqual([6, 0]);
    it.push(inter(4));
    expect(it.dropped).toBe(3);
    expect(all(it)).toEqual([key(2), inter(3), audio(3), inter(4)]);
  });

  it('holds as many bytes as its limit; with one more it drops up to the next keyframe', () => {
    const it = outbox({ maxBytes: 100 }, key(0, 0, 60), key(1, 0, 20), inter(2, 0, 20));
    expect([it.bytes, it.dropped]).toEqual([100, 0]);
    const over = outbox({ maxBytes: 100 }, key(0, 0, 60), key(1, 0, 20), inter(2, 0, 21));
    expect(over.dropped).toBe(1);
    expect(all(over)).toEqual([key(1, 0, 20), inter(2, 0, 21)]);
  });

  it('holds as much time as its limit; with one millisecond more it drops up to the next keyframe', () => {
    const it = outbox({ maxDurationMs: 1000 }, key(0), key(500), inter(1000));
    expect([it.durationMs, it.dropped]).toEqual([1000, 0]);
    it.push(audio(1001));
    expect(it.dropped).toBe(1);
    expect(all(it)).toEqual([key(500), inter(1000), audio(1001)]);
  });

  it('waits for a keyframe when none is waiting, and lets nothing else through until it comes', () => {
    const it = outbox({ maxFrames: 3 }, key(0), inter(1), audio(1), inter(2));
    expect([it.frames, it.dropped]).toEqual([0, 4]);
    for (const frame of [inter(3), audio(3), inter(4)]) it.push(frame);
    expect([it.frames, it.dropped]).toEqual([0, 7]);
    for (const frame of [key(5), audio(5), inter(6)]) it.push(frame);
    expect(all(it)).toEqual([key(5), audio(5), inter(6)]);
  });

  it('drops as much as leaves a quarter of the room free', () => {
    const it = outbox({ maxFrames: 8 }, key(0), key(1), key(2), key(3), key(4), key(5), key(6), key(7), key(8));
    expect(all(it).map((frame) => frame.timestamp)).toEqual([3, 4, 5, 6, 7, 8]);
  });

  it('keeps configurations and metadata, the newest of each key, before the frames they belong to', () => {
    const it = outbox({ maxFrames: 8 }, metadata(0, 1), avcHeader(0, 1), aacHeader(0), key(0), inter(1));
    for (const frame of [avcHeader(2, 2), metadata(2, 2), key(3), inter(4)]) it.push(frame);
    expect(all(it)).toEqual([aacHeader(0), avcHeader(2, 2), metadata(2, 2), key(3), inter(4)]);
    // Two frames; the replaced configurations are nothing that the player missed.
    expect(it.dropped).toBe(2);
  });

  it('keeps a configuration that stood before the cut even if a newer one stands behind it', () => {
    const it = outbox({ maxFrames: 6 }, avcHeader(0, 1), key(0), inter(1), key(2), avcHeader(3, 2), key(4), inter(5));
    expect(all(it)).toEqual([avcHeader(0, 1), key(2), avcHeader(3, 2), key(4), inter(5)]);
  });

  it('keeps configurations that come while it waits, without end', () => {
    const it = outbox({ maxFrames: 4 }, key(0), inter(1), inter(2), inter(3), inter(4));
    for (let i = 0; i < 100; i++) it.push(avcHeader(i, i));
    expect(it.frames).toBeLessThanOrEqual(4);
    it.push(key(200));
    expect(all(it).slice(-2)).toEqual([avcHeader(99, 99), key(200)]);
  });

  it('keeps 64 configurations at an overflow, and of 65 the newest', () => {
    const fill = (tracks: number): Outbox =>
      outbox({ maxFrames: 100 }, ...Array.from({ length: tracks }, (_, track) => trackHeader(track)));
    const overflow = (it: Outbox): Frame[] => {
      for (let i = 0; i < 101; i++) it.push(inter(i));
      return all(it);
    };
    expect(overflow(fill(64))).toHaveLength(64);
    const kept = overflow(fill(65));
    expect(kept).toHaveLength(64);
    expect(kept[0]!.track).toBe(1);
  });

  it('spares data up to an eighth of its room, in order, and none if there is more', () => {
    const few = outbox({ maxFrames: 16 }, key(0), cuePoint(1, 1), avcHeader(1), cuePoint(2, 2));
    for (let i = 0; i < 13; i++) few.push(inter(i));
    expect(all(few)).toEqual([cuePoint(1, 1), avcHeader(1), cuePoint(2, 2)]);
    const many = outbox({ maxFrames: 16 }, key(0), cuePoint(1), cuePoint(2), cuePoint(3));
    for (let i = 0; i < 13; i++) many.push(inter(i));
    expect(all(many)).toEqual([]);
    expect(many.dropped).toBe(17);
    const heavy = outbox({ maxBytes: 800 }, key(0), cuePoint(1, 0, 100), inter(2, 0, 700));
    expect(all(heavy)).toEqual([]);
  });

  it('drops the oldest of a stream without video', () => {
    const it = outbox({ maxFrames: 8 }, aacHeader(), ...Array.from({ length: 9 }, (_, i) => audio(i)));
    expect(it.dropped).toBe(2);
    expect(all(it)).toEqual([aacHeader(), ...[2, 3, 4, 5, 6, 7, 8].map((time) => audio(time))]);
  });

  it('drops the oldest of a stream of data alone', () => {
    const it = outbox({ maxFrames: 8 }, ...Array.from({ length: 9 }, (_, i) => cuePoint(i, i)));
    const left = all(it);
    expect(left.at(-1)).toEqual(cuePoint(8, 8));
    expect(left.length + it.dropped).toBe(9);
    expect(left.length).toBeGreaterThanOrEqual(6);
  });

  it('lets sound through again when a stream goes on without its video', () => {
    const it = outbox({ maxFrames: 3 }, key(0), inter(1), inter(2), inter(3));
    for (let i = 0; i < 120; i++) it.push(audio(i));
    expect(all(it).map((frame) => frame.timestamp)).toEqual([117, 118, 119]);
    it.push(inter(200));
    expect(it.frames).toBe(0);
  });

  it('makes each track wait for a keyframe of its own', () => {
    const it = outbox({ maxFrames: 4 }, key(0), trackVideo('key', 1, 0), key(1), trackVideo('inter', 1, 1), inter(2));
    expect(all(it)).toEqual([key(1), inter(2)]);
    it.push(trackVideo('inter', 1, 3));
    it.push(trackVideo('key', 1, 4));
    it.push(trackVideo('inter', 1, 5));
    expect(all(it)).toEqual([trackVideo('key', 1, 4), trackVideo('inter', 1, 5)]);
  });

  it('does not take a jump of the publisher’s clock for time that waits', () => {
    const it = outbox({ maxDurationMs: 30_000 }, key(0), inter(40), inter(9_000_000), inter(9_000_040), inter(20));
    expect([it.durationMs, it.dropped]).toEqual([80, 0]);
  });

  it('measures time across the wrap of 32 bits', () => {
    expect(outbox({}, key(0xffff_fff0), inter(0x10)).durationMs).toBe(0x20);
  });

  it('can be emptied, which is no drop', () => {
    const it = outbox({}, key(0), inter(1));
    it.clear();
    expect([it.frames, it.bytes, it.dropped]).toEqual([0, 0, 0]);
    it.push(inter(2));
    expect(all(it)).toEqual([inter(2)]);
  });
});

describe('whatever happens, an outbox', () => {
  const shapes: SourceShape[] = [
    { video: true, audio: true, tracks: 0 },
    { video: true, audio: true, tracks: 2 },
    { video: true, audio: false, tracks: 0 },
    { video: false, audio: true, tracks: 0 },
  ];

  it.each(shapes)('hands over only what can be decoded, in order, within its limits: %o', (shape) => {
    let dropped = 0;
    for (let seed = 0; seed < 150; seed++) {
      const random = seeded(seed);
      const source = new Source(random, shape, 0xffff_ff00);
      const limits = {
        maxFrames: 12 + random.int(60),
        maxBytes: 1200 + random.int(4000),
        maxDurationMs: 200 + random.int(2000),
      };
      const it = new Outbox(limits);
      const decoder = new Decoder(source, 'as sent');
      let media = 0;
      for (let step = 0; step < 600; step++) {
        const frame = source.next();
        if (!frame.isConfig) media++;
        it.push(frame);
        // Not `expect`: it would take most of the time of some hundred thousand steps.
        if (it.frames > limits.maxFrames || it.bytes > limits.maxBytes || it.durationMs > limits.maxDurationMs) {
          throw new Error('over its limits');
        }
        // Now fast, now slow: whole phases in which the player hardly reads.
        if (random.int(100) < (step % 200 < 100 ? 40 : 3))
          for (const taken of it.take(random.int(3000))) decoder.accept(taken);
      }
      for (const taken of all(it)) decoder.accept(taken);
      expect(decoder.frames + it.dropped).toBe(media);
      expect(it.bytes).toBe(0);
      dropped += it.dropped;
    }
    expect(dropped).toBeGreaterThan(1000);
  });
});
