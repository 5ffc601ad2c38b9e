import { describe, expect, it } from 'vitest';
import { pauseBeforeIdle } from '../../../src/transport/rtmpt/pacing.ts';

const idle = { command: 'idle', payload: false } as const;

describe('the pause before an idle', () => {
  it('is none after data', () => {
    expect(pauseBeforeIdle({ command: 'idle', pollingByte: 0x21, payload: true, tookMs: 0 }, 50)).toBe(0);
    expect(pauseBeforeIdle({ command: 'send', pollingByte: 0x21, payload: true, tookMs: 0 }, 50)).toBe(0);
  });

  // Red5's ladder for a server that does not hold, in steps of 16 ms.
  it.each([
    [0x01, 16],
    [0x03, 48],
    [0x05, 80],
    [0x09, 144],
    [0x11, 272],
    [0x21, 528],
    [0xff, 4080],
  ])('is 16 ms a step: %i is %i ms', (pollingByte, pause) => {
    expect(pauseBeforeIdle({ ...idle, pollingByte, tookMs: 0 }, 50)).toBe(pause);
  });

  it('counts the time that the answer took', () => {
    expect(pauseBeforeIdle({ ...idle, pollingByte: 0x21, tookMs: 500 }, 50)).toBe(28);
    expect(pauseBeforeIdle({ ...idle, pollingByte: 0x01, tookMs: 500 }, 50)).toBe(0);
  });

  it('is one step for a byte of 0 or none, so that nobody spins', () => {
    expect(pauseBeforeIdle({ ...idle, pollingByte: 0, tookMs: 0 }, 50)).toBe(16);
    expect(pauseBeforeIdle({ ...idle, pollingByte: undefined, tookMs: 0 }, 50)).toBe(16);
  });

  it('gives a publisher time for its next frame after a send', () => {
    expect(pauseBeforeIdle({ command: 'send', payload: false, pollingByte: 1, tookMs: 3 }, 50)).toBe(50);
    expect(pauseBeforeIdle({ command: 'send', payload: false, pollingByte: 0x21, tookMs: 0 }, 50)).toBe(528);
  });
});
