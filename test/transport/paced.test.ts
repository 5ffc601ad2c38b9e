import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Paced } from '../../src/transport/paced.ts';

describe('work in turns', () => {
  it('is done at once as far as a turn goes, and in order', async () => {
    const paced = new Paced(2);
    const done: number[] = [];
    for (let i = 0; i < 5; i++) paced.do(() => done.push(i));
    expect(done).toEqual([0, 1]);
    await setImmediate();
    expect(done).toEqual([0, 1, 2, 3]);
    await setImmediate();
    expect(done).toEqual([0, 1, 2, 3, 4]);
  });

  it('does not let what comes later overtake', async () => {
    const paced = new Paced(1);
    const done: string[] = [];
    for (const name of ['a', 'b', 'c']) paced.do(() => done.push(name));
    await setImmediate();
    paced.do(() => done.push('d'));
    for (let i = 0; i < 3; i++) await setImmediate();
    expect(done).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is at once again when there was nothing for a while', async () => {
    const paced = new Paced(1);
    let done = 0;
    paced.do(() => (done += 1));
    await setImmediate();
    paced.do(() => (done += 1));
    expect(done).toBe(2);
  });
});
