import { describe, expect, it } from 'vitest';
import { reorderDelay } from '../../../src/delivery/fmp4/reorder.ts';

const shown = (...times: readonly number[]) => times.map((at) => ({ at }));

describe('the delay of pictures that are shown in another order', () => {
  it('is 0 where they are shown as they come', () => {
    expect(reorderDelay(shown(0, 40, 80), 0)).toBe(0);
    expect(reorderDelay([], 0)).toBe(0);
  });

  it('is how far the latest falls behind its turn: I P B B of 25 pictures a second', () => {
    expect(reorderDelay(shown(0, 120, 40, 80), 0)).toBe(40);
    expect(reorderDelay(shown(0, 160, 80, 40, 120), 0)).toBe(80);
  });

  it('is never less than the publisher says', () => {
    expect(reorderDelay(shown(80, 120), 80)).toBe(80);
    expect(reorderDelay(shown(0, 160, 80, 40, 120), 40)).toBe(80);
  });
});
