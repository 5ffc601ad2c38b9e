import { describe, expect, it } from 'vitest';
import { JUMP_MS, Timeline } from '../../../src/delivery/hls/timeline.ts';

describe('a timeline', () => {
  it('counts on across the wrap of 32 bits', () => {
    const timeline = new Timeline();
    const start = timeline.place(2 ** 32 - 10)!.at;
    expect(timeline.place(30)).toEqual({ at: start + 40, jumped: false });
  });

  it('takes a step back as one, up to the limit', () => {
    const timeline = new Timeline();
    const start = timeline.place(10_000)!.at;
    expect(timeline.place(10_000 - JUMP_MS)).toEqual({ at: start - JUMP_MS, jumped: false });
  });

  it.each([10_000 - JUMP_MS - 1, 10_000 + JUMP_MS + 1])('goes on where it was after a jump to %i', (to) => {
    const timeline = new Timeline();
    const start = timeline.place(10_000)!.at;
    expect(timeline.place(to)).toEqual({ at: start + 1, jumped: true });
    expect(timeline.place(to + 20)).toEqual({ at: start + 21, jumped: false });
  });

  it('leaves out what still comes with the old times', () => {
    const timeline = new Timeline();
    timeline.place(10_000);
    timeline.place(100_000);
    expect(timeline.place(10_020)).toBeUndefined();
  });

  it('places data by its time, in the present where that is none, and is not moved by it', () => {
    const timeline = new Timeline();
    const origin = timeline.placeData(99_999);
    const start = timeline.place(100_000)!.at;
    expect(start).toBe(origin);
    expect(timeline.placeData(100_000 + JUMP_MS)).toBe(start + JUMP_MS);
    expect(timeline.placeData(100_000 - JUMP_MS)).toBe(start - JUMP_MS);
    for (const odd of [0, 100_000 + JUMP_MS + 1, 100_000 - JUMP_MS - 1]) expect(timeline.placeData(odd)).toBe(start);
    expect(timeline.place(100_020)).toEqual({ at: start + 20, jumped: false });
  });
});
