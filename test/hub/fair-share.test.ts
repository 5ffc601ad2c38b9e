import { describe, expect, it } from 'vitest';
import { FairShare } from '../../src/hub/fair-share.ts';

describe('the memory for groups of pictures', () => {
  it('refuses nobody while it is not used up', () => {
    const memory = new FairShare(100);
    memory.change(0, 100);
    expect(memory.bytes).toBe(100);
    expect(memory.refuses(100)).toBe(false);
  });

  it('refuses, one byte beyond, who has more than an equal share, and nobody else', () => {
    const memory = new FairShare(100);
    memory.change(0, 51);
    memory.change(0, 50);
    expect(memory.refuses(51)).toBe(true);
    expect(memory.refuses(50)).toBe(false);
  });

  it('counts a group that is gone no longer', () => {
    const memory = new FairShare(100);
    memory.change(0, 90);
    memory.change(0, 90);
    memory.change(90, 0);
    expect([memory.bytes, memory.refuses(90)]).toEqual([90, false]);
    memory.change(90, 101);
    expect([memory.refuses(100), memory.refuses(101)]).toEqual([false, true]);
  });

  it('stays below twice its bound, whatever a thousand streams do', () => {
    const memory = new FairShare(10_000);
    const groups = Array.from({ length: 1000 }, () => 0);
    const grow = (index: number, by: number) => {
      const before = groups[index]!;
      memory.change(before, before + by);
      groups[index] = before + by;
      if (!memory.refuses(before + by)) return;
      memory.change(before + by, 0);
      groups[index] = 0;
    };
    for (let i = 0; i < 10; i++) for (let step = 0; step < 100; step++) grow(i, 10);
    for (let step = 0; step < 100; step++) for (let i = 0; i < 1000; i++) grow(i, 1 + (step % 3));
    expect(memory.bytes).toBeLessThanOrEqual(20_000);
    expect(memory.bytes).toBe(groups.reduce((sum, bytes) => sum + bytes, 0));
  });
});
