import { describe, expect, it } from 'vitest';
import { patternFault, streamMatcher } from '../../src/hub/index.ts';

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
    ['live/cam-*-hd', 'live/cam--hd', true],
    ['live/cam-*-hd', 'live/cam-hd', false],
    ['**', 'x/y/z', true],
    ['**', 'x', true],
    ['live/**', 'live/a/b', true],
    ['live/**', 'live', false],
    ['live/**', 'other/a', false],
    ['**/cam', 'a/b/cam', true],
    ['**/cam', 'cam', false],
    ['a/**/b/**/c', 'a/1/b/2/c', true],
    ['a/**/b/**/c', 'a/b/b/b/c', true],
    ['a/**/b/**/c', 'a/1/b/c', false],
    ['a/**/b/**/c', 'a/b/2/c', false],
    ['**/*-hd/**', 'x/one-hd/y', true],
    ['**/**', 'a', false],
    ['**/**', 'a/b', true],
  ])('%s and %s: %s', (pattern, path, matches) => {
    expect(streamMatcher(pattern)(path)).toBe(matches);
  });

  it.each(['', '/', 'live//x', 'live/a**', '***'])('like "%s" could not mean anything', (pattern) => {
    expect(patternFault(pattern)).toBeDefined();
  });

  it('takes no time for a name made to keep it busy', () => {
    expect(streamMatcher('live/*a*a*a*a*b')(`live/${'a'.repeat(255)}`)).toBe(false);
    expect(streamMatcher(`${'**/a/'.repeat(40)}b`)(Array(250).fill('a').join('/'))).toBe(false);
  });
});
