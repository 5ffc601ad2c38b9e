import type { RecordRule } from '../delivery/index.ts';
import { patternFault } from '../hub/index.ts';
import { choice, duration, list, section, size, text } from './fields.ts';
import type { Settings } from './schema.ts';

const rule = section({
  match: text(
    'streams such as live/* (one part of a path) or ** (all)',
    (pattern) => patternFault(pattern) === undefined,
  ),
  directory: text('the path of a directory').default('recordings'),
  format: choice('flv', 'mp4').default('flv'),
  // Below a second, a file for nearly every keyframe.
  split: duration({ min: 1000, max: 7 * 86_400_000 })
    .nullable()
    .default(null),
  splitSize: size({ min: 1024 * 1024 })
    .nullable()
    .default(null),
});

/** `record`: what is recorded, where and how. */
export const recordKeys = list(rule).default([]);

export function recordRules({ record }: Pick<Settings, 'record'>): RecordRule[] {
  return record.map(({ match, directory, format, split, splitSize }) => ({
    match,
    directory,
    format,
    splitMs: split,
    splitBytes: splitSize,
  }));
}
