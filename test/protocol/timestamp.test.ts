import { describe, expect, it } from 'vitest';
import { addTimestamp, compareTimestamps, unwrapTimestamp } from '../../src/protocol/timestamp.ts';
import { seeded } from '../support/random.ts';

const WRAP = 2 ** 32;

describe('timestamps', () => {
  it.each([
    [0, 20, 20],
    [0xff_fffe, 1, 0xff_ffff],
    [0xff_ffff, 1, 0x100_0000],
    [0x7fff_ffff, 1, 0x8000_0000],
    [0xffff_ffff, 1, 0],
    [0xffff_fff0, 0x20, 0x10],
    [0x10, -0x20, 0xffff_fff0],
    [1000, 0xffff_fff6, 990],
  ])('%i and %i more make %i', (timestamp, delta, sum) => {
    expect(addTimestamp(timestamp, delta)).toBe(sum);
  });

  it.each([
    [0, 0, 0],
    [1, 0, 1],
    [0, 1, -1],
    [0x10, 0xffff_fff0, 0x20],
    [0xffff_fff0, 0x10, -0x20],
    [0x7fff_ffff, 0, 0x7fff_ffff],
    [0x8000_0000, 0, -0x8000_0000],
  ])('%i is later than %i by %i', (a, b, difference) => {
    expect(compareTimestamps(a, b)).toBe(difference);
  });

  it('sorts across the wrap', () => {
    expect([5, 0xffff_ffff, 0, 0xffff_fffe].sort(compareTimestamps)).toEqual([0xffff_fffe, 0xffff_ffff, 0, 5]);
  });

  it('unwraps fifty days and more of steps in both directions', () => {
    const random = seeded(1);
    let truth = 0;
    let clock = 0;
    while (truth < 3 * WRAP) {
      truth += random.int(5) === 0 ? -random.int(1000) : random.int(2 ** 28);
      clock = unwrapTimestamp(clock, ((truth % WRAP) + WRAP) % WRAP);
      expect(clock).toBe(truth);
    }
  });

  it('goes below zero when the first step leads back over the wrap', () => {
    expect(unwrapTimestamp(0, 0xffff_ffff)).toBe(-1);
    expect(unwrapTimestamp(-1, 0)).toBe(0);
  });
});
