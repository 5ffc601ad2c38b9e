import { describe, expect, it } from 'vitest';
import { RecordingPlan, type RecordingStep } from '../../../src/delivery/recording/plan.ts';
import { frameFromMessage, type Frame } from '../../../src/media/index.ts';
import {
  aacHeader,
  audio,
  avcHeader,
  cuePoint,
  inter,
  key,
  metadata,
  string,
  trackHeader,
  trackVideo,
} from '../../support/frames.ts';

const NEVER = { splitMs: Infinity, splitBytes: Infinity, tracksMayAppear: true };

/** "open 2" for a file with two headers, "video 40" for a frame at 40 ms. */
function told(steps: readonly RecordingStep[]): string[] {
  return steps.map((step) =>
    step.type === 'open'
      ? `open ${step.headers.length}`
      : `${step.frame.isConfig ? 'config ' : ''}${step.frame.kind} ${step.at}`,
  );
}

function run(frames: readonly Frame[], options: Partial<typeof NEVER> = {}): string[] {
  const plan = new RecordingPlan({ ...NEVER, ...options });
  return frames.flatMap((frame) => told(plan.take(frame)));
}

describe('A recording', () => {
  it('begins at the first keyframe, with metadata and configurations, at time 0', () => {
    const frames = [metadata(5000), avcHeader(5000), aacHeader(5000), inter(5000), key(5040), audio(5050), inter(5080)];
    expect(run(frames)).toEqual(['open 3', 'video 0', 'audio 10', 'video 40']);
  });

  it('keeps the sound that comes before the first picture of all', () => {
    expect(run([avcHeader(), aacHeader(), audio(100), audio(123), key(140)])).toEqual([
      ...['open 2', 'audio 0', 'audio 23', 'video 40'],
    ]);
  });

  it.each([
    [200, 10, 200],
    [201, 10, 200],
    [4, 1024 * 1024, 4],
    [5, 1024 * 1024, 4],
  ])('keeps no more of it than it needs: of %i packets of %i bytes %i', (count, size, kept) => {
    const early = Array.from({ length: count }, (_, index) => audio(index, 0, size));
    expect(run([avcHeader(), aacHeader(), ...early, key(count)])).toHaveLength(1 + kept + 1);
  });

  it('writes a configuration that is longer than any real one, and does not remember it', () => {
    const endless = cuePoint(0, 0, 256 * 1024);
    const frame = frameFromMessage({
      ...{ type: 18, streamId: 1, timestamp: 0 },
      payload: Buffer.concat([string('@setDataFrame'), endless.payload]),
    });
    expect(run([frame, avcHeader(), key(0), frame, inter(40)])).toEqual([
      'open 1',
      'video 0',
      'config data 0',
      'video 40',
    ]);
  });

  it('of sound alone begins with any packet', () => {
    expect(run([aacHeader(), audio(70), audio(93)])).toEqual(['open 1', 'audio 0', 'audio 23']);
  });

  it('keeps data in its place, and data without a time of its own at the present', () => {
    expect(run([avcHeader(), key(90_000), cuePoint(90_010), inter(90_040), cuePoint(0)])).toEqual([
      ...['open 1', 'video 0', 'data 10', 'video 40', 'data 40'],
    ]);
  });

  it('writes nothing before its beginning', () => {
    expect(run([avcHeader(), key(1000), audio(980)])).toEqual(['open 1', 'video 0', 'audio 0']);
  });
});

describe('Another file begins', () => {
  const start = [avcHeader(), aacHeader(), key(0), audio(5)];

  it('at the first keyframe that is late enough, not a millisecond before', () => {
    const rest = [key(999), inter(1000), audio(1001), key(1100), inter(1140)];
    expect(run([...start, ...rest], { splitMs: 1000 }).slice(3)).toEqual([
      ...['video 999', 'video 1000', 'audio 1001', 'open 2', 'video 0', 'video 40'],
    ]);
    expect(run([...start, key(1000)], { splitMs: 1000 }).slice(3)).toEqual(['open 2', 'video 0']);
  });

  it('by size as well', () => {
    const rest = [inter(40, 0, 1000), key(80), inter(120)];
    expect(run([...start, ...rest], { splitBytes: 1000 }).slice(3)).toEqual([
      'video 40',
      'open 2',
      'video 0',
      'video 40',
    ]);
  });

  it('when a decoder configuration changes, with the new one at its head', () => {
    const plan = new RecordingPlan(NEVER);
    const changed = avcHeader(40, 7);
    const steps = [...start, changed, key(40), inter(80)].flatMap((frame) => plan.take(frame));
    expect(told(steps).slice(3)).toEqual(['open 2', 'video 0', 'video 40']);
    const [open] = steps.slice(3);
    expect(open?.type === 'open' && open.headers.some(({ payload }) => payload.equals(changed.payload))).toBe(true);
  });

  it('at the next keyframe when it is the sound that changes, which gets its configuration at once', () => {
    const frames = [...start, aacHeader(20, 9), inter(40), audio(45), key(80)];
    expect(run(frames).slice(3)).toEqual(['video 40', 'config audio 45', 'audio 45', 'open 2', 'video 0']);
  });

  it('not for a configuration that is the same, nor for metadata', () => {
    expect(run([...start, avcHeader(40), metadata(40), key(40)]).slice(3)).toEqual(['config data 5', 'video 40']);
  });

  it("when the publisher's clock is set, and time goes on", () => {
    const frames = [...start, inter(40), inter(900_000), audio(45), key(900_040), inter(900_080)];
    expect(run(frames).slice(3)).toEqual(['video 40', 'video 41', 'audio 41', 'open 2', 'video 0', 'video 40']);
  });

  it('for a track that appears only where a file cannot take it', () => {
    const frames = [...start, trackHeader(1, 20), key(40), trackVideo('key', 1, 40)];
    expect(run(frames).slice(3)).toEqual(['config video 5', 'video 40', 'video 40']);
    expect(run(frames, { tracksMayAppear: false }).slice(3)).toEqual(['open 3', 'video 0', 'video 0']);
  });

  it('with as many configurations as a stream may have, however many names a publisher thinks of', () => {
    const named = (name: string): Frame =>
      frameFromMessage({
        ...{ type: 18, streamId: 1, timestamp: 0 },
        payload: Buffer.concat([string('@setDataFrame'), string(name), Buffer.from([5])]),
      });
    const flood = Array.from({ length: 1_000 }, (_, index) => named(`n${index}`));
    expect(run([...flood, key(0)])).toEqual(['open 64', 'video 0']);
    expect(run([...start, ...flood, key(1000)], { splitMs: 1000 }).slice(-2)).toEqual(['open 64', 'video 0']);
    // Of configurations that wait for their frames, the newest counts.
    const headers = Array.from({ length: 1_000 }, (_, index) => aacHeader(20, index % 250));
    expect(run([...start, ...headers, audio(45)]).slice(3)).toEqual(['config audio 45', 'audio 45']);
  });

  it('with any sound once the pictures have stopped for ten seconds', () => {
    const frames = [...start, audio(9_000), audio(9_990), audio(10_001), audio(10_020)];
    expect(run(frames, { splitMs: 5_000 }).slice(3)).toEqual([
      ...['audio 9000', 'audio 9990', 'open 2', 'audio 0', 'audio 19'],
    ]);
  });

  it('at the next keyframe after one that could not be written', () => {
    const plan = new RecordingPlan(NEVER);
    for (const frame of start) plan.take(frame);
    plan.abandon();
    expect([inter(40), audio(45), key(80)].flatMap((frame) => told(plan.take(frame)))).toEqual(['open 2', 'video 0']);
  });
});

describe("A recording's times", () => {
  const at = (...times: readonly number[]): string[] => run([aacHeader(), ...times.map((time) => audio(time >>> 0))]);

  it('pass over the wrap after 49 days', () => {
    expect(at(0xfffffff0, 0xfffffffc, 0x100000004)).toEqual(['open 1', 'audio 0', 'audio 12', 'audio 20']);
  });

  it('keep a pause of a minute; after a longer one another file begins', () => {
    expect(at(0, 60_000)).toEqual(['open 1', 'audio 0', 'audio 60000']);
    expect(at(0, 60_001)).toEqual(['open 1', 'audio 0', 'open 1', 'audio 0']);
  });

  it('go back as far as sound and picture are interleaved, a second', () => {
    expect(at(5000, 6000, 5000, 6010)).toEqual(['open 1', 'audio 0', 'audio 1000', 'audio 0', 'audio 1010']);
    expect(at(5000, 6000, 4999)).toEqual(['open 1', 'audio 0', 'audio 1000', 'open 1', 'audio 0']);
  });

  it('put what still comes with the old times after a jump where the stream is', () => {
    const frames = [avcHeader(), aacHeader(), key(5000), key(900_000), audio(5_010), inter(900_040)];
    expect(run(frames)).toEqual(['open 2', 'video 0', 'open 2', 'video 0', 'audio 0', 'video 40']);
  });
});
