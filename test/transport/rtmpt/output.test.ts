import { expect, test } from 'vitest';
import { Memory } from '../../../src/transport/rtmpt/memory.ts';
import { Output, cutTail, lengthOf } from '../../../src/transport/rtmpt/output.ts';

function output(...writes: string[]): { out: Output; memory: Memory } {
  const memory = new Memory(Infinity);
  const out = new Output(memory);
  for (const write of writes) out.push(Buffer.from(write));
  return { out, memory };
}

const text = (chunks: readonly Buffer[]): string[] => chunks.map(String);

test('everything is taken when it fits', () => {
  const { out, memory } = output('one', '', 'two');
  expect(memory.bytes).toBe(6);
  expect(text(out.take(6, true))).toEqual(['one', 'two']);
  expect([out.bytes, memory.bytes]).toEqual([0, 0]);
});

test('otherwise what is taken ends with a write', () => {
  const { out, memory } = output('one', 'two', 'three');
  expect(text(out.take(8, true))).toEqual(['one', 'two']);
  expect([out.bytes, memory.bytes]).toEqual([5, 5]);
});

test('a write that is longer than all that may be taken is cut, if that is wanted', () => {
  const { out } = output('endless', 'next');
  expect(text(out.take(3, false))).toEqual([]);
  expect(text(out.take(3, true))).toEqual(['end']);
  expect(text(out.take(100, true))).toEqual(['less', 'next']);
});

test('what is put back comes first', () => {
  const { out, memory } = output('third');
  out.unshift([Buffer.from('first'), Buffer.from('second')]);
  expect(memory.bytes).toBe(16);
  expect(text(out.clear())).toEqual(['first', 'second', 'third']);
  expect(memory.bytes).toBe(0);
});

test.each([
  [0, 'abc def ghi', ''],
  [2, 'abc def g', 'hi'],
  [3, 'abc def', 'ghi'],
  [4, 'abc de', 'f ghi'],
  [9, '', 'abc def ghi'],
  [20, '', 'abc def ghi'],
])('%d bytes cut off the end', (bytes, kept, cut) => {
  const chunks = ['abc', 'def', 'ghi'].map((part) => Buffer.from(part));
  const tail = cutTail(chunks, bytes);
  expect([text(chunks).join(' '), text(tail).join(' ')]).toEqual([kept, cut]);
  expect(lengthOf(chunks) + lengthOf(tail)).toBe(9);
});
