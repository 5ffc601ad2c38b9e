import { describe, expect, test } from 'vitest';
import { Memory, Remembered, type Payload } from '../../../src/transport/rtmpt/memory.ts';

const LIMITS = { maxRemembered: 4, maxRememberedBytes: 100 };

function payload(number: number, bytes: number): Payload {
  return { number, bytes, chunks: [Buffer.alloc(bytes)] };
}

function numbers(remembered: Remembered<Payload>, upTo: number): number[] {
  return Array.from({ length: upTo + 1 }, (_, number) => number).filter((number) => remembered.get(number));
}

describe('remembered answers', () => {
  test('are those of the last numbers', () => {
    const remembered = new Remembered(new Memory(Infinity), LIMITS);
    for (let number = 0; number <= 10; number++) remembered.add(payload(number, 1));
    expect(numbers(remembered, 10)).toEqual([7, 8, 9, 10]);
    remembered.add(payload(13, 1));
    expect(numbers(remembered, 13)).toEqual([10, 13]);
  });

  test('are as many bytes as allowed; the newest is kept whatever its size, and not counted', () => {
    const memory = new Memory(Infinity);
    const remembered = new Remembered(memory, LIMITS);
    for (const number of [0, 1]) remembered.add(payload(number, 50));
    remembered.add(payload(2, 1));
    expect(numbers(remembered, 2)).toEqual([0, 1, 2]);
    remembered.add(payload(3, 1000));
    expect(numbers(remembered, 3)).toEqual([1, 2, 3]);
    remembered.add(payload(4, 1));
    expect(numbers(remembered, 4)).toEqual([4]);
    expect(memory.bytes).toBe(1);
    remembered.clear();
    expect(memory.bytes).toBe(0);
  });

  test('one that was put back is forgotten; a stranger with its number is not', () => {
    const memory = new Memory(Infinity);
    const remembered = new Remembered(memory, LIMITS);
    const first = payload(0, 10);
    remembered.add(first);
    remembered.remove(payload(0, 10));
    expect(remembered.get(0)).toBe(first);
    remembered.remove(first);
    remembered.remove(first);
    expect(remembered.get(0)).toBeUndefined();
    expect(memory.bytes).toBe(0);
  });
});

describe('memory', () => {
  test('is full only when no old answer is left to go, the oldest of all sessions first', () => {
    const memory = new Memory(100);
    const [one, two] = [new Remembered(memory, LIMITS), new Remembered(memory, LIMITS)];
    one.add(payload(0, 30));
    two.add(payload(0, 30));
    one.add(payload(1, 30));
    expect(memory.isFull(10)).toBe(false);
    expect(memory.bytes).toBe(90);
    expect(memory.isFull(11)).toBe(false);
    expect([one.get(0), two.get(0)?.bytes, one.get(1)?.bytes]).toEqual([undefined, 30, 30]);
    memory.add(90);
    expect(memory.isFull(11)).toBe(true);
    expect(memory.isFull(10)).toBe(false);
    expect(memory.bytes).toBe(90);
    expect([two.get(0), one.get(1)]).toEqual([undefined, undefined]);
  });

  test('an answer that does not fit is not kept', () => {
    const memory = new Memory(10);
    const remembered = new Remembered(memory, LIMITS);
    remembered.add(payload(0, 11));
    expect(remembered.get(0)).toBeUndefined();
    expect(memory.bytes).toBe(0);
  });
});
