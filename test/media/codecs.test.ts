import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/media/index.ts';
import { frame, verdict } from '../support/verdict.ts';

const MULTITRACK_VIDEO = 6;
const MULTITRACK_AUDIO = 5;

const video = (...parts: (readonly number[] | Buffer | string)[]): Frame => frame(9, ...parts);
const audio = (...parts: (readonly number[] | Buffer | string)[]): Frame => frame(8, ...parts);

/** A ModEx block with `size` bytes of data, then the next packet type (Enhanced RTMP v2, ExVideoTagHeader). */
function modEx(size: number, next: number): Buffer {
  const head = size <= 255 ? [size - 1] : [255, ((size - 1) >> 8) & 255, (size - 1) & 255];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(size, 0x55), Buffer.from([next])]);
}

describe('a video message in the old form (FLV, annex E.4.3)', () => {
  it.each([
    ['AVC sequence header', [0x17, 0, 0, 0, 0, 1, 0x64], 'video:0:header'],
    ['AVC keyframe', [0x17, 1, 0, 0, 0, 0xaa], 'key 0'],
    ['AVC keyframe made by a server', [0x47, 1, 0, 0, 0, 0xaa], 'key 0'],
    ['AVC inter frame', [0x27, 1, 0, 0, 80, 0xaa], 'plain'],
    ['AVC disposable frame', [0x37, 1, 0, 0, 0, 0xaa], 'plain'],
    ['AVC end of sequence', [0x17, 2, 0, 0, 0], 'plain'],
    ['AVC end of sequence with a byte behind it', [0x17, 2, 0, 0, 0, 0], 'plain'],
    ['AVC of an unknown packet type', [0x17, 9, 0, 0, 0, 0xaa], 'plain'],
    ['AVC header without a record', [0x17, 0, 0, 0, 0], 'plain'],
    ['AVC keyframe without a picture', [0x17, 1, 0, 0, 0], 'plain'],
    ['AVC cut after its first byte', [0x17], 'plain'],
    ['HEVC header under id 12', [0x1c, 0, 0, 0, 0, 1], 'video:0:header'],
    ['HEVC keyframe under id 12', [0x1c, 1, 0, 0, 0, 1], 'key 0'],
    ['HEVC inter frame under id 12', [0x2c, 1, 0, 0, 0, 1], 'plain'],
    ['AV1 header under id 13', [0x1d, 0, 0, 0, 0, 1], 'video:0:header'],
    ['AV1 keyframe under id 13', [0x1d, 1, 0, 0, 0, 1], 'key 0'],
    ['Sorenson H.263 keyframe', [0x12, 0, 0, 0x84], 'key 0'],
    ['Sorenson H.263 inter frame', [0x22, 0, 0, 0x84], 'plain'],
    ['VP6 keyframe', [0x14, 0x10, 0x78], 'key 0'],
    ['screen video keyframe', [0x13, 0x10], 'key 0'],
    ['keyframe of an unknown codec', [0x19, 1], 'key 0'],
    ['seek command', [0x57, 0], 'plain'],
    ['seek command long enough for a keyframe', [0x57, 1, 0, 0, 0, 1], 'plain'],
    ['nothing at all', [], 'plain'],
  ])('takes %s for what it is', (_name, bytes, expected) => {
    expect(verdict(video(bytes))).toBe(expected);
  });
});

describe('a video message of Enhanced RTMP', () => {
  it.each([
    ['sequence start', [0x90], 'hvc1', [1], 'video:0:header'],
    ['sequence start without a record', [0x90], 'vp08', [], 'video:0:header'],
    ['keyframe', [0x91], 'hvc1', [0, 0, 0, 1], 'key 0'],
    ['keyframe without composition time', [0x93], 'av01', [1], 'key 0'],
    ['keyframe made by a server', [0xc3], 'av01', [1], 'key 0'],
    ['keyframe without a picture', [0x93], 'av01', [], 'plain'],
    ['inter frame', [0xa1], 'hvc1', [0, 0, 0, 1], 'plain'],
    ['end of sequence, marked key', [0x92], 'avc1', [], 'plain'],
    ['HDR metadata', [0x94], 'hvc1', [2, 0, 9], 'video:0:metadata'],
    ['HDR metadata marked as a command', [0xd4], 'hvc1', [2, 0, 9], 'video:0:metadata'],
    ['MPEG-2 TS sequence start', [0x95], 'av01', [1], 'video:0:mpeg2ts'],
    ['seek command', [0xd1], '', [0], 'plain'],
    ['packet type nobody knows', [0x9d], 'hvc1', [1], 'plain'],
    ['a FourCC nobody knows', [0x93], 'zzzz', [1], 'key 0'],
    ['a FourCC cut short', [0x93], 'av0', [], 'plain'],
  ])('takes %s for what it is', (_name, first, fourCc, rest, expected) => {
    expect(verdict(video(first, fourCc, rest))).toBe(expected);
  });

  it.each([1, 3, 254, 255, 256, 257, 65_535, 65_536])('steps over a ModEx block of %i bytes', (size) => {
    expect(verdict(video([0x97], modEx(size, 0x01), 'hvc1', [0, 0, 0, 1]))).toBe('key 0');
    expect(verdict(video([0x97], modEx(size, 0x00), 'hvc1', [1]))).toBe('video:0:header');
    expect(verdict(audio([0x97], modEx(size, 0x00), 'Opus', [1]))).toBe('audio:0:header');
  });

  it.each([1, 255, 256, 65_536])('takes a ModEx block of %i bytes that is cut anywhere for opaque', (size) => {
    const whole = Buffer.concat([Buffer.from([0x97]), modEx(size, 0x01), Buffer.from('hvc1')]);
    for (const length of [1, 2, 3, 4, size, size + 1, whole.length - 5, whole.length - 4, whole.length - 1]) {
      if (length < whole.length) expect(verdict(video(whole.subarray(0, length)))).toBe('plain');
    }
  });

  it('steps over eight chained ModEx blocks, and takes nine for opaque', () => {
    const chain = (blocks: number): Buffer[] =>
      Array.from({ length: blocks }, (_, i) => modEx(3, i === blocks - 1 ? 1 : 7));
    expect(verdict(video([0x97], ...chain(8), 'hvc1', [0, 0, 0, 1]))).toBe('key 0');
    expect(verdict(video([0x97], ...chain(9), 'hvc1', [0, 0, 0, 1]))).toBe('plain');
  });

  it('sees a command behind ModEx', () => {
    expect(verdict(video([0xd7], modEx(1, 1), [0]))).toBe('plain');
  });
});

describe('a video message with track ids', () => {
  const KEY = 0x90 | MULTITRACK_VIDEO;

  it('reads the one track of OneTrack', () => {
    expect(verdict(video([KEY, 0x03], 'hvc1', [2, 0xaa]))).toBe('key 2');
    expect(verdict(video([KEY, 0x00], 'hvc1', [255, 0xaa]))).toBe('video:255:header');
    expect(verdict(video([KEY, 0x04], 'hvc1', [3, 0xaa]))).toBe('video:3:metadata');
  });

  it('reads it behind ModEx, too', () => {
    expect(verdict(video([0x97], modEx(4, MULTITRACK_VIDEO), [0x03], 'hvc1', [2, 0xaa]))).toBe('key 2');
  });

  it('takes a track without a picture for no keyframe', () => {
    expect(verdict(video([KEY, 0x03], 'hvc1', [2]))).toBe('plain');
  });

  it('reads all tracks of ManyTracks, led by the default one wherever it stands', () => {
    const keyframe = video([KEY, 0x13], 'hvc1', [2, 0, 0, 1, 0xaa, 0, 0, 0, 2, 0xaa, 0xbb]);
    expect(keyframe).toMatchObject({ isKeyframe: true, track: 0, tracks: [2, 0] });
    const header = video([KEY, 0x10], 'hvc1', [0, 0, 0, 1, 0xaa, 1, 0, 0, 1, 0xaa]);
    expect(header).toMatchObject({ isConfig: true, configKey: 'video:0+1:header', tracks: [0, 1] });
  });

  it('takes the first track to lead when the default one is missing', () => {
    expect(video([KEY, 0x13], 'hvc1', [4, 0, 0, 1, 9, 2, 0, 0, 1, 9])).toMatchObject({ track: 4, tracks: [4, 2] });
  });

  it('reads ManyTracks with a single track as that track', () => {
    expect(video([KEY, 0x13], 'hvc1', [7, 0, 0, 1, 9])).toMatchObject({
      isKeyframe: true,
      track: 7,
      tracks: undefined,
    });
  });

  it('reads ManyTracksManyCodecs, where each track has its FourCC', () => {
    const bytes = [
      [...Buffer.from('avc1'), 0, 0, 0, 1, 9],
      [...Buffer.from('av01'), 1, 0, 0, 2, 9, 9],
    ].flat();
    expect(video([KEY, 0x23], bytes)).toMatchObject({ isKeyframe: true, track: 0, tracks: [0, 1] });
  });

  it.each([
    ['a track cut short', [KEY, 0x13], [0, 0, 0, 3, 9, 9]],
    ['a second track cut in its size', [KEY, 0x13], [0, 0, 0, 1, 9, 1, 0, 0]],
    ['no track', [KEY, 0x13], []],
    ['multitrack within multitrack', [KEY, 0x06], [0, 9]],
    ['ModEx within multitrack', [KEY, 0x07], [0, 9]],
    ['a mode nobody knows', [KEY, 0x33], [0, 0, 0, 1, 9]],
  ])('takes %s for opaque', (_name, head, tracks) => {
    expect(verdict(video(head, 'hvc1', tracks))).toBe('plain');
  });

  it('believes no track id of what it takes for opaque', () => {
    expect(video([KEY, 0x07], 'hvc1', [5, 0xaa]).track).toBe(0);
    expect(video([KEY, 0x06], 'hvc1', [5, 0xaa]).track).toBe(0);
  });

  it('takes multitrack without anything behind it for opaque', () => {
    expect(verdict(video([KEY]))).toBe('plain');
    expect(verdict(video([KEY, 0x03], 'hvc1'))).toBe('plain');
    expect(verdict(video([KEY, 0x23], 'hvc1'))).toBe('plain');
  });

  it('reads 32 tracks in a message and takes 33 for opaque', () => {
    const tracks = (count: number): number[] => Array.from({ length: count }, (_, i) => [i, 0, 0, 1, 9]).flat();
    expect(video([KEY, 0x13], 'hvc1', tracks(32)).tracks).toHaveLength(32);
    expect(verdict(video([KEY, 0x13], 'hvc1', tracks(33)))).toBe('plain');
  });
});

describe('an audio message', () => {
  it.each([
    ['AAC header', [0xaf, 0, 0x12, 0x10], 'audio:0:header'],
    ['AAC header without a configuration', [0xaf, 0], 'plain'],
    ['raw AAC', [0xaf, 1, 0x21], 'plain'],
    ['AAC cut after its first byte', [0xaf], 'plain'],
    ['MP3 that happens to go on with a zero', [0x2f, 0, 0, 0], 'plain'],
    ['silence', [], 'plain'],
  ])('takes %s for what it is', (_name, bytes, expected) => {
    expect(verdict(audio(bytes))).toBe(expected);
  });

  it.each([
    ['sequence start', [0x90], 'Opus', [1], 'audio:0:header'],
    ['Opus sequence start without an id header', [0x90], 'Opus', [], 'audio:0:header'],
    ['coded frames', [0x91], 'Opus', [1], 'plain'],
    ['end of sequence', [0x92], 'Opus', [], 'plain'],
    ['channel map', [0x94], 'Opus', [1, 2], 'audio:0:multichannel'],
    ['header of a track', [0x90 | MULTITRACK_AUDIO, 0x00], 'mp4a', [1, 0x12], 'audio:1:header'],
    ['channel map of a track', [0x90 | MULTITRACK_AUDIO, 0x04], 'mp4a', [3, 1], 'audio:3:multichannel'],
    ['a video multitrack code, which audio does not have', [0x96, 0x00], 'mp4a', [1, 0x12], 'plain'],
    ['a FourCC cut short', [0x90], 'Opu', [], 'plain'],
  ])('of Enhanced RTMP: takes %s for what it is', (_name, first, fourCc, rest, expected) => {
    expect(verdict(audio(first, fourCc, rest))).toBe(expected);
  });

  it('reads the headers of several tracks', () => {
    const tracks = [...Buffer.from('mp4a'), 0, 0, 0, 1, 9, ...Buffer.from('Opus'), 2, 0, 0, 0];
    expect(audio([0x95, 0x20], tracks)).toMatchObject({
      configKey: 'audio:0+2:header',
      tracks: [0, 2],
      isKeyframe: false,
    });
  });
});
