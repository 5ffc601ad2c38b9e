import { describe, expect, it } from 'vitest';
import { CueQueue, MAX_WAITING_CUES } from '../../../src/delivery/hls/cue-queue.ts';
import { cuesIn } from '../../support/emsg.ts';

const cue = (id: number, at: number) => ({ id, at, tag: Buffer.from('ID3') });

/** "0@100" */
function words(boxes: readonly Buffer[]): string[] {
  return cuesIn(Buffer.concat(boxes)).map(({ id, time }) => `${id}@${time}`);
}

describe('cues that wait for their part', () => {
  it('go into the part that their time is in, in the order they came', () => {
    const queue = new CueQueue();
    for (const one of [cue(0, 100), cue(1, 433), cue(2, 432), cue(3, 100)]) queue.add(one);
    expect(words(queue.take(100, 433))).toEqual(['0@100', '2@432', '3@100']);
    expect(words(queue.take(433, 766))).toEqual(['1@433']);
    expect(queue.take(766, 1_100)).toEqual([]);
  });

  it('happen at the beginning of a part if they came too late for their own', () => {
    const queue = new CueQueue();
    queue.add(cue(0, 90));
    expect(words(queue.take(100.4, 433))).toEqual(['0@101']);
  });

  it('are at most so many: the oldest go', () => {
    const queue = new CueQueue();
    for (let i = 0; i < MAX_WAITING_CUES; i++) queue.add(cue(i, 5_000));
    queue.add(cue(MAX_WAITING_CUES, 5_000));
    const taken = words(queue.take(5_000, 5_333));
    expect([taken.length, taken[0]]).toEqual([MAX_WAITING_CUES, '1@5000']);
  });
});
