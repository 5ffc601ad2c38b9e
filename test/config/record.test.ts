import { describe, expect, it } from 'vitest';
import { faults, load } from '../support/config-file.ts';

describe('record', () => {
  it('is off by default', () => {
    expect(load('').config.record).toEqual([]);
  });

  it('takes rules, and fills in where and how', () => {
    const text = `
record:
  - { match: "live/*" }
  - { match: "**", directory: /srv/records, format: mp4, split: 1h, splitSize: 2GiB }
`;
    expect(load(text).config.record).toEqual([
      { match: 'live/*', directory: 'recordings', format: 'flv', splitMs: null, splitBytes: null },
      { match: '**', directory: '/srv/records', format: 'mp4', splitMs: 3_600_000, splitBytes: 2 ** 31 },
    ]);
  });

  it('is shown as it was written', () => {
    expect(load('record: [{ match: a/b, split: 90s }]').effective).toMatch(/match: a\/b[^]*split: 90s/);
  });

  it.each([
    ['{}', 'match'],
    ['{ match: "" }', 'match'],
    ['{ match: "live//x" }', 'match'],
    ['{ match: "live/a**" }', 'match'],
    ['{ match: a, format: ts }', 'format'],
    ['{ match: a, split: 999ms }', 'split'],
    ['{ match: a, split: 1h, splitSize: 1KiB }', 'splitSize'],
    ['{ match: a, directory: "" }', 'directory'],
    ['{ match: a, folder: x }', 'folder'],
  ])('refuses %s', (rule, key) => {
    expect(faults(`record: [${rule}]`)).toEqual([expect.stringContaining(`record[0].${key}`)]);
  });
});
