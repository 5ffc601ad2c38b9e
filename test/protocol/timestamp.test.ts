import { describe, expect, it } from 'vitest';
import { addTimestamp, compareTimestamps } from '../../src/protocol/timestamp.ts';

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
});
