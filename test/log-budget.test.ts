import { beforeEach, expect, test } from 'vitest';
import { frugal, LINE_BUDGET } from '../src/log-budget.ts';
import type { Log } from '../src/log.ts';
import { recordingLog, type LogLine } from './support/recording-log.ts';

let now: number;
let log: Log;
let lines: LogLine[];
beforeEach(() => {
  now = 0;
  const recording = recordingLog();
  lines = recording.lines;
  log = frugal(recording.log, () => now);
});

const flood = (to: Log, count: number, fields: object = {}) => {
  for (let i = 0; i < count; i++) to.info(fields, 'refused');
};

test('an address has so many lines a minute, and the next minute tells how many were withheld', () => {
  const child = log.child({ peer: 'c-1', address: '192.0.2.1' });
  flood(child, LINE_BUDGET.lines + 7);
  expect(lines).toHaveLength(LINE_BUDGET.lines);
  now = LINE_BUDGET.windowMs;
  child.warn({ code: 'X' }, 'ended');
  child.info({}, 'publishing');
  expect(lines.slice(-2)).toEqual([
    { level: 'warn', fields: { peer: 'c-1', address: '192.0.2.1', code: 'X', linesWithheld: 7 }, message: 'ended' },
    { level: 'info', fields: { peer: 'c-1', address: '192.0.2.1' }, message: 'publishing' },
  ]);
});

test('all connections of an address share it, children of children too, and the others have their own', () => {
  flood(log.child({ address: '192.0.2.1' }).child({ stream: 'a' }), LINE_BUDGET.lines);
  log.child({ address: '192.0.2.1' }).info({}, 'withheld');
  log.info({ address: '192.0.2.1' }, 'withheld');
  log.info({ address: '192.0.2.2' }, 'told');
  expect(lines.slice(LINE_BUDGET.lines).map(({ message }) => message)).toEqual(['told']);
});

test('what concerns no address, details and our own faults always pass', () => {
  const child = log.child({ address: '192.0.2.1' });
  flood(child, LINE_BUDGET.lines + 1);
  flood(log, LINE_BUDGET.lines + 1);
  child.debug({}, 'detail');
  child.error({}, 'our fault');
  expect(lines).toHaveLength(2 * LINE_BUDGET.lines + 3);
});

test('thousands of addresses are forgotten once their minute is over, and not before', () => {
  const one = { address: '192.0.2.1' };
  flood(log, LINE_BUDGET.lines + 1, one);
  for (let i = 0; i < 5_000; i++) log.info({ address: `10.0.${i >> 8}.${i & 255}` }, 'came');
  log.info(one, 'still withheld');
  expect(lines.at(-1)?.message).toBe('came');
  now = LINE_BUDGET.windowMs;
  for (let i = 0; i < 5_000; i++) log.info({ address: `10.1.${i >> 8}.${i & 255}` }, 'came');
  log.info(one, 'told, and its count is gone with it');
  expect(lines.at(-1)).toEqual({ level: 'info', fields: one, message: 'told, and its count is gone with it' });
});
