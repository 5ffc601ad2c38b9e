import { describe, expect, test } from 'vitest';
import { Flight, Flights } from '../../../src/transport/rtmpt/delivery.ts';
import type { Engine } from '../../../src/transport/rtmpt/post.ts';

const ONE: Engine = { wake() {}, resume() {} };
const OTHER: Engine = { wake() {}, resume() {} };

function flights(...list: ReadonlyArray<readonly [number, Engine]>): { flights: Flights; sent: Flight[] } {
  const result = new Flights();
  const sent = list.map(([number, engine]) => new Flight(number, [], 10, engine, number * 100));
  for (const flight of sent) result.add(flight);
  return { flights: result, sent };
}

test('what has landed is forgotten', () => {
  const { flights: all, sent } = flights([0, ONE], [1, ONE]);
  for (const flight of sent) all.landed(flight);
  expect(all.none).toBe(true);
  expect(all.lost(sent[0]!)).toEqual([]);
});

test('what was lost is to be put back, all of it, in order', () => {
  const { flights: all, sent } = flights([0, ONE], [1, ONE]);
  expect(all.lost(sent[0]!)).toEqual([]);
  expect(all.lost(sent[1]!)).toEqual(sent);
  expect(all.none).toBe(true);
  expect(all.isBroken).toBe(false);
});

test('what landed before the loss stays where it is', () => {
  const { flights: all, sent } = flights([0, ONE], [1, ONE]);
  all.landed(sent[0]!);
  expect(all.lost(sent[1]!)).toEqual([sent[1]]);
});

test.each(['first the landing', 'first the loss'])(
  'a loss behind which something landed cannot be repaired: %s',
  (order) => {
    const { flights: all, sent } = flights([0, ONE], [1, OTHER]);
    const [early, late] = sent as [Flight, Flight];
    if (order === 'first the landing') all.landed(late);
    expect(all.lost(early)).toEqual([]);
    if (order === 'first the loss') all.landed(late);
    expect(all.isBroken).toBe(true);
  },
);

test('a payload that was given twice is lost only when both are', () => {
  const { flights: all, sent } = flights([0, ONE]);
  const [flight] = sent as [Flight];
  flight.pending += 1;
  expect(all.lost(flight)).toEqual([]);
  expect(all.none).toBe(false);
  expect(all.lost(flight)).toEqual([flight]);
});

test('... and has landed when one of them has', () => {
  const { flights: all, sent } = flights([0, ONE]);
  const [flight] = sent as [Flight];
  flight.pending += 1;
  all.landed(flight);
  expect(all.lost(flight)).toEqual([]);
  expect([all.none, all.isBroken]).toEqual([true, false]);
});

describe('whether others must stay bare', () => {
  test('nobody when nothing is under way', () => {
    expect(flights().flights.unsureUntil(ONE, 500)).toBe(-Infinity);
  });

  test('the same connection need not, any other for 500 ms', () => {
    const { flights: all } = flights([3, ONE]);
    expect(all.unsureUntil(ONE, 500)).toBe(-Infinity);
    expect(all.unsureUntil(OTHER, 500)).toBe(800);
  });
});
