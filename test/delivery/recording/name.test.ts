import { basename, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordingPlace } from '../../../src/delivery/recording/name.ts';
import { streamName } from '../../../src/hub/index.ts';

const NOON = new Date(Date.UTC(2026, 7, 1, 12, 0, 0, 42));

function pathFor(app: string, key: string): string {
  const { folders, stem } = recordingPlace({ app, key }, NOON);
  return [...folders, stem].join('/');
}

describe("A recording's name", () => {
  it('is the stream and the time in UTC, so that names sort as times do', () => {
    expect(pathFor('live', 'cam')).toBe('live/cam-20260801T120000.042Z');
    const later = recordingPlace(streamName('live', 'cam'), new Date(NOON.getTime() + 1));
    expect(later.stem > 'cam-20260801T120000.042Z').toBe(true);
  });

  it('keeps letters of any script, and folders for what has slashes', () => {
    expect(pathFor('live/eu', 'küche/カメラ_1')).toBe('live/eu/küche/カメラ_1-20260801T120000.042Z');
  });

  it.each([
    ['..', '..', '%2E%2E'],
    ['.', '.', '%2E'],
    ['live', '.hidden', '%2Ehidden'],
    ['live', 'a\\b', 'a%5Cb'],
    ['live', 'a:b|c?d*e"f<g>h', 'a%3Ab%7Cc%3Fd%2Ae%22f%3Cg%3Eh'],
    ['live', 'a b%2Fc', 'a%20b%252Fc'],
    ['live', 'a\0b\n', 'a%00b%0A'],
    ['live', 'con', '_con'],
    ['live', 'NUL.x', '_NUL.x'],
  ])('has nothing of %j, %j that leaves its folder or is odd in a file system', (app, key, shown) => {
    const path = pathFor(app, key);
    expect(basename(path)).toContain(shown);
    expect(relative('/records', normalize(join('/records', path)))).toBe(path);
  });

  it('never leaves its folder, whatever the stream is called', () => {
    for (const key of ['../../etc/passwd', '/etc/passwd', './../x', 'a/../../b', '..%2F..', '%2e%2e/x', '....//x']) {
      const path = pathFor('..', key);
      expect(normalize(join('/records', path)).startsWith('/records/')).toBe(true);
      expect(path.split('/').some((part) => part.startsWith('.'))).toBe(false);
    }
  });

  it('fits into a file system, and stays different when it is cut', () => {
    const [one, other] = [`${'ä'.repeat(120)}1`, `${'ä'.repeat(120)}2`].map((key) => pathFor('', key));
    expect(Buffer.byteLength(`${one}-99.flv.part`)).toBeLessThanOrEqual(255);
    expect(one).not.toBe(other);
  });
});
