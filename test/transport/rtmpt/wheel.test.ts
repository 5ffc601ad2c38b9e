import { describe, expect, test } from 'vitest';
import { Wheel, type Sleeper } from '../../../src/transport/rtmpt/wheel.ts';
import { seeded } from '../../support/random.ts';

class Recorder implements Sleeper {
  wakeAt = Infinity;
  bed: Set<Sleeper> | undefined;
  readonly woken: number[] = [];
  onTick: ((now: number) => void) | undefined;
  tick(now: number): void {
    this.woken.push(now);
    this.onTick?.(now);
  }
}

/** Runs the wheel as its owner does, waking only when it asks to. */
function run(wheel: Wheel, from: number, to: number): void {
  let now = from;
  for (;;) {
    const next = wheel.next();
    if (next === undefined || next > to) break;
    now = Math.max(now, next);
    wheel.advance(now);
  }
  wheel.advance(to);
}

describe('the wheel', () => {
  test('wakes nobody early, and everybody within 10 ms', () => {
    const random = seeded(7);
    const start = 123_456.789;
    const wheel = new Wheel(start);
    const sleepers = Array.from({ length: 500 }, () => ({
      sleeper: new Recorder(),
      at: start + random.int(60_000_000) / 1000,
    }));
    for (const { sleeper, at } of sleepers) wheel.schedule(sleeper, at);
    run(wheel, start, start + 61_000);
    for (const { sleeper, at } of sleepers) {
      expect(sleeper.woken).toHaveLength(1);
      expect(sleeper.woken[0]! - at).toBeGreaterThanOrEqual(0);
      expect(sleeper.woken[0]! - at).toBeLessThanOrEqual(10);
    }
    expect(wheel.count).toBe(0);
    expect(wheel.next()).toBeUndefined();
  });

  test('asking for a later time changes nothing, for an earlier one everything', () => {
    const wheel = new Wheel(0);
    const sleeper = new Recorder();
    wheel.schedule(sleeper, 500);
    wheel.schedule(sleeper, 900);
    wheel.schedule(sleeper, 300);
    wheel.schedule(sleeper, Infinity);
    run(wheel, 0, 2000);
    expect(sleeper.woken).toEqual([300]);
  });

  test('a cancelled sleeper sleeps on', () => {
    const wheel = new Wheel(0);
    const sleeper = new Recorder();
    wheel.schedule(sleeper, 500);
    wheel.cancel(sleeper);
    wheel.cancel(sleeper);
    expect(wheel.count).toBe(0);
    run(wheel, 0, 1000);
    expect(sleeper.woken).toEqual([]);
  });

  test('a sleeper may ask again, or put others to bed, while it is woken', () => {
    const wheel = new Wheel(0);
    const [first, second] = [new Recorder(), new Recorder()];
    first.onTick = (now) => {
      if (now < 100) wheel.schedule(first, now + 30);
      wheel.schedule(second, now + 5);
    };
    wheel.schedule(first, 30);
    run(wheel, 0, 1000);
    expect(first.woken).toEqual([30, 60, 90, 120]);
    expect(second.woken.length).toBeGreaterThan(2);
  });

  test('a sleeper that another cancels in the same moment is not woken', () => {
    const wheel = new Wheel(0);
    const [first, second] = [new Recorder(), new Recorder()];
    first.onTick = () => wheel.cancel(second);
    wheel.schedule(first, 95);
    wheel.schedule(second, 96);
    run(wheel, 0, 1000);
    expect(second.woken).toEqual([]);
  });

  test('a process that slept for hours wakes everybody once', () => {
    const wheel = new Wheel(0);
    const sleepers = Array.from({ length: 50 }, () => new Recorder());
    sleepers.forEach((sleeper, index) => wheel.schedule(sleeper, index * 700));
    wheel.advance(10_000_000);
    expect(sleepers.map(({ woken }) => woken.length)).toEqual(sleepers.map(() => 1));
  });

  test('a time in the past comes with the next step', () => {
    const wheel = new Wheel(1000);
    const sleeper = new Recorder();
    wheel.schedule(sleeper, 5);
    run(wheel, 1000, 1020);
    expect(sleeper.woken).toHaveLength(1);
  });
});
