import { describe, expect, it } from 'vitest';
import { Progress } from '../../src/relay/progress.ts';

const MB = 1_000_000;

describe('progress', () => {
  it('is not missed of a server that never acknowledges', () => {
    const progress = new Progress(1000, 0);
    expect(progress.isStuck({ sent: 500 * MB, acknowledged: 0 }, 1e6)).toBe(false);
  });

  it('has stopped when more than two windows are owed, and nothing came for so long', () => {
    const progress = new Progress(1000, 0);
    expect(progress.isStuck({ sent: 3 * MB, acknowledged: 2.5 * MB }, 100)).toBe(false);
    expect(progress.isStuck({ sent: 7.5 * MB, acknowledged: 2.5 * MB }, 5000)).toBe(false);
    expect(progress.isStuck({ sent: 7.5 * MB + 1, acknowledged: 2.5 * MB }, 1099)).toBe(false);
    expect(progress.isStuck({ sent: 7.5 * MB + 1, acknowledged: 2.5 * MB }, 1100)).toBe(true);
  });

  it('is judged by the steps in which the server acknowledges', () => {
    const progress = new Progress(1000, 0);
    expect(progress.isStuck({ sent: 6 * MB, acknowledged: 5 * MB }, 100)).toBe(false);
    expect(progress.isStuck({ sent: 15 * MB, acknowledged: 5 * MB }, 9000)).toBe(false);
    expect(progress.isStuck({ sent: 16 * MB, acknowledged: 10 * MB }, 9100)).toBe(false);
    expect(progress.isStuck({ sent: 21 * MB, acknowledged: 10 * MB }, 9101)).toBe(false);
    expect(progress.isStuck({ sent: 21 * MB, acknowledged: 10 * MB }, 11_000)).toBe(true);
  });
});
