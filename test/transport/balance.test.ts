import { describe, expect, it } from 'vitest';
import { byHash, byLoad, streamKey, type Candidate } from '../../src/transport/balance.ts';

const server = (name: string, given: Partial<Candidate> = {}): Candidate => ({
  name,
  weight: 1,
  load: 0,
  chosenAt: 0,
  ...given,
});
const names = (candidates: readonly Candidate[]): string => candidates.map(({ name }) => name).join(' ');

describe('by load', () => {
  it('the least loaded comes first', () => {
    expect(names(byLoad([server('a', { load: 3 }), server('b', { load: 1 }), server('c', { load: 2 })]))).toBe('b c a');
  });

  it('a heavier server is as loaded with twice as many', () => {
    expect(names(byLoad([server('a', { load: 1 }), server('b', { load: 2, weight: 2 })]))).toBe('b a');
    expect(names(byLoad([server('a', { load: 1 }), server('b', { load: 4, weight: 2 })]))).toBe('a b');
  });

  it('equals take turns', () => {
    expect(names(byLoad([server('a', { chosenAt: 3 }), server('b', { chosenAt: 1 })]))).toBe('b a');
  });
});

describe('by hash', () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `live/stream-${index}`);
  const pool = [server('rtmp://a:1935'), server('rtmp://b:1935'), server('rtmp://c:1935')];
  const firstOf = (candidates: readonly Candidate[], key: string): string => byHash(candidates, key)[0]!.name;
  const shares = (candidates: readonly Candidate[]): number[] =>
    candidates.map(({ name }) => keys.filter((key) => firstOf(candidates, key) === name).length);

  it('every key always belongs to the same server, in whatever order they are named', () => {
    for (const key of keys.slice(0, 200)) expect(firstOf(pool, key)).toBe(firstOf(pool.toReversed(), key));
  });

  it('does not depend on the process: these choices are for ever', () => {
    const chosen = ['live/test', 'live/other', 'app/x/y'].map((key) => names(byHash(pool, key)));
    expect(chosen).toMatchInlineSnapshot(`
      [
        "rtmp://c:1935 rtmp://b:1935 rtmp://a:1935",
        "rtmp://b:1935 rtmp://a:1935 rtmp://c:1935",
        "rtmp://b:1935 rtmp://a:1935 rtmp://c:1935",
      ]
    `);
  });

  it('keys spread evenly', () => {
    for (const share of shares(pool)) expect(Math.abs(share - keys.length / 3)).toBeLessThan(200);
  });

  it('keys spread by weight', () => {
    const [a, b] = shares([server('rtmp://a:1935', { weight: 3 }), server('rtmp://b:1935')]);
    expect(Math.abs(a! - 7500)).toBeLessThan(200);
    expect(Math.abs(b! - 2500)).toBeLessThan(200);
  });

  it('only the keys of a server that goes move, and to all others', () => {
    const left = pool.slice(1);
    const moved = new Map<string, number>();
    for (const key of keys) {
      const [before, after] = [firstOf(pool, key), firstOf(left, key)];
      if (before === 'rtmp://a:1935') moved.set(after, (moved.get(after) ?? 0) + 1);
      else expect(after).toBe(before);
    }
    for (const share of moved.values()) expect(Math.abs(share - keys.length / 6)).toBeLessThan(200);
  });

  it('the second choice is where a key goes when its first is away', () => {
    for (const key of keys.slice(0, 200)) {
      const [first, second] = byHash(pool, key);
      expect(
        firstOf(
          pool.filter((candidate) => candidate !== first),
          key,
        ),
      ).toBe(second!.name);
    }
  });
});

it.each([
  ['live', 'test', 'live/test'],
  ['live', 'test?token=1', 'live/test'],
  ['live/', '/test', 'live/test'],
  ['live/a', 'b', 'live/a/b'],
  ['live', 'a/b', 'live/a/b'],
  ['live?vhost=x', 'a', 'live/a'],
  ['', '', ''],
])('%j and %j are the stream %j', (app, name, key) => {
  expect(streamKey(app, name)).toBe(key);
});
