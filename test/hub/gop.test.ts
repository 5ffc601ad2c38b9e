import { describe, expect, it } from 'vitest';
import { FairShare } from '../../src/hub/fair-share.ts';
import { Gop, type GopLimits } from '../../src/hub/gop.ts';
import { audio, avcHeader, cuePoint, inter, key, metadata, trackVideo } from '../support/frames.ts';

const ROOMY: GopLimits = { maxFrames: 1000, maxBytes: 1_000_000, maxDurationMs: 60_000 };

function gop(limits: Partial<GopLimits> = {}, memory = new FairShare(1_000_000)): Gop {
  return new Gop({ ...ROOMY, ...limits }, memory);
}

describe('the last group of pictures', () => {
  it('begins with a keyframe, and keeps nothing before there was one', () => {
    const it = gop();
    for (let i = 0; i < 5000; i++) it.add(i % 2 === 0 ? audio(i) : inter(i));
    expect([it.frames.length, it.bytes]).toEqual([0, 0]);
    const frames = [key(10), audio(11), inter(12)];
    it.begin(frames[0]!, []);
    frames.slice(1).forEach((frame) => it.add(frame));
    expect(it.frames).toEqual(frames);
    expect(it.bytes).toBe(8 + 4 + 8);
  });

  it('begins anew with the next keyframe', () => {
    const it = gop();
    it.begin(key(0), []);
    it.add(inter(1));
    it.begin(key(2), []);
    expect(it.frames).toEqual([key(2)]);
    expect(it.bytes).toBe(8);
  });

  it('gives its headers the time of its first frame, the same objects to all', () => {
    const it = gop();
    const headers = [metadata(0), avcHeader(0)];
    it.begin(key(500), headers);
    expect(it.headers().map((header) => [header.configKey, header.timestamp])).toEqual([
      ['data:onMetaData', 500],
      ['video:0:header', 500],
    ]);
    expect(it.headers()).toBe(it.headers());
    expect(headers[0]!.timestamp).toBe(0);
  });

  it('has no headers when it has no frames', () => {
    expect(gop().headers()).toEqual([]);
  });

  it('keeps a configuration that changed in its place', () => {
    const it = gop();
    it.begin(key(0), [avcHeader(0, 1)]);
    it.add(avcHeader(5, 2));
    it.add(inter(6));
    expect(it.headers()).toEqual([avcHeader(0, 1)]);
    expect(it.frames).toEqual([key(0), avcHeader(5, 2), inter(6)]);
  });

  it('forgets a configuration wherever it stands', () => {
    const it = gop();
    it.begin(key(0), [metadata(0, 1), avcHeader()]);
    it.add(metadata(5, 2));
    it.headers();
    it.forget('data:onMetaData');
    expect(it.headers()).toEqual([avcHeader()]);
    expect(it.frames).toEqual([key(0)]);
    expect(it.bytes).toBe(8);
  });

  it('takes along keyframes of other tracks for the same instant that came first', () => {
    const it = gop();
    it.begin(key(0), []);
    it.add(inter(90));
    it.add(trackVideo('key', 1, 99));
    it.add(trackVideo('key', 2, 100));
    it.add(trackVideo('key', 1, 100));
    it.begin(key(100), []);
    expect(it.frames.map((frame) => [frame.track, frame.timestamp])).toEqual([
      [2, 100],
      [1, 100],
      [0, 100],
    ]);
  });

  it('does not take two keyframes of one track for twins', () => {
    const it = gop();
    it.begin(key(0, 1), []);
    it.begin(key(0, 2), []);
    expect(it.frames).toEqual([key(0, 2)]);
  });

  it('holds as many frames as its limit, and lets go of all at one more', () => {
    const it = gop({ maxFrames: 3 });
    it.begin(key(0), []);
    it.add(inter(1));
    it.add(inter(2));
    expect(it.frames).toHaveLength(3);
    it.add(inter(3));
    expect([it.frames.length, it.bytes]).toEqual([0, 0]);
    it.add(inter(4));
    expect(it.frames).toHaveLength(0);
    it.begin(key(5), []);
    expect(it.frames).toHaveLength(1);
  });

  it('holds as many bytes as its limit, and lets go of all at one more', () => {
    const it = gop({ maxBytes: 100 });
    it.begin(key(0, 0, 60), []);
    it.add(inter(1, 0, 40));
    expect(it.bytes).toBe(100);
    it.begin(key(2, 0, 60), []);
    it.add(inter(3, 0, 41));
    expect(it.bytes).toBe(0);
    it.begin(key(4, 0, 101), []);
    expect(it.bytes).toBe(0);
  });

  it('spans as much time as its limit, and lets go of all at one more, also across the wrap and backwards', () => {
    const it = gop({ maxDurationMs: 1000 });
    it.begin(key(0xffff_ff00), []);
    it.add(inter((0xffff_ff00 + 1000) >>> 0));
    expect(it.frames).toHaveLength(2);
    it.add(audio((0xffff_ff00 + 1001) >>> 0));
    expect(it.frames).toHaveLength(0);
    it.begin(key(5000), []);
    it.add(inter(4000));
    expect(it.frames).toHaveLength(2);
    it.add(inter(3999));
    expect(it.frames).toHaveLength(0);
  });

  it('keeps nothing at all when its limit is no frames', () => {
    const it = gop({ maxFrames: 0 });
    it.begin(key(0), []);
    it.add(inter(1));
    expect(it.frames).toHaveLength(0);
  });

  it('does not change what a joiner was given', () => {
    const it = gop();
    it.begin(key(0), []);
    const given = it.frames;
    it.begin(key(1), []);
    expect(given).toEqual([key(0)]);
  });

  it('gives back what it held, however it ends', () => {
    const memory = new FairShare(1000);
    const it = gop({ maxFrames: 3 }, memory);
    it.begin(key(0), [metadata(0, 1)]);
    it.add(metadata(1, 2));
    expect(memory.bytes).toBe(it.bytes);
    it.forget('data:onMetaData');
    expect(memory.bytes).toBe(8);
    for (let i = 1; i < 5; i++) it.add(inter(i));
    expect([it.bytes, memory.bytes]).toEqual([0, 0]);
  });

  it('is let go when all of them together hold too much and it has more than its share, not before', () => {
    const memory = new FairShare(40);
    const [large, small] = [gop({}, memory), gop({}, memory)];
    small.begin(key(0), []);
    large.begin(key(0), []);
    for (let i = 1; i <= 3; i++) large.add(inter(i));
    expect([small.bytes, large.bytes, memory.bytes]).toEqual([8, 32, 40]);
    small.add(inter(1));
    expect([small.bytes, memory.bytes]).toEqual([16, 48]);
    large.add(inter(4));
    expect([small.bytes, large.bytes, memory.bytes]).toEqual([16, 0, 16]);
  });

  it('is not taken for too long because of data and configurations, which may be stamped with 0', () => {
    const it = gop();
    it.begin(key(1_000_000), []);
    for (const frame of [inter(1_000_033), cuePoint(0), metadata(0, 2)]) it.add(frame);
    expect(it.frames.length).toBe(4);
  });
});
