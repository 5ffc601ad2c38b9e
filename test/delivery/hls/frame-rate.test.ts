import { describe, expect, it } from 'vitest';
import { frameRate } from '../../../src/delivery/hls/frame-rate.ts';

describe('the frame rate', () => {
  it.each([24_000 / 1001, 24, 25, 30_000 / 1001, 30, 50, 60_000 / 1001, 60])(
    'of %f pictures a second is found in two seconds of times rounded to milliseconds',
    (rate) => {
      const pictures = Math.round(2 * rate);
      const measured = pictures / (Math.round((pictures * 1000) / rate) / 1000);
      expect(frameRate(measured, undefined)).toBeCloseTo(rate, 6);
    },
  );

  it('is what the bitstream says, if about so many come', () => {
    expect(frameRate(29.9, 30_000 / 1001)).toBe(30_000 / 1001);
    expect(frameRate(30.05, 60)).toBe(30);
    expect(frameRate(37.3, 60)).toBe(37.3);
  });

  it('is that of no camera where it is not', () => {
    expect(frameRate(17.2, undefined)).toBe(17.2);
  });

  it('is not told of a slide show', () => {
    expect(frameRate(0.99, 30)).toBeUndefined();
    expect(frameRate(1, undefined)).toBe(1);
  });
});
