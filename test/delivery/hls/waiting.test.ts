import { describe, expect, it } from 'vitest';
import { Waiting, type Asker } from '../../../src/delivery/hls/waiting.ts';

/** What has become of a request: undefined while it waits. */
function watched(promise: Promise<boolean>): { settled: boolean | undefined } {
  const state: { settled: boolean | undefined } = { settled: undefined };
  void promise.then((there) => (state.settled = there));
  return state;
}

const ASKER: Asker = { now: 0, isGone: () => false };

const turn = () => new Promise(setImmediate);

describe('requests that wait', () => {
  it('do not if what they want is there', async () => {
    const waiting = new Waiting(1);
    expect(await waiting.until(() => true, ASKER, 0)).toBe(true);
    expect(waiting.count).toBe(0);
  });

  it('are answered when something happens that is what they want, and no other', async () => {
    const waiting = new Waiting(2);
    let there = 0;
    const [first, second] = [1, 2].map((wanted) => watched(waiting.until(() => there >= wanted, ASKER, 100)));
    waiting.check();
    await turn();
    expect([first?.settled, second?.settled]).toEqual([undefined, undefined]);
    there = 1;
    waiting.check();
    await turn();
    expect([first?.settled, second?.settled, waiting.count]).toEqual([true, undefined, 1]);
  });

  it('are let go at their deadline and not before', async () => {
    const waiting = new Waiting(1);
    const request = watched(waiting.until(() => false, ASKER, 100));
    waiting.tick(99);
    await turn();
    expect(request.settled).toBeUndefined();
    waiting.tick(100);
    await turn();
    expect(request.settled).toBe(false);
  });

  it('are so many and no more', async () => {
    const waiting = new Waiting(2);
    const requests = [1, 2, 3].map(() => watched(waiting.until(() => false, ASKER, 100)));
    await turn();
    expect(requests.map(({ settled }) => settled)).toEqual([undefined, undefined, false]);
    expect(waiting.count).toBe(2);
  });

  it('make room when nobody is there any more to be answered', async () => {
    const waiting = new Waiting(1);
    let isGone = false;
    const request = watched(waiting.until(() => false, { now: 0, isGone: () => isGone }, 100));
    waiting.tick(1);
    expect(waiting.count).toBe(1);
    isGone = true;
    waiting.tick(2);
    await turn();
    expect([request.settled, waiting.count]).toEqual([false, 0]);
  });

  it('are all let go when nothing will come any more', async () => {
    const waiting = new Waiting(2);
    const requests = [1, 2].map(() => watched(waiting.until(() => false, ASKER, 100)));
    waiting.close();
    await turn();
    expect(requests.map(({ settled }) => settled)).toEqual([false, false]);
  });
});
