import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatDuration,
  formatSize,
  markVariables,
  parseDuration,
  parseSize,
  substitute,
  unmarkVariables,
} from '../../src/config/units.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['0ms', 0],
])('reads and writes the duration %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
  expect(parseDuration(formatDuration(ms))).toBe(ms);
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  ['64KiB', 65_536],
  ['4MiB', 4_194_304],
  ['1GiB', 1_073_741_824],
  ['1500B', 1500],
])('reads and writes the size %s', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
  expect(formatSize(bytes)).toBe(text);
});

test('reads fractions, a space before the unit, decimal sizes and a bare 0', () => {
  expect(parseDuration('1.5s')).toBe(1500);
  expect(parseDuration(' 30 s ')).toBe(30_000);
  expect(parseSize('10MB')).toBe(10_000_000);
  expect(parseSize('0.5KiB')).toBe(512);
  expect(parseDuration('0')).toBe(0);
});

test.each([
  '',
  '30',
  's',
  '-1s',
  '1 week',
  '1S',
  '1e3s',
  '1s 2s',
  '0x10s',
  '30sec',
  '1KiB',
  'constructor',
  '9'.repeat(30) + 'd',
])('takes %j for no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each(['64', '64kib', '64K', '1.2.3MiB', '2Mbit/s'])('takes %j for no size', (text) => {
  expect(parseSize(text)).toBeUndefined();
});

test('writing and reading again gives the same value', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      expect(parseDuration(formatDuration(value))).toBe(value);
      expect(parseSize(formatSize(value))).toBe(value);
    }),
  );
});

const fill = (text: string, env: Record<string, string | undefined>) => substitute(markVariables(text), env);

test('puts variables in their places, once: what a value holds is not looked at again', () => {
  expect(fill('a ${X} b ${Y_2}', { X: '${Y_2}', Y_2: '}' })).toEqual({ text: 'a ${Y_2} b }', missing: [] });
});

test('leaves an escaped variable as it is written', () => {
  expect(fill('$${X} $X {X}', { X: '1' })).toEqual({ text: '${X} $X {X}', missing: [] });
});

test('names the variables that are not set; an empty one is set', () => {
  expect(fill('${A}${B}${C}', { B: '', C: undefined })).toEqual({ text: '', missing: ['A', 'C'] });
});

test('marks keep lines, need no quotes in YAML, and can be taken back', () => {
  const text = 'a: ${X}\nb: "$${Y}"\n';
  const marked = markVariables(text);
  expect(marked).not.toMatch(/[{}]/);
  expect(marked.split('\n')).toHaveLength(3);
  expect(unmarkVariables(marked)).toBe(text);
});
