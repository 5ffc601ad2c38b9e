import { describe, expect, it } from 'vitest';
import { StreamTracks } from '../../../src/delivery/hls/stream-tracks.ts';
import type { MediaPacket } from '../../../src/media/index.ts';

const STEREO_48K = Buffer.from([0x11, 0x90]);
const MONO_48K = Buffer.from([0x11, 0x88]);

/** The configuration of an AAC track. */
function aac(track: number, data = STEREO_48K): MediaPacket {
  return { kind: 'audio', track, codec: 'mp4a', role: 'config', isKeyframe: false, compositionMs: 0, data };
}

/** A sync frame of AC-3 at 48 kHz (ETSI TS 102 366, 4.3); `mark` differs from one to the next. */
function ac3(mark: number, mode = 2): MediaPacket {
  const data = Buffer.from([0x0b, 0x77, mark, mark, 0x1e, 0x40, mode << 5, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  return { kind: 'audio', track: 0, codec: 'ac-3', role: 'coded', isKeyframe: true, compositionMs: 0, data };
}

describe('the tracks of a stream', () => {
  it('tell when one has come or changed, and nothing when it is said again', () => {
    const tracks = new StreamTracks();
    expect(tracks.learn(aac(0))).toBe(true);
    expect(tracks.learn(aac(0))).toBe(false);
    expect(tracks.learn(aac(0, MONO_48K))).toBe(true);
    expect(tracks.audio(0)?.channels).toBe(1);
    expect(tracks.learn(aac(3))).toBe(true);
    expect(tracks.list('audio')).toEqual([0, 3]);
    tracks.clear();
    expect(tracks.list('audio')).toEqual([]);
  });

  it('lose one whose configuration is replaced by nonsense', () => {
    const tracks = new StreamTracks();
    tracks.learn(aac(0));
    expect(tracks.learn(aac(0, Buffer.from([0])))).toBe(true);
    expect(tracks.list('audio')).toEqual([]);
    expect(tracks.knows(aac(0))).toBe(false);
  });

  it('learn from packets that describe themselves, and not from damaged ones', () => {
    const tracks = new StreamTracks();
    expect(tracks.learn(ac3(1))).toBe(true);
    expect(tracks.learn(ac3(2))).toBe(false);
    expect(tracks.learn({ ...ac3(3), data: Buffer.alloc(16) })).toBe(false);
    expect(tracks.audio(0)?.codec).toBe('ac3');
    expect(tracks.learn(ac3(4, 1))).toBe(true);
    expect(tracks.audio(0)?.channels).toBe(1);
  });

  it('take sound only of the codec that its track was described with', () => {
    const tracks = new StreamTracks();
    tracks.learn(aac(0));
    expect(tracks.fits(aac(0))).toBe(true);
    expect(tracks.fits({ ...aac(0), codec: 'Opus' })).toBe(false);
  });

  it('are 32 of a kind at most, with records of 256 KiB', () => {
    const tracks = new StreamTracks();
    for (let track = 0; track < 256; track++) tracks.learn(aac(track));
    expect(tracks.list('audio')).toHaveLength(32);
    const long = (length: number) => Buffer.concat([STEREO_48K, Buffer.alloc(length - 2)]);
    const others = new StreamTracks();
    expect(others.learn(aac(0, long(256 * 1024)))).toBe(true);
    expect(others.learn(aac(1, long(256 * 1024 + 1)))).toBe(false);
  });
});
