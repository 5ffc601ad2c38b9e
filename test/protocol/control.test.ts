import { describe, expect, it } from 'vitest';
import { decodeControl, encodeControl, isControl, type ControlMessage } from '../../src/protocol/control.ts';
import { hex } from '../support/fixture.ts';

/** Layouts of RTMP 1.0, 5.4 and 7.1.7: what it says, its type, its payload. */
const CASES: readonly [Exclude<ControlMessage, { type: 'unknownEvent' }>, number, string][] = [
  [{ type: 'setChunkSize', size: 65_536 }, 1, '00010000'],
  [{ type: 'abort', chunkStreamId: 5 }, 2, '00000005'],
  [{ type: 'acknowledgement', total: 0xffff_ffff }, 3, 'ffffffff'],
  [{ type: 'windowAckSize', size: 2_500_000 }, 5, '002625a0'],
  [{ type: 'setPeerBandwidth', size: 2_500_000, limit: 'hard' }, 6, '002625a0 00'],
  [{ type: 'setPeerBandwidth', size: 2_500_000, limit: 'soft' }, 6, '002625a0 01'],
  [{ type: 'setPeerBandwidth', size: 2_500_000, limit: 'dynamic' }, 6, '002625a0 02'],
  [{ type: 'streamBegin', streamId: 1 }, 4, '0000 00000001'],
  [{ type: 'streamEof', streamId: 1 }, 4, '0001 00000001'],
  [{ type: 'streamDry', streamId: 1 }, 4, '0002 00000001'],
  [{ type: 'setBufferLength', streamId: 1, ms: 3000 }, 4, '0003 00000001 00000bb8'],
  [{ type: 'streamIsRecorded', streamId: 1 }, 4, '0004 00000001'],
  [{ type: 'pingRequest', time: 0xfedc_ba98 }, 4, '0006 fedcba98'],
  [{ type: 'pingResponse', time: 0xfedc_ba98 }, 4, '0007 fedcba98'],
  [{ type: 'bufferEmpty', streamId: 2 }, 4, '001f 00000002'],
  [{ type: 'bufferReady', streamId: 2 }, 4, '0020 00000002'],
];

const message = (type: number, payload: string) => ({ type, streamId: 0, timestamp: 0, payload: hex(payload) });

describe('control messages', () => {
  it.each(CASES)('writes and reads %o', (control, type, payload) => {
    expect(encodeControl(control)).toEqual(message(type, payload));
    expect(decodeControl(message(type, payload))).toEqual(control);
    expect(decodeControl(message(type, `${payload} 00ff`))).toEqual(control);
  });

  it('are the types 1 to 6', () => {
    const types = Array.from({ length: 32 }, (_, type) => type);
    expect(types.filter(isControl)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([1, 2, 3, 5, 6])('of type %i need four bytes', (type) => {
    expect(() => decodeControl(message(type, '000001'))).toThrow(
      expect.objectContaining({ code: 'CONTROL_TRUNCATED' }),
    );
  });

  it('take a missing or unheard-of bandwidth limit for the mildest', () => {
    expect(decodeControl(message(6, '00010000'))).toMatchObject({ limit: 'dynamic' });
    expect(decodeControl(message(6, '00010000 07'))).toMatchObject({ limit: 'dynamic' });
  });

  it.each([
    ['', -1],
    ['06', -1],
    ['0006', 6],
    ['0006 000000', 6],
    ['0003 00000001 0000', 3],
    // SWF verification, and what nobody knows.
    ['001a 00000000', 26],
    ['ffff 00000000', 0xffff],
  ])('pass over the user control event %s', (payload, event) => {
    expect(decodeControl(message(4, payload))).toEqual({ type: 'unknownEvent', event });
  });
});
