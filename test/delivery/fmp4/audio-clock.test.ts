import { describe, expect, it } from 'vitest';
import { AudioClock } from '../../../src/delivery/fmp4/audio-clock.ts';

const PACKET_MS = 1024 / 44.1;

describe('the clock of sound', () => {
  it('lets packets follow each other by their samples where RTMP has rounded their times', () => {
    const clock = new AudioClock();
    for (let i = 0; i < 1000; i++) {
      expect(clock.place(Math.round(i * PACKET_MS), PACKET_MS)).toBeCloseTo(i * PACKET_MS, 6);
    }
  });

  it('follows a publisher whose clock runs differently, by 20 ms at most', () => {
    const clock = new AudioClock();
    let worst = 0;
    for (let i = 0; i < 20_000; i++) {
      const at = i * PACKET_MS * 1.002;
      worst = Math.max(worst, Math.abs(clock.place(at, PACKET_MS) - at));
    }
    expect(worst).toBeLessThan(20);
  });

  it('leaves a gap where packets are missing', () => {
    const clock = new AudioClock();
    clock.place(0, 20);
    expect(clock.place(500, 20)).toBe(500);
  });

  it('never goes back', () => {
    const clock = new AudioClock();
    clock.place(1000, 20);
    expect(clock.place(900, 20)).toBeGreaterThan(1018);
    expect(clock.place(0, 20)).toBeGreaterThan(1018);
  });

  it.each([
    ['packets that claim six times their length', 21, 128],
    ['packets that claim twice their length', 21, 128 / 3],
    ['packets that claim to be as long as Opus allows', 20, 3780],
  ])('does not run away with %s', (_, apart, claimed) => {
    const clock = new AudioClock();
    let last = -1;
    for (let i = 0; i < 10_000; i++) {
      const at = clock.place(i * apart, claimed);
      expect(at).toBeGreaterThan(last);
      expect(at - i * apart).toBeLessThan(500 + claimed);
      last = at;
    }
  });

  it('takes a second of packets that come with one time for what they are', () => {
    const clock = new AudioClock();
    const at = Array.from({ length: 20 }, () => clock.place(1000, 20));
    expect(at.at(-1)! - at[0]!).toBeGreaterThan(340);
  });
});
