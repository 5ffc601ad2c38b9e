import { describe, expect, it } from 'vitest';
import { FrameRing } from '../../src/hub/frame-ring.ts';
import type { Frame } from '../../src/media/index.ts';
import { audio } from '../support/frames.ts';
import { seeded } from '../support/random.ts';

describe('a ring of frames', () => {
  it('behaves like an array, whatever is done to it', () => {
    const random = seeded(7);
    const ring = new FrameRing();
    const model: { frame: Frame; clock: number }[] = [];
    for (let step = 0; step < 20_000; step++) {
      // Long phases of growing and shrinking, so that it wraps, grows and gives memory back.
      if (random.int(100) < (step % 4000 < 2000 ? 60 : 35)) {
        const entry = { frame: audio(step), clock: step };
        ring.push(entry.frame, entry.clock);
        model.push(entry);
      } else if (model.length > 0) {
        expect(ring.shift()).toBe(model.shift()!.frame);
      }
      expect(ring.length).toBe(model.length);
      if (model.length > 0) {
        const at = random.int(model.length);
        expect(ring.frameAt(at)).toBe(model[at]!.frame);
        expect(ring.clockAt(at)).toBe(model[at]!.clock);
      }
    }
  });
});
