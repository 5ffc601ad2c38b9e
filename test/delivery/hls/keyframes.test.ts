import { describe, expect, it } from 'vitest';
import { Keyframes } from '../../../src/delivery/hls/keyframes.ts';
import { recordingLog } from '../../support/recording-log.ts';

/** Pictures 40 ms apart, with keyframes so far apart. */
function see(keyframes: Keyframes, every: number, until: number, from = 0): void {
  for (let at = from; at <= until; at += 40) keyframes.see(0, (at - from) % every === 0, at);
}

describe('the distance of keyframes', () => {
  it('is what was seen, at most', () => {
    const keyframes = new Keyframes(2_000, recordingLog().log);
    see(keyframes, 2_000, 1_960);
    expect(keyframes.intervalMs).toBeUndefined();
    see(keyframes, 2_000, 4_000, 2_000);
    expect(keyframes.intervalMs).toBe(2_000);
  });

  it('is said when it is too far, once for each publisher, with what to do', () => {
    const { log, lines } = recordingLog();
    const keyframes = new Keyframes(2_000, log);
    see(keyframes, 2_480, 10_000);
    expect(lines).toEqual([]);
    keyframes.startAnew();
    see(keyframes, 8_320, 30_000);
    expect(lines).toMatchObject([
      {
        level: 'warn',
        fields: { keyframeMs: 8_320, segmentMs: 2_000 },
        message: /keyframes are 8\.3 s apart.*Set the encoder's keyframe interval to 2 s/,
      },
    ]);
    keyframes.startAnew();
    see(keyframes, 8_320, 30_000);
    expect(lines.length).toBe(2);
  });

  it.each([
    [2_500, 0],
    [2_540, 1],
  ])('may be a quarter longer than segments: of %i ms, %i warnings', (distance, warnings) => {
    const { log, lines } = recordingLog();
    const keyframes = new Keyframes(2_000, log);
    keyframes.see(0, true, 0);
    keyframes.see(0, true, distance);
    expect(lines.length).toBe(warnings);
  });

  it('is said of a publisher that sends none any more', () => {
    const { log, lines } = recordingLog();
    const keyframes = new Keyframes(2_000, log);
    see(keyframes, 1e9, 15_000);
    expect(lines).toEqual([]);
    see(keyframes, 1e9, 60_000, 15_000 - 15_000);
    expect(lines).toMatchObject([{ message: /no keyframe for 15 s/ }]);
    expect(keyframes.intervalMs).toBeGreaterThan(50_000);
  });

  it('is not measured across a jump of the times', () => {
    const { log, lines } = recordingLog();
    const keyframes = new Keyframes(2_000, log);
    keyframes.see(0, true, 0);
    keyframes.jump();
    keyframes.see(0, true, 9_000);
    expect([keyframes.intervalMs, lines]).toEqual([undefined, []]);
  });

  it('is measured for each track by itself', () => {
    const keyframes = new Keyframes(2_000, recordingLog().log);
    keyframes.see(0, true, 0);
    keyframes.see(1, true, 1_000);
    keyframes.see(0, true, 2_000);
    keyframes.see(1, true, 3_000);
    expect(keyframes.intervalMs).toBe(2_000);
  });
});
