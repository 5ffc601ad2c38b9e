import { describe, expect, it } from 'vitest';
import { Excerpt, playDuration } from '../../src/endpoint/excerpt.ts';
import { audio, avcHeader, cuePoint, metadata } from '../support/frames.ts';
import { Player } from '../support/stage.ts';

function excerpt(durationMs: number) {
  const player = new Player();
  let over = 0;
  return { player, subscriber: new Excerpt(player, durationMs, () => over++), over: () => over };
}

describe('an excerpt', () => {
  it('ends with the first frame that is so much later than the first one, and says so once', () => {
    const { player, subscriber, over } = excerpt(100);
    for (const time of [5000, 4990, 5099, 5100, 5050, 5200]) subscriber.deliver(audio(time));
    expect(player.frames.map(({ timestamp }) => timestamp)).toEqual([5000, 4990, 5099]);
    expect(over()).toBe(1);
  });

  it('passes the wrap of timestamps', () => {
    const { player, subscriber, over } = excerpt(100);
    for (const time of [2 ** 32 - 50, 0, 49]) subscriber.deliver(audio(time));
    expect([player.frames.length, over()]).toEqual([3, 0]);
    subscriber.deliver(audio(50));
    expect(over()).toBe(1);
  });

  it('is not ended, nor begun, by data and configurations: they are stamped with anything', () => {
    const { player, subscriber, over } = excerpt(100);
    for (const frame of [metadata(0), avcHeader(0), audio(5000), cuePoint(9000), cuePoint(0), audio(5099)]) {
      subscriber.deliver(frame);
    }
    expect([player.frames.length, over()]).toEqual([6, 0]);
    subscriber.deliver(audio(5100));
    expect(over()).toBe(1);
  });

  it('passes news on until it is over', () => {
    const { player, subscriber } = excerpt(100);
    subscriber.published();
    for (const time of [0, 100]) subscriber.deliver(audio(time));
    subscriber.unpublished();
    expect(player.news).toEqual(['published']);
  });
});

describe('the duration of play', () => {
  it.each([
    [-2000, 0],
    [-1, 0],
    [0, 0],
    [NaN, 0],
    [3000, 3000],
    [1000, 1000],
    [10, 10_000],
    [0.5, 500],
    [1e300, 2 ** 31 - 1],
    [Infinity, 2 ** 31 - 1],
  ])('%d is %i ms', (duration, ms) => {
    expect(playDuration(duration)).toBe(ms);
  });
});
