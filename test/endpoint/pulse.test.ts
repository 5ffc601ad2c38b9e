import { describe, expect, it } from 'vitest';
import { Pulse } from '../../src/endpoint/pulse.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Pulse', () => {
  it('beats everyone marked in a turn together, once, and then runs what comes after', async () => {
    const beats: string[] = [];
    const pulse = new Pulse(() => beats.push('after'));
    pulse.mark({ beat: () => beats.push('a') });
    pulse.mark({ beat: () => beats.push('b') });
    expect(beats).toEqual([]);
    await turn();
    expect(beats).toEqual(['a', 'b', 'after']);
    await turn();
    expect(beats).toHaveLength(3);
  });

  it('gives one that marks itself while beating its beat in the next turn', async () => {
    let beats = 0;
    const pulse = new Pulse();
    const again = {
      beat: () => {
        beats += 1;
        if (beats === 1) pulse.mark(again);
      },
    };
    pulse.mark(again);
    await turn();
    expect(beats).toBe(1);
    await turn();
    expect(beats).toBe(2);
  });
});
