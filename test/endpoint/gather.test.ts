import { describe, expect, it } from 'vitest';
import { Gatherer } from '../../src/endpoint/gather.ts';
import { encodingOf, frameFromMessage, type Frame } from '../../src/media/index.ts';

const frame = (bytes: number, timestamp: number): Frame =>
  frameFromMessage({ type: 9, streamId: 1, timestamp, payload: Buffer.alloc(bytes, timestamp) });

describe('Gatherer', () => {
  it('makes one Buffer of small frames, in order', () => {
    const frames = [frame(10, 1), frame(20, 2), frame(30, 3)];
    const pieces = new Gatherer().gather(frames, 1, 65536);
    expect(pieces).toHaveLength(1);
    expect(pieces[0]).toEqual(Buffer.concat(frames.map((each) => encodingOf(each, 1, 65536))));
  });

  it('gives every player that is due the same frames the same Buffer', () => {
    const gatherer = new Gatherer();
    const frames = [frame(10, 1), frame(20, 2)];
    expect(gatherer.gather([...frames], 1, 65536)[0]).toBe(gatherer.gather([...frames], 1, 65536)[0]);
  });

  it('never confuses players that are due different frames, ids or chunk sizes', () => {
    const gatherer = new Gatherer();
    const [a, b, c, d] = [frame(10, 1), frame(10, 2), frame(10, 3), frame(10, 4)];
    const first = Buffer.concat(gatherer.gather([a, b, d], 1, 65536));
    const second = Buffer.concat(gatherer.gather([a, c, d], 1, 65536));
    expect(second).not.toEqual(first);
    expect(Buffer.concat(gatherer.gather([a, c, d], 2, 65536))).not.toEqual(second);
    expect(Buffer.concat(gatherer.gather([frame(300, 1)], 1, 128)).length).toBe(300 + 12 + 2);
  });

  it('does not copy large frames, and keeps their place', () => {
    const frames = [frame(10, 1), frame(100_000, 2), frame(20, 3)];
    const pieces = new Gatherer().gather(frames, 1, 65536);
    expect(pieces).toHaveLength(3);
    expect(pieces[1]).toBe(encodingOf(frames[1]!, 1, 65536));
  });

  it('passes a single frame on as its shared encoding', () => {
    const only = frame(10, 1);
    expect(new Gatherer().gather([only], 1, 65536)[0]).toBe(encodingOf(only, 1, 65536));
  });
});
