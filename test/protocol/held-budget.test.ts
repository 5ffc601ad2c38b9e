import { describe, expect, it } from 'vitest';
import { HeldBudget } from '../../src/protocol/held-budget.ts';

const message = (bytes: number) => ({ type: 8, streamId: 1, timestamp: 0, payload: Buffer.alloc(bytes) });

describe('the budget of held messages', () => {
  it('counts bytes up to the limit and not one past it', () => {
    const budget = new HeldBudget(1000);
    expect(budget.take(message(801))).toBe(false);
    expect(budget.take(message(800))).toBe(true);
    budget.clear();
    expect(budget.take(message(800))).toBe(true);
  });

  it('counts pieces too: empty ones cost as well', () => {
    const budget = new HeldBudget(1000);
    const taken = Array.from({ length: 10 }, () => budget.take(message(0)));
    expect(taken.filter(Boolean)).toHaveLength(5);
  });
});
