import { describe, expect, it } from 'vitest';
import { FrameRun } from '../../src/endpoint/frame-run.ts';
import { encodingOf, frameFromMessage, type Frame } from '../../src/media/index.ts';

const frame = (bytes: number, timestamp: number): Frame =>
  frameFromMessage({ type: 9, streamId: 1, timestamp, payload: Buffer.alloc(bytes, timestamp) });

const runOf = (start: FrameRun, ...frames: Frame[]): FrameRun => frames.reduce((run, each) => run.plus(each), start);

describe('FrameRun', () => {
  it('keeps frames in their order', () => {
    const frames = [frame(10, 1), frame(20, 2), frame(30, 3)];
    expect(runOf(new FrameRun(), ...frames).frames()).toEqual(frames);
    expect(new FrameRun().frames()).toEqual([]);
  });

  it('makes one Buffer of small frames, in order', () => {
    const frames = [frame(10, 1), frame(20, 2), frame(30, 3)];
    const pieces = runOf(new FrameRun(), ...frames).encoded(1, 65536);
    expect(pieces).toHaveLength(1);
    expect(pieces[0]).toEqual(Buffer.concat(frames.map((each) => encodingOf(each, 1, 65536))));
  });

  it('is one object, and one Buffer, for all players that were given the same frames', () => {
    const start = new FrameRun();
    const [a, b] = [frame(10, 1), frame(20, 2)];
    const [one, other] = [start.plus(a), start.plus(a)];
    expect(one).toBe(other);
    expect(one.plus(b)).toBe(other.plus(b));
    expect(one.plus(b).encoded(1, 65536)[0]).toBe(other.plus(b).encoded(1, 65536)[0]);
  });

  it('never confuses players that were given different frames', () => {
    const start = new FrameRun();
    const [a, b, c, d] = [frame(10, 1), frame(10, 2), frame(10, 3), frame(10, 4)];
    const first = runOf(start, a, b, d);
    const second = runOf(start, a, c, d);
    const third = runOf(start, d);
    expect([first.frames(), second.frames(), third.frames()]).toEqual([[a, b, d], [a, c, d], [d]]);
    expect(first.plus(c).frames()).toEqual([a, b, d, c]);
  });

  it('never confuses players with different stream ids or chunk sizes', () => {
    const run = runOf(new FrameRun(), frame(300, 1));
    const usual = Buffer.concat(run.encoded(1, 65536));
    expect(Buffer.concat(run.encoded(2, 65536))).not.toEqual(usual);
    expect(Buffer.concat(run.encoded(1, 128)).length).toBe(300 + 12 + 2);
    expect(Buffer.concat(run.encoded(1, 65536))).toEqual(usual);
  });

  it('does not copy large frames, and keeps their place', () => {
    const frames = [frame(10, 1), frame(100_000, 2), frame(20, 3)];
    const pieces = runOf(new FrameRun(), ...frames).encoded(1, 65536);
    expect(pieces).toHaveLength(3);
    expect(pieces[1]).toBe(encodingOf(frames[1]!, 1, 65536));
  });

  it('passes a single frame on as its shared encoding', () => {
    const only = frame(10, 1);
    expect(new FrameRun().plus(only).encoded(1, 65536)[0]).toBe(encodingOf(only, 1, 65536));
  });

  it('counts the bytes that go out, so that frames without payload count too', () => {
    const run = runOf(new FrameRun(), frame(10, 1), frame(0, 2));
    expect(run.bytes).toBe(Buffer.concat(run.encoded(1, 65536)).length);
    expect(new FrameRun().bytes).toBe(0);
  });

  it('keeps no frame alive once it was told to forget', () => {
    const start = new FrameRun();
    const a = frame(10, 1);
    const before = start.plus(a);
    start.forget();
    expect(start.plus(a)).not.toBe(before);
  });
});
