import { describe, expect, it, vi } from 'vitest';
import { RejectedError } from '../../src/errors.ts';
import { MAX_NAME_BYTES, pathOf, streamName } from '../../src/hub/index.ts';

function rejection(app: string, name: string): string | undefined {
  try {
    streamName(app, name);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(RejectedError);
    return (error as RejectedError).code;
  }
}

describe('a stream name', () => {
  it.each([
    ['live', 'key', 'live', 'key'],
    ['live/', '/key/', 'live', 'key'],
    ['a//b', 'c', 'a/b', 'c'],
    ['live?user=me', 'key?token=x/y', 'live', 'key'],
    ['live/_definst_', 'key', 'live', 'key'],
    ['_definst_', 'key', '', 'key'],
    ['live', 'mp4:key', 'live', 'key'],
    ['live', 'flv:a/b', 'live', 'a/b'],
    ['live', '/mp4:/flv:key', 'live', 'key'],
    ['live/_definst_/_definst_', 'key', 'live', 'key'],
    ['', 'key', '', 'key'],
    ['live', 'Ka\u0308se 1', 'live', 'K\u00e4se 1'],
    ['live', 'a.b-c_d+e=f:g@h', 'live', 'a.b-c_d+e=f:g@h'],
    ['live', '__proto__', 'live', '__proto__'],
    ['live', '\u653e\u9001', 'live', '\u653e\u9001'],
  ])('of %j and %j is %j and %j', (app, name, expectedApp, expectedKey) => {
    expect(streamName(app, name)).toEqual({ app: expectedApp, key: expectedKey });
  });

  it.each([
    ['no key', 'live', ''],
    ['a key that is all query', 'live', '?token=x'],
    ['a key of slashes', 'live', '//'],
    ['a prefix without a name', 'live', 'mp4:'],
    ['a way up in the key', 'live', '../secret'],
    ['a way up in the application', 'live/..', 'key'],
    ['a dot for a directory', 'live', 'a/./b'],
    ['a backslash', 'live', 'a\\b'],
    ['a control character', 'live', 'a\u0007b'],
    ['a line end', 'li\nve', 'key'],
    ['an escape', 'live', '\u001b[31m'],
    ['a zero byte', 'live', 'a\0'],
    ['writing turned round', 'live', 'a\u202eb'],
    ['an invisible space', 'live', 'a\u200bb'],
    ['half a character', 'live', 'a\ud800'],
  ])('is refused with %s', (_why, app, name) => {
    expect(rejection(app, name)).toBe('BAD_STREAM_NAME');
  });

  it('may be 255 bytes long, and not 256, in either part', () => {
    const longest = '\u00e4'.repeat(127) + 'a';
    expect(Buffer.byteLength(longest)).toBe(MAX_NAME_BYTES);
    expect(streamName(longest, longest).key).toBe(longest);
    expect(rejection('live', `${longest}a`)).toBe('BAD_STREAM_NAME');
    expect(rejection(`${longest}a`, 'key')).toBe('BAD_STREAM_NAME');
  });

  it('is refused for its length before anything dearer is done with it', () => {
    const normalize = vi.spyOn(String.prototype, 'normalize');
    const accents = `a${'\u0315\u0300\u0316'.repeat(10_000)}`;
    expect(rejection('live', accents)).toBe('BAD_STREAM_NAME');
    expect(rejection(accents, 'key')).toBe('BAD_STREAM_NAME');
    expect(normalize.mock.contexts.map(String)).not.toContain(accents);
    normalize.mockRestore();
  });

  it('may have a query of any length, and a form that its normal one is shorter than', () => {
    expect(streamName('live', `key?token=${'x'.repeat(60_000)}`).key).toBe('key');
    expect(streamName('live', 'e\u0301'.repeat(127)).key).toBe('\u00e9'.repeat(127));
  });

  it('means the same stream wherever the client cut the address', () => {
    expect(pathOf(streamName('live/a', 'b'))).toBe(pathOf(streamName('live', 'a/b')));
    expect(pathOf(streamName('', 'live/a/b'))).toBe('live/a/b');
    expect(pathOf(streamName('live', 'b'))).not.toBe(pathOf(streamName('live/a', 'b')));
  });
});
