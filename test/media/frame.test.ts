import { describe, expect, it } from 'vitest';
import { frameFromMessage, messageFromFrame, retimed } from '../../src/media/index.ts';
import { frame } from '../support/verdict.ts';

describe('a frame', () => {
  it('carries the very payload and time of its message, and turns back into it', () => {
    const message = { type: 9, streamId: 1, timestamp: 0xffff_fff0, payload: Buffer.from([0x27, 1, 0, 0, 0, 1]) };
    const made = frameFromMessage(message);
    expect(made.payload).toBe(message.payload);
    expect(messageFromFrame(made, 3)).toEqual({ ...message, streamId: 3 });
  });

  it('is retimed modulo 2^32, and is the same object when nothing changes', () => {
    const made = frame(9, [0x17, 0, 0, 0, 0, 1, 2]);
    expect(retimed(made, 40)).toBe(made);
    const later = retimed(made, 2 ** 32 + 7);
    expect(later).toMatchObject({ timestamp: 7, configKey: 'video:0:header', isConfig: true, kind: 'video', type: 9 });
    expect(later.payload).toBe(made.payload);
    expect(made.timestamp).toBe(40);
  });

  it('keeps everything else when retimed', () => {
    const many = frame(9, [0x96, 0x13], 'hvc1', [2, 0, 0, 1, 9, 1, 0, 0, 1, 9]);
    const { timestamp: _was, ...rest } = many;
    const { timestamp: _is, ...kept } = retimed(many, 1);
    expect(kept).toEqual(rest);
  });
});
