import { describe, expect, it } from 'vitest';
import { Rebase } from '../../src/relay/rebase.ts';

const places = (times: readonly number[]): number[] => {
  const rebase = new Rebase();
  return times.map((time) => rebase.place(time));
};

describe("a connection's time line", () => {
  it('begins at 0 and keeps all distances', () => {
    expect(places([5000, 5023, 5040, 5046, 5030])).toEqual([0, 23, 40, 46, 30]);
  });

  it('does not begin before 0 for sound that is a little older than its keyframe', () => {
    expect(places([5000, 4990, 5010])).toEqual([0, 0, 10]);
  });

  it('goes on through the wrap at 32 bits, and past 2^31', () => {
    expect(places([0xffff_fff0, 0x10])).toEqual([0, 0x20]);
    const rebase = new Rebase();
    let placed = 0;
    for (let time = 0; time < 2 ** 31 + 20_000; time += 9_999) placed = rebase.place(time);
    expect(placed).toBeGreaterThan(2 ** 31);
  });

  it('goes on where it was when the clock is set, either way', () => {
    expect(places([0, 40, 3_600_000, 3_600_040, 80, 120])).toEqual([0, 40, 41, 81, 82, 122]);
  });

  it('takes steps of ten seconds for time that passed', () => {
    expect(places([0, 10_000, 20_001])).toEqual([0, 10_000, 10_001]);
  });

  it('is not set by data and configurations, which are often stamped with 0', () => {
    const rebase = new Rebase();
    expect([rebase.place(60_000), rebase.placeOther(0), rebase.placeOther(60_020), rebase.place(60_040)]).toEqual([
      0, 0, 20, 40,
    ]);
    const headersFirst = new Rebase();
    expect([headersFirst.placeOther(700), headersFirst.place(700), headersFirst.place(740)]).toEqual([0, 0, 40]);
  });
});
