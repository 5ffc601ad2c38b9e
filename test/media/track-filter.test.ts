import { describe, expect, it } from 'vitest';
import { frameFromMessage, keepTracks, type Frame } from '../../src/media/index.ts';
import { audio, cuePoint, trackVideo, tracksVideo } from '../support/frames.ts';

/** Several tracks with several codecs: | enhanced, multitrack | mode 2, coded | for each FourCC, track, size, data |. */
function mixed(...tracks: readonly (readonly [codec: string, track: number])[]): Frame {
  const bodies = tracks.flatMap(([codec, track]) => [...Buffer.from(codec, 'latin1'), track, 0, 0, 2, 0xaa, track]);
  return frameFromMessage({ type: 9, streamId: 1, timestamp: 40, payload: Buffer.from([0x96, 0x23, ...bodies]) });
}

const only = (codec: string) => (one: string | undefined) => one === codec;

describe('tracks that are to be kept', () => {
  it('are those of a codec, in a message as it would be without the others', () => {
    const kept = keepTracks(mixed(['hvc1', 0], ['avc1', 1], ['av01', 2], ['avc1', 3]), only('avc1'))!;
    expect(kept.payload).toEqual(mixed(['avc1', 1], ['avc1', 3]).payload);
    expect([kept.tracks, kept.isKeyframe, kept.timestamp]).toEqual([[1, 3], true, 40]);
  });

  it('are the very same frame where all are, and none where none is', () => {
    const all = mixed(['avc1', 0], ['avc1', 1]);
    expect([keepTracks(all, only('avc1')), keepTracks(all, only('hvc1'))]).toEqual([all, undefined]);
    expect(keepTracks(all, only('avc1'))).toBe(all);
  });

  it('are judged as one where they have one codec', () => {
    for (const frame of [tracksVideo('key', [1, 2], 0), trackVideo('inter', 1, 0)]) {
      expect([keepTracks(frame, only('hvc1')), keepTracks(frame, only('avc1'))]).toEqual([frame, undefined]);
    }
    expect(keepTracks(audio(0), only('mp4a'))).toEqual(audio(0));
    expect(keepTracks(cuePoint(0), (codec) => codec === undefined)).toEqual(cuePoint(0));
  });

  it('are asked for in letters that a log can show', () => {
    const asked: (string | undefined)[] = [];
    keepTracks(mixed(['avc1', 0], ['\x1b[2J', 1]), (codec) => asked.push(codec) > 0);
    expect(asked).toEqual(['avc1', '?[2J']);
  });
});
