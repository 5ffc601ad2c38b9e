import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { limits } from '../../src/config/limits.ts';
import type { Limits } from '../../src/config/limits.ts';
import { faults, load } from '../support/config-file.ts';

const DEFAULTS = limits.decode({}) as Limits;
const names = Object.keys(DEFAULTS) as (keyof Limits)[];

/** Every number in a tree, by its path. */
function numbersIn(tree: unknown, path = ''): [string, number][] {
  if (typeof tree === 'number') return [[path, tree]];
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) => numbersIn(value, `${path}.${key}`));
}

test.each(names)('limits.%s reaches the options of a room', (name) => {
  const changed = DEFAULTS[name] - 1;
  const text = (limits.encode({ ...DEFAULTS, [name]: changed }) as Record<string, unknown>)[name];
  const before = new Map(numbersIn(load('').config));
  const differing = numbersIn(load(`limits: { ${name}: ${String(text)} }`).config).filter(
    ([path, value]) => before.get(path) !== value,
  );
  expect(differing.length).toBeGreaterThan(0);
  for (const [, value] of differing) expect(value).toBe(changed);
});

test('the smallest limit of connections is one, and none is refused', () => {
  expect(load('limits: { connections: 1, connectionsPerAddress: 1 }').config.limits).toEqual({
    connections: 1,
    connectionsPerAddress: 1,
  });
  expect(faults('limits: { connections: 0 }')).toEqual([
    'f.yaml:1: limits.connections: expected a whole number (at least 1), got 0',
  ]);
});

test('defaults are printed as one would write them, and can be read back', () => {
  const printed = parse(load('').effective) as { limits: Record<string, unknown> };
  expect(Object.keys(printed.limits)).toEqual(names);
  expect(printed.limits).toMatchObject({ connections: 20000, handshakeTimeout: '10s', mediaMessage: '8MiB' });
});
