import { describe, expect, it } from 'vitest';
import { encodeWhole } from '../../src/protocol/index.ts';
import { encodingOf, MAX_OTHER_ENCODINGS, messageFromFrame, retimed } from '../../src/media/index.ts';
import { audio, cuePoint, key } from '../support/frames.ts';

describe('the encoding of a frame', () => {
  it('is made once and shared', () => {
    const frame = key(40);
    expect(encodingOf(frame, 1, 65_536)).toBe(encodingOf(frame, 1, 65_536));
    expect(encodingOf(frame, 2, 128)).toBe(encodingOf(frame, 2, 128));
    expect(encodingOf(frame, 2, 128)).not.toBe(encodingOf(frame, 1, 65_536));
  });

  it('is a whole header with the absolute time, then the payload', () => {
    // Format 0 on chunk stream 6, time 0x000028, length 8, type 9, NetStream 1 little-endian (RTMP 1.0, 5.3.1.2.1).
    expect(encodingOf(key(0x28, 7), 1, 65_536).toString('hex')).toBe('06000028000008090100000017010000000700' + '00');
  });

  it('uses a chunk stream of its own for sound, data and pictures', () => {
    expect(encodingOf(audio(0), 1, 65_536)[0]).toBe(4);
    expect(encodingOf(cuePoint(0), 1, 65_536)[0]).toBe(5);
    expect(encodingOf(key(0), 1, 65_536)[0]).toBe(6);
  });

  it('differs by NetStream and chunk size, and is what the protocol room makes of the message', () => {
    const frame = key(99, 0, 400);
    for (const [streamId, chunkSize] of [
      [1, 65_536],
      [2, 65_536],
      [1, 128],
      [3, 200],
    ] as const) {
      expect(encodingOf(frame, streamId, chunkSize)).toEqual(
        encodeWhole(messageFromFrame(frame, streamId), 6, chunkSize),
      );
    }
  });

  it('is not carried over to another time', () => {
    const frame = key(5);
    const usual = encodingOf(frame, 1, 65_536);
    encodingOf(frame, 2, 65_536);
    const later = retimed(frame, 6);
    expect(encodingOf(later, 1, 65_536)).not.toEqual(usual);
    expect(later.otherEncodings).toBeUndefined();
  });

  it('remembers as many rare forms as the limit says, and makes one more each time', () => {
    const frame = key(0);
    for (let id = 2; id < 2 + MAX_OTHER_ENCODINGS; id++) encodingOf(frame, id, 65_536);
    expect(encodingOf(frame, 1 + MAX_OTHER_ENCODINGS, 65_536)).toBe(encodingOf(frame, 1 + MAX_OTHER_ENCODINGS, 65_536));
    const beyond = encodingOf(frame, 2 + MAX_OTHER_ENCODINGS, 65_536);
    expect(encodingOf(frame, 2 + MAX_OTHER_ENCODINGS, 65_536)).not.toBe(beyond);
    expect(encodingOf(frame, 2 + MAX_OTHER_ENCODINGS, 65_536)).toEqual(beyond);
    expect(frame.otherEncodings).toHaveLength(MAX_OTHER_ENCODINGS);
  });
});
