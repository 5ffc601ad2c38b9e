import { describe, expect, it } from 'vitest';
import { frameFromMessage, packetsOf } from '../../src/media/index.ts';

function packets(type: 8 | 9, ...bytes: (number | string)[]) {
  const payload = Buffer.concat(
    bytes.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))),
  );
  return packetsOf(frameFromMessage({ type, streamId: 1, timestamp: 0, payload }));
}

const MARK = Buffer.from([0xaa]);

describe('packets of a frame', () => {
  it.each([
    ['AVC, a keyframe', packets(9, 0x17, 1, 0, 0, 40, 0xaa), { codec: 'avc1', compositionMs: 40, isKeyframe: true }],
    ['AVC, shown before it is decoded', packets(9, 0x27, 1, 0xff, 0xff, 0xfe, 0xaa), { compositionMs: -2 }],
    ['HEVC by custom', packets(9, 0x1c, 1, 0, 0, 0, 0xaa), { codec: 'hvc1' }],
    ['AAC', packets(8, 0xaf, 1, 0xaa), { codec: 'mp4a', role: 'coded' }],
    ['a header of AAC', packets(8, 0xaf, 0, 0xaa), { role: 'config' }],
    ['MP3, which has no packet type', packets(8, 0x2f, 0xaa), { codec: '.mp3', role: 'coded' }],
    ['MP3 at 8 kHz', packets(8, 0xe2, 0xaa), { codec: '.mp3', role: 'coded' }],
    ['E-AC-3', packets(8, 0x91, 'ec-3', 0xaa), { codec: 'ec-3', role: 'coded' }],
    ['HDR metadata', packets(9, 0x94, 'hvc1', 0xaa), { codec: 'hvc1', role: 'metadata', isKeyframe: false }],
    ['HDR metadata in a command frame', packets(9, 0xd4, 'hvc1', 0xaa), { role: 'metadata' }],
    ['HEVC with composition time', packets(9, 0x91, 'hvc1', 0, 0, 9, 0xaa), { codec: 'hvc1', compositionMs: 9 }],
    ['HEVC without', packets(9, 0x93, 'hvc1', 0xaa), { compositionMs: 0, isKeyframe: true }],
    ['AV1, which has none', packets(9, 0xa1, 'av01', 0xaa), { codec: 'av01', isKeyframe: false }],
    ['Opus', packets(8, 0x91, 'Opus', 0xaa), { codec: 'Opus', kind: 'audio' }],
    ['one track', packets(9, 0x96, 0x03, 'avc1', 5, 0xaa), { track: 5, codec: 'avc1', isKeyframe: true }],
    ['after a ModEx block', packets(9, 0x97, 0, 7, 0x03, 'avc1', 0xaa), { codec: 'avc1', role: 'coded' }],
  ])('%s', (_, found, expected) => {
    expect(found).toMatchObject([{ data: MARK, ...expected }]);
  });

  it('tells several tracks apart, of one codec and of many', () => {
    const one = packets(9, 0x96, 0x13, 'avc1', 1, 0, 0, 1, 0xaa, 2, 0, 0, 1, 0xaa);
    expect(one).toMatchObject([{ track: 1 }, { track: 2, codec: 'avc1', data: MARK }]);
    const many = packets(8, 0x95, 0x21, 'Opus', 0, 0, 0, 1, 0xaa, 'mp4a', 1, 0, 0, 1, 0xaa);
    expect(many).toMatchObject([
      { codec: 'Opus', track: 0 },
      { codec: 'mp4a', track: 1, data: MARK },
    ]);
  });

  it.each([
    ['nothing', packets(9)],
    ['a command', packets(9, 0x57, 0)],
    ['a command of Enhanced RTMP', packets(9, 0xd1, 0)],
    ['an old codec', packets(9, 0x12, 1, 2, 3, 4, 5)],
    ['Speex', packets(8, 0xb2, 1, 2, 3)],
    ['what is no packet of sound', packets(8, 0x94, 'Opus', 0xaa)],
    ['a packet type that AVC does not have', packets(9, 0x17, 4, 0, 0, 0, 0xaa)],
    ['an empty picture', packets(9, 0x27, 1, 0, 0, 0)],
    ['an empty packet of sound', packets(8, 0xaf, 1)],
    ['an empty picture of Enhanced RTMP', packets(9, 0x91, 'hvc1', 0, 0, 9)],
    ['a FourCC that is cut short', packets(9, 0x91, 'avc')],
    ['a track that is cut short', packets(9, 0x96, 0x13, 'avc1', 1, 0, 0, 9, 0xaa)],
  ])('none of %s', (_, found) => {
    expect(found).toEqual([]);
  });
});
