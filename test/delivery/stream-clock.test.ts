import { describe, expect, it } from 'vitest';
import { StreamClock } from '../../src/delivery/stream-clock.ts';

const ORIGIN = 10_000;
const BEHIND = 1_000;
const AHEAD = 60_000;

const clockAt = (origin = ORIGIN) => new StreamClock({ origin, behindMs: BEHIND, aheadMs: AHEAD });

describe("a stream's clock", () => {
  it('begins at its origin, whatever the first timestamp', () => {
    expect(clockAt().now).toBe(ORIGIN);
    expect(clockAt().place(123_456)).toEqual({ at: ORIGIN, jumped: false });
  });

  it('counts on across the wrap of 32 bits', () => {
    const clock = clockAt(0);
    const times = [0xffff_fff0, 0xffff_fffc, 0x0000_0004];
    expect(times.map((time) => clock.place(time)!.at)).toEqual([0, 12, 20]);
  });

  it('takes a step back as interleaving, up to the limit, and is not moved by it', () => {
    const clock = clockAt();
    clock.place(100_000);
    expect(clock.place(100_000 - BEHIND)).toEqual({ at: ORIGIN - BEHIND, jumped: false });
    expect(clock.now).toBe(ORIGIN);
    expect(clock.place(100_020)).toEqual({ at: ORIGIN + 20, jumped: false });
  });

  it('takes a step ahead as time that passed, up to the limit', () => {
    const clock = clockAt();
    clock.place(100_000);
    expect(clock.place(100_000 + AHEAD)).toEqual({ at: ORIGIN + AHEAD, jumped: false });
  });

  it('knows nothing before 0', () => {
    const clock = clockAt(0);
    clock.place(100_000);
    expect(clock.place(99_500)).toEqual({ at: 0, jumped: false });
    expect(clock.placeData(99_500)).toBe(0);
  });

  it.each([100_000 - BEHIND - 1, 100_000 + AHEAD + 1])('goes on where it was after a jump to %i', (to) => {
    const clock = clockAt();
    clock.place(100_000);
    expect(clock.place(to)).toEqual({ at: ORIGIN + 1, jumped: true });
    expect(clock.place(to + 20)).toEqual({ at: ORIGIN + 21, jumped: false });
  });

  it('knows what still comes with the old times for a straggler', () => {
    const clock = clockAt();
    clock.place(100_000);
    clock.place(500_000);
    expect(clock.place(100_020)).toBeUndefined();
    expect(clock.place(100_000 - BEHIND)).toBeUndefined();
    expect(clock.place(500_020)).toEqual({ at: ORIGIN + 21, jumped: false });
    expect(clock.place(100_000 - BEHIND - 1)).toEqual({ at: ORIGIN + 22, jumped: true });
  });

  it('places data by its time, in the present where that is none, and is not moved by it', () => {
    const clock = clockAt();
    expect(clock.placeData(99_999)).toBe(ORIGIN);
    clock.place(100_000);
    expect(clock.placeData(100_000 + AHEAD)).toBe(ORIGIN + AHEAD);
    expect(clock.placeData(100_000 - BEHIND)).toBe(ORIGIN - BEHIND);
    for (const odd of [0, 100_000 + AHEAD + 1, 100_000 - BEHIND - 1]) expect(clock.placeData(odd)).toBe(ORIGIN);
    expect(clock.place(100_020)).toEqual({ at: ORIGIN + 20, jumped: false });
  });
});
