import { describe, expect, it } from 'vitest';
import {
  bareMetadata,
  flvBackPointer,
  flvFlags,
  flvHeader,
  flvTag,
  flvTagHead,
  flvTagOf,
  isFlvBackPointer,
  readFlvTagHead,
  withDuration,
} from '../../src/media/flv.ts';
import { audio, string } from '../support/frames.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/[^0-9a-f]/g, ''), 'hex');

/** The first bytes of `ffmpeg -f lavfi -i testsrc2 -f lavfi -i sine -f flv` (FFmpeg 5.1). */
const FFMPEG_BEGINNING = hex('464c5601 05 00000009 00000000');
/** The AAC header that the same file has, with the back pointer behind it. */
const FFMPEG_AAC_TAG = hex('08 000007 000000 00 000000  af00 12 08 56 e5 00  00000012');

describe('a file header', () => {
  it("is FFmpeg's for sound and picture, back pointer 0 included", () => {
    expect(flvHeader()).toEqual(FFMPEG_BEGINNING);
  });

  it.each([
    [{ audio: true, video: false }, 4],
    [{ audio: false, video: true }, 1],
    [{ audio: false, video: false }, 0],
  ])('says what is in the file: %o', (contents, flags) => {
    expect(flvFlags(contents)).toBe(flags);
    expect(flvHeader(contents)[4]).toBe(flags);
  });
});

describe('a tag', () => {
  it("is FFmpeg's, byte for byte", () => {
    expect(flvTag(8, 0, hex('af00 12 08 56 e5 00'))).toEqual(FFMPEG_AAC_TAG);
  });

  it.each([
    [0, '000000 00'],
    [0xffffff, 'ffffff 00'],
    [0x1000000, '000000 01'],
    [0x12345678, '345678 12'],
    [0x7fffffff, 'ffffff 7f'],
    [0xffffffff, 'ffffff ff'],
  ])('has the upper eight bits of time %i behind the lower ones', (time, bytes) => {
    expect(flvTagHead(9, 5, time)).toEqual(hex(`09 000005 ${bytes} 000000`));
    expect(readFlvTagHead(flvTagHead(9, 5, time))).toEqual({ type: 9, size: 5, timestamp: time });
  });

  it('takes a time that has wrapped', () => {
    expect(flvTagHead(9, 5, 0x100000001)).toEqual(flvTagHead(9, 5, 1));
  });

  it('may be empty, and as long as 24 bits can say', () => {
    expect(flvTag(18, 1, Buffer.alloc(0))).toEqual(hex('12 000000 000001 00 000000 0000000b'));
    expect(flvTagHead(9, 0xffffff, 0).subarray(1, 4)).toEqual(hex('ffffff'));
    expect(flvBackPointer(0xffffff)).toEqual(hex('0100000a'));
  });

  it.each([8, 9, 15, 18])('keeps the type of the message: %i', (type) => {
    expect(readFlvTagHead(flvTag(type, 1, Buffer.from('x')))?.type).toBe(type);
  });

  it('of a live frame is made once, for all who play it', () => {
    const frame = audio(70_000, 3);
    expect(flvTagOf(frame)).toEqual(flvTag(8, 70_000, frame.payload));
    expect(flvTagOf(frame)).toBe(flvTagOf(frame));
  });
});

describe('reading a tag head', () => {
  it('leaves what follows, and needs all eleven bytes', () => {
    expect(readFlvTagHead(Buffer.concat([flvTagHead(8, 3, 4), Buffer.from('rest')]))).toMatchObject({ size: 3 });
    for (let length = 0; length < 11; length++) {
      expect(readFlvTagHead(flvTagHead(8, 3, 4).subarray(0, length))).toBeUndefined();
    }
  });

  it('takes no other type, and no stream but 0: that is no tag but the middle of something', () => {
    expect(readFlvTagHead(flvTagHead(7, 3, 4))).toBeUndefined();
    expect(readFlvTagHead(hex('08 000003 000000 00 000001'))).toBeUndefined();
  });

  it('knows the back pointer that belongs to it', () => {
    expect(isFlvBackPointer(flvBackPointer(7), 7)).toBe(true);
    expect(isFlvBackPointer(flvBackPointer(7), 8)).toBe(false);
    expect(isFlvBackPointer(flvBackPointer(7).subarray(1), 7)).toBe(false);
  });
});

describe("a file's metadata", () => {
  const END = hex('000009');
  const WIDTH = hex('0005 7769647468 00 4074000000000000');
  const DURATION = hex('0008 6475726174696f6e 00');

  it('has the duration where the encoder put it', () => {
    const body = Buffer.concat([string('onMetaData'), hex('08 00000002'), DURATION, Buffer.alloc(8), WIDTH, END]);
    const at = string('onMetaData').length + 5 + DURATION.length;
    expect(withDuration(body)).toEqual({ body, durationAt: at });
  });

  it.each([
    ['an array, which counts one more', '08 00000001', '08 00000002'],
    ['an object', '03', '03'],
  ])('gets a duration of its own in %s', (_, before, after) => {
    const sent = Buffer.concat([string('onMetaData'), hex(before), WIDTH, END]);
    const made = withDuration(sent)!;
    expect(made.body).toEqual(Buffer.concat([string('onMetaData'), hex(after), DURATION, Buffer.alloc(8), WIDTH, END]));
    expect(made.body.subarray(0, made.durationAt).subarray(-DURATION.length)).toEqual(DURATION);
  });

  it('is made up when the stream has none', () => {
    const { body, durationAt } = bareMetadata();
    expect(body).toEqual(Buffer.concat([string('onMetaData'), hex('08 00000001'), DURATION, Buffer.alloc(8), END]));
    expect(durationAt).toBe(body.length - 3 - 8);
  });

  it.each([
    ['another name', Buffer.concat([string('onCuePoint'), hex('08 00000000'), END])],
    ['a number in its place', Buffer.concat([string('onMetaData'), hex('00 4074000000000000')])],
    ['an array cut short', Buffer.concat([string('onMetaData'), hex('08 0000')])],
    ['nothing', string('onMetaData')],
    ['an empty message', Buffer.alloc(0)],
  ])('is not looked for in %s', (_, body) => {
    expect(withDuration(body)).toBeUndefined();
  });

  it('is never written beyond its end, though a duration is cut short', () => {
    const body = Buffer.concat([string('onMetaData'), hex('08 00000001'), DURATION, Buffer.alloc(7)]);
    const made = withDuration(body)!;
    expect(made.durationAt + 8).toBeLessThanOrEqual(made.body.length - DURATION.length);
  });
});
