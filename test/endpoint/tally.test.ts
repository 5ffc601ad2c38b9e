import { describe, expect, it } from 'vitest';
import { secondsBetween, Tally } from '../../src/endpoint/tally.ts';
import { frameFromMessage } from '../../src/media/index.ts';
import { MessageType } from '../../src/protocol/index.ts';

const frame = (type: number, ...bytes: number[]) =>
  frameFromMessage({ type, streamId: 1, timestamp: 0, payload: Buffer.from(bytes) });

describe('the tally of a publication', () => {
  it('counts frames and payload bytes, and names codecs once each, configured or not', () => {
    const tally = new Tally(1000);
    tally.count(frame(MessageType.video, 0x17, 0, 0, 0, 0, 1));
    tally.count(frame(MessageType.video, 0x17, 1, 0, 0, 0, 9));
    tally.count(frame(MessageType.audio, 0x2f, 1, 2));
    expect(tally.fields(3460)).toEqual({ seconds: 2.5, frames: 3, bytes: 15, codecs: ['avc1', '.mp3'] });
  });

  it('notices a codec that is configured late', () => {
    const tally = new Tally(0);
    for (let i = 0; i < 1000; i++) tally.count(frame(MessageType.audio, 0x2f, 1, 2));
    tally.count(frame(MessageType.audio, 0xaf, 0, 0x12, 0x10));
    expect(tally.fields(0).codecs).toEqual(['.mp3', 'mp4a']);
  });

  it('looks at the first 100 frames, configured or not', () => {
    const tally = new Tally(0);
    for (let i = 0; i < 99; i++) tally.count(frame(MessageType.audio, 0x2f, 1, 2));
    tally.count(frame(MessageType.audio, 0xbf, 1, 2));
    tally.count(frame(MessageType.audio, 0x7f, 1, 2));
    expect(tally.fields(0).codecs).toEqual(['.mp3', 'speex']);
  });

  it('names 16 codecs at most, whatever a publisher makes up', () => {
    const tally = new Tally(0);
    for (let i = 10; i < 27; i++) tally.count(frame(MessageType.video, 0x90, ...Buffer.from(`cc${i}`)));
    expect(tally.fields(0).codecs).toHaveLength(16);
    expect(tally.fields(0).codecs.at(-1)).toBe('cc25');
  });

  it('says seconds to a tenth', () => {
    expect(secondsBetween(100.4, 2345.6)).toBe(2.2);
  });
});
