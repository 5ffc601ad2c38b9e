import { describe, expect, it } from 'vitest';
import { LeftOut } from '../../../src/delivery/hls/left-out.ts';
import { frameFromMessage, packetsOf } from '../../../src/media/index.ts';
import { recordingLog } from '../../support/recording-log.ts';

const frame = (type: 8 | 9, ...bytes: (number | string)[]) => {
  const payload = Buffer.concat(
    bytes.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))),
  );
  return frameFromMessage({ type, streamId: 1, timestamp: 0, payload });
};

describe('what HLS leaves out', () => {
  it.each([
    ['speex', frame(8, 0xb2, 1, 2), /sound: it cannot carry speex.*AAC or Opus/],
    ['pcma', frame(8, 0x7e, 1, 2), /sound/],
    ['h263', frame(9, 0x12, 1, 2), /picture: it cannot carry h263.*H\.264/],
  ])('is named, once for each publisher: %s', (codec, old, message) => {
    const { log, lines } = recordingLog();
    const leftOut = new LeftOut(log);
    leftOut.frame(old);
    leftOut.frame(old);
    expect(lines).toMatchObject([{ level: 'warn', fields: { codec }, message }]);
    leftOut.clear();
    leftOut.frame(old);
    expect(lines.length).toBe(2);
  });

  it('is not what is empty, or data, or known', () => {
    const { log, lines } = recordingLog();
    const leftOut = new LeftOut(log);
    for (const known of [frame(8, 0xaf), frame(8), frame(9, 0x57, 0), frame(9, 0x17, 1)]) leftOut.frame(known);
    leftOut.frame(frameFromMessage({ type: 18, streamId: 1, timestamp: 0, payload: Buffer.from([2, 0, 0]) }));
    expect(lines).toEqual([]);
  });

  it('is a codec of Enhanced RTMP that MP4 has no place for here, and a configuration that is not understood', () => {
    const { log, lines } = recordingLog();
    const leftOut = new LeftOut(log);
    for (const each of [frame(9, 0x91, 'vp08', 1), frame(9, 0x91, 'vvc1', 0, 0, 0, 1), frame(8, 0xaf, 0, 0x0a, 0x10)]) {
      for (const packet of packetsOf(each)) leftOut.packet(packet);
    }
    // Sound that came before its configuration is nobody's fault.
    for (const packet of packetsOf(frame(8, 0xaf, 1, 1, 2))) leftOut.packet(packet);
    expect(lines.map(({ message }) => /cannot carry (.*?)\./.exec(message)?.[1])).toEqual([
      ...['vp08', 'vvc1', 'a configuration of mp4a'],
    ]);
  });

  it('is said of so many codecs and no more, in letters that a log can show', () => {
    const { log, lines } = recordingLog();
    const leftOut = new LeftOut(log);
    for (let i = 0; i < 100; i++) {
      for (const packet of packetsOf(frame(9, 0x91, 'xx', 0x1b, i, 1))) leftOut.packet(packet);
    }
    expect(lines.length).toBe(8);
    expect(lines[0]!.message).toContain('it cannot carry xx??.');
  });

  it('is a track beyond those that there are playlists for', () => {
    const { log, lines } = recordingLog();
    const leftOut = new LeftOut(log);
    leftOut.tracksBeyond(8);
    leftOut.tracksBeyond(8);
    expect(lines).toMatchObject([{ message: /more tracks than the 8/ }]);
  });
});
