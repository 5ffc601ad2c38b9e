import { describe, expect, it } from 'vitest';
import { RateGate } from '../../src/protocol/rate-gate.ts';

describe('a rate gate', () => {
  it('lets so many through in a second, and again in the next', () => {
    const gate = new RateGate(3);
    expect([0, 1, 999, 999].map((now) => gate.allow(now))).toEqual([true, true, true, false]);
    expect([1000, 1000, 1000, 1999].map((now) => gate.allow(now))).toEqual([true, true, true, false]);
  });

  it('counts from the first after a pause', () => {
    const gate = new RateGate(1);
    expect([5, 5000.5, 5999, 6000.5].map((now) => gate.allow(now))).toEqual([true, true, false, true]);
  });
});
