import { describe, expect, it } from 'vitest';
import { SendQueue } from '../../../src/transport/rtmpt/send-queue.ts';
import { cuts } from '../../support/feed.ts';
import { seeded } from '../../support/random.ts';

describe('what waits to be sent', () => {
  it('leaves all together, up to the cap', () => {
    const queue = new SendQueue(10);
    for (const piece of ['ab', '', 'cdef', 'ghijklm']) queue.push(Buffer.from(piece));
    expect(queue.take().toString()).toBe('abcdefghij');
    expect(queue.take().toString()).toBe('klm');
    expect(queue.empty).toBe(true);
    expect(queue.take()).toHaveLength(0);
  });

  it('is full one byte beyond the cap', () => {
    const queue = new SendQueue(10);
    queue.push(Buffer.alloc(10));
    expect(queue.full).toBe(false);
    queue.push(Buffer.alloc(1));
    expect(queue.full).toBe(true);
    queue.take();
    expect(queue.full).toBe(false);
  });

  it('keeps every byte in order, however it was cut', () => {
    const random = seeded(3);
    for (let round = 0; round < 200; round++) {
      const queue = new SendQueue(1 + random.int(50));
      const bytes = random.bytes(1 + random.int(400));
      for (const piece of cuts(bytes, random)) queue.push(piece);
      const taken: Buffer[] = [];
      while (!queue.empty) taken.push(queue.take());
      expect(Buffer.concat(taken).equals(bytes)).toBe(true);
    }
  });

  it('can be emptied', () => {
    const queue = new SendQueue(10);
    queue.push(Buffer.alloc(30));
    queue.clear();
    expect(queue.empty).toBe(true);
    expect(queue.take()).toHaveLength(0);
  });
});
