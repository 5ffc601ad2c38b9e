import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Crowd } from '../../bench/load/crowd.ts';
import type { Player } from '../../bench/load/player.ts';
import type { Publishers } from '../../bench/load/publishers.ts';

/** A crowd of players at these pictures, and how far its publisher was let go. */
function crowd(window: number | undefined, expected: number[]) {
  const limits: number[] = [];
  const publishers = { hurry: (limit: number) => limits.push(limit) } as unknown as Publishers;
  const players = expected.map((_, index) => ({
    get expected() {
      return expected[index];
    },
  })) as unknown as Player[];
  return { limits, players, all: new Crowd(publishers, window) };
}

describe('a publisher without a pace', () => {
  it('is a window ahead of the slowest player and no further', async () => {
    const expected = [10, 7, 12];
    const { limits, players, all } = crowd(64, expected);
    all.hurry(players);
    expected[1] = 11;
    all.moved();
    await turn();
    expect(limits).toEqual([7 + 64, 10 + 64]);
  });

  it('is looked after once a turn, however many pictures came', async () => {
    const { limits, players, all } = crowd(64, [1, 1]);
    all.hurry(players);
    for (let times = 0; times < 5; times++) all.moved();
    expect(limits).toHaveLength(1);
    await turn();
    expect(limits).toHaveLength(2);
  });

  it('does not begin before all players have, and ends with them', async () => {
    const { limits, players, all } = crowd(64, [1]);
    all.moved();
    await turn();
    expect(limits).toEqual([]);
    all.hurry(players);
    all.moved();
    all.stop();
    await turn();
    expect(limits).toHaveLength(1);
  });

  it('keeps its pace where no window is asked for', async () => {
    const { limits, players, all } = crowd(undefined, [1]);
    all.hurry(players);
    all.moved();
    await turn();
    expect(limits).toEqual([]);
  });
});
