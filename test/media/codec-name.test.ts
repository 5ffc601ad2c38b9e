import { describe, expect, it } from 'vitest';
import { codecOf, frameFromMessage } from '../../src/media/index.ts';
import { cuePoint } from '../support/frames.ts';

function codec(type: number, bytes: readonly number[]): string | undefined {
  return codecOf(frameFromMessage({ type, streamId: 1, timestamp: 0, payload: Buffer.from(bytes) }));
}

/** The shape of an hvcC record (ISO/IEC 14496-15, 8.3.3.1): reserved bits all ones, everything else plausible. */
const HVCC = [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 3];
const AVCC = [1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 0x19, ...Array<number>(20).fill(0xff)];

describe('the codec of a frame', () => {
  it.each([
    ['AVC', 9, [0x17, 1, 0, 0, 0, 1], 'avc1'],
    ['HEVC by custom', 9, [0x1c, 0, 0, 0, 0, 1], 'hvc1'],
    ['AV1 by custom', 9, [0x1d, 0, 0, 0, 0, 1], 'av01'],
    ['an AVC record under id 7', 9, [0x17, 0, 0, 0, 0, ...AVCC], 'avc1'],
    ['an HEVC record under id 7, as OBS before 29.1 sent it', 9, [0x17, 0, 0, 0, 0, ...HVCC], 'hvc1'],
    ['a short record under id 7', 9, [0x17, 0, 0, 0, 0, ...HVCC.slice(0, 22)], 'avc1'],
    ['enhanced video', 9, [0x93, ...Buffer.from('vvc1'), 1], 'vvc1'],
    ['enhanced video of a track', 9, [0x96, 0x03, ...Buffer.from('av01'), 1, 1], 'av01'],
    ['enhanced video behind ModEx', 9, [0x97, 0, 9, 1, ...Buffer.from('hvc1'), 0, 0, 0, 1], 'hvc1'],
    ['a FourCC that nobody should print', 9, [0x93, 0x1b, 0x5b, 0x41, 0x0a, 1], '?[A?'],
    ['AAC', 8, [0xaf, 1, 1], 'mp4a'],
    ['MP3', 8, [0x2f, 1], '.mp3'],
    ['enhanced audio of a track', 8, [0x95, 0x00, ...Buffer.from('Opus'), 1], 'Opus'],
  ])('is told for %s', (_name, type, bytes, expected) => {
    expect(codec(type, bytes)).toBe(expected);
  });

  it('is unknown for silence, data, cut headers and ids nobody uses', () => {
    expect(codec(8, [])).toBeUndefined();
    expect(codecOf(cuePoint(0))).toBeUndefined();
    expect(codec(9, [0x93, 0x61])).toBeUndefined();
    expect(codec(9, [0x97, 255])).toBeUndefined();
    expect(codec(9, [0x1f, 1])).toBeUndefined();
  });
});
