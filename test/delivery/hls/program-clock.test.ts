import { describe, expect, it } from 'vitest';
import { ProgramClock } from '../../../src/delivery/hls/program-clock.ts';

const WALL = 1_700_000_000_000;

describe('the dates of media', () => {
  it("are the wall clock's: what was newest when the clocks were first compared came just then", () => {
    const clock = new ProgramClock();
    expect(clock.isUnsettled).toBe(true);
    clock.note(WALL, 12_000);
    expect(clock.isUnsettled).toBe(false);
    expect([clock.at(12_000), clock.at(10_000)]).toEqual([WALL, WALL - 2_000]);
  });

  it.each([0.9999, 1.0001])('follow a publisher whose clock runs at %f of ours, over a day', (speed) => {
    const clock = new ProgramClock();
    let worst = 0;
    for (let elapsed = 0; elapsed < 86_400_000; elapsed += 500) {
      const media = 10_000 + elapsed * speed;
      clock.note(WALL + elapsed + (elapsed % 3_500 === 0 ? 0 : 40), media);
      worst = Math.max(worst, Math.abs(clock.at(media) - WALL - elapsed));
    }
    expect(worst).toBeLessThan(5);
  });

  it('do not follow a network that stalls for some seconds', () => {
    const clock = new ProgramClock();
    for (let elapsed = 0; elapsed < 60_000; elapsed += 100) {
      const arrived = elapsed >= 20_000 && elapsed < 26_000 ? 26_000 : elapsed;
      clock.note(WALL + arrived, elapsed);
      expect(clock.at(elapsed)).toBe(WALL + elapsed);
    }
  });

  it('move by a hundredth at most, however far they are off', () => {
    const clock = new ProgramClock();
    let last = 0;
    for (let elapsed = 0; elapsed < 100_000; elapsed += 100) {
      clock.note(WALL + elapsed + (elapsed > 30_000 ? 60_000 : 0), elapsed);
      if (elapsed > 0) expect(Math.abs(clock.at(elapsed) - last - 100)).toBeLessThanOrEqual(100);
      last = clock.at(elapsed);
    }
    expect(last - WALL - 100_000).toBeGreaterThan(400);
  });

  it('are settled anew after a jump, and the old ones stay', () => {
    const clock = new ProgramClock();
    clock.note(WALL, 10_000);
    clock.jump(11_000);
    expect(clock.isUnsettled).toBe(true);
    clock.note(WALL + 500_000, 11_500);
    expect([clock.at(10_500), clock.at(11_000), clock.at(11_500)]).toEqual([
      ...[WALL + 500, WALL + 499_500, WALL + 500_000],
    ]);
  });

  it('are the same for all who ask for the same time', () => {
    const clock = new ProgramClock();
    clock.note(WALL, 0);
    const before = clock.at(9_000);
    clock.note(WALL + 20_000, 15_000);
    expect(clock.at(9_000)).toBe(before);
  });
});
