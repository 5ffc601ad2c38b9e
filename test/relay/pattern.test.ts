import { describe, expect, it } from 'vitest';
import { matcher, patternFault } from '../../src/relay/pattern.ts';

describe('a pattern', () => {
  it.each([
    ['live/*', 'live/show', true],
    ['live/*', 'live/a/b', false],
    ['live/*', 'live', false],
    ['*/*', 'a/b', true],
    ['live/cam-*', 'live/cam-7', true],
    ['live/cam-*', 'live/camera', false],
    ['live/*-hd', 'live/one-hd', true],
    ['live/*/*', 'live/a/b', true],
    ['/live/show/', 'live/show', true],
    ['live/a.b', 'live/axb', false],
    ['live/(a|b)', 'live/a', false],
    ['live/a[b]', 'live/a[b]', true],
    ['*', 'show', true],
    ['*', 'live/show', false],
    ['live/cafe\u0301', 'live/caf\u00e9', true],
    ['live/show', 'live/show2', false],
    ['LIVE/*', 'live/show', false],
  ])('%s and %s: %s', (pattern, path, matches) => {
    expect(matcher(pattern)(path)).toBe(matches);
  });

  it.each(['', '/', 'live//x', 'live/**'])('like "%s" could not mean anything', (pattern) => {
    expect(patternFault(pattern)).toBeDefined();
  });

  it('takes no time for a name made to keep it busy', () => {
    expect(matcher('live/*a*a*a*a*b')(`live/${'a'.repeat(255)}`)).toBe(false);
  });
});
