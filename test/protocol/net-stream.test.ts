import { expect, it } from 'vitest';
import { NetStream } from '../../src/protocol/net-stream.ts';

it.each([
  ['key', 'key', true],
  ['key?a=1', 'key', true],
  ['key', 'key?a=1', true],
  ['key?a=1', 'key?a=2', true],
  ['key', 'key2', false],
  ['', 'key', false],
])('a NetStream with %j is meant by %j: %s', (name, meant, expected) => {
  const stream = new NetStream(1);
  stream.name = name;
  expect(stream.isNamed(meant)).toBe(expected);
});
