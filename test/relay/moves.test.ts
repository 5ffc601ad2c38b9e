import { expect, it } from 'vitest';
import { streamName } from '../../src/hub/index.ts';
import { MAX_MOVES, Moves, MOVES_WITHIN_MS } from '../../src/relay/moves.ts';
import { targetTemplate } from '../../src/relay/target.ts';

const at = (url: string) => targetTemplate(url).fill(streamName('live', 'show'));

it('a server may send us elsewhere a few times a minute', () => {
  const moves = new Moves();
  const from = at('rtmp://h/app/key');
  for (let count = 0; count < MAX_MOVES; count++)
    expect(moves.next(from, '//other/app', count)).toMatchObject({ app: 'app' });
  expect(moves.next(from, '//other/app', MOVES_WITHIN_MS - 1)).toMatch(/3 times in 60 s/);
  expect(moves.next(from, '//other/app', MOVES_WITHIN_MS)).toMatchObject({ dial: 'rtmp://other' });
  expect(moves.next(from, '//other/app', MOVES_WITHIN_MS)).toMatch(/times/);
});

it.each([
  ['rtmps://h/app/key', 'rtmp://other/app', 'the way there would not be encrypted'],
  ['rtmpts://h/app/key', 'rtmpt://other/app', 'the way there would not be encrypted'],
  ['rtmp://h/app/key', 'https://other/app', 'what it names is no address of RTMP'],
])('from %s nobody goes to %s', (from, to, reason) => {
  const moves = new Moves();
  expect(moves.next(at(from), to, 0)).toBe(reason);
  // What was not followed does not count.
  for (let count = 0; count < MAX_MOVES; count++)
    expect(moves.next(at(from), undefined, 0)).toMatchObject({ key: 'key' });
});

it.each([
  ['rtmp://h/app/key', 'rtmps://other/app'],
  ['rtmps://h/app/key', 'rtmpts://other/app'],
])('from %s to %s is fine', (from, to) => {
  expect(new Moves().next(at(from), to, 0)).toMatchObject({ tcUrl: to });
});
