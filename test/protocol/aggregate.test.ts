import { describe, expect, it } from 'vitest';
import { MAX_AGGREGATE_PARTS, unpackAggregate } from '../../src/protocol/aggregate.ts';
import { hex } from '../support/fixture.ts';

const aggregate = (payload: string | Buffer, timestamp = 1000, streamId = 1) => ({
  type: 22,
  streamId,
  timestamp,
  payload: typeof payload === 'string' ? hex(payload) : payload,
});

// Layout: FLV tags (Video File Format 10.1, "FLV tags"): type, length, time, upper time, stream id, content, back pointer.
const AUDIO = '08 000002 000000 00 000000 af01 0000000d';
const VIDEO_40 = '09 000003 000028 00 000000 270100 0000000e';
const DATA_41 = '12 000001 000029 00 000000 02 0000000c';

const shapes = (payload: string, timestamp?: number) =>
  unpackAggregate(aggregate(payload, timestamp)).map((part) => [
    part.type,
    part.timestamp,
    part.payload.toString('hex'),
  ]);

describe('aggregate messages', () => {
  it('are audio, video and data, on the clock and NetStream of the message itself', () => {
    expect(shapes(AUDIO + VIDEO_40 + DATA_41)).toEqual([
      [8, 1000, 'af01'],
      [9, 1040, '270100'],
      [18, 1041, '02'],
    ]);
    expect(unpackAggregate(aggregate('08 000000 000000 00 000009 0000000b', 0, 3))[0]?.streamId).toBe(3);
  });

  it('count their times from the first tag, whatever it says', () => {
    expect(shapes('08 000000 0186a0 00 000000 0000000b 09 000000 0186c8 00 000000 0000000b')).toEqual([
      [8, 1000, ''],
      [9, 1040, ''],
    ]);
  });

  it('may be older than their first tag', () => {
    expect(shapes(VIDEO_40 + AUDIO)).toEqual([
      [9, 1000, '270100'],
      [8, 960, 'af01'],
    ]);
    expect(shapes(VIDEO_40 + AUDIO, 10)[1]?.[1]).toBe(2 ** 32 - 30);
  });

  it('cross the wrap of the clock, in the message and in the tags', () => {
    expect(shapes(AUDIO + VIDEO_40, 0xffff_ffff).map(([, time]) => time)).toEqual([0xffff_ffff, 39]);
    // 0xFFFFFFFF, then 1: the upper eight bits follow the lower 24.
    const tags = '08 000000 ffffff ff 000000 0000000b 08 000000 000001 00 000000 0000000b';
    expect(shapes(tags, 500).map(([, time]) => time)).toEqual([500, 502]);
  });

  it.each([
    ['without the last back pointer', AUDIO + VIDEO_40.slice(0, -9), 2],
    ['with a last tag cut in its content', AUDIO + VIDEO_40.slice(0, -11), 1],
    ['with a last tag cut in its header', `${AUDIO}09 0000`, 1],
    ['with nothing in them', '', 0],
  ])('%s keep what is complete', (_, payload, parts) => {
    expect(unpackAggregate(aggregate(payload))).toHaveLength(parts);
  });

  it('leave out what is not media', () => {
    expect(shapes(`${AUDIO}14 000001 000000 00 000000 02 0000000c 01 000000 000000 00 000000 0000000b`)).toHaveLength(
      1,
    );
  });

  it('may not contain one another', () => {
    expect(() => shapes(`${AUDIO}16 000000 000000 00 000000 0000000b`)).toThrow(
      expect.objectContaining({ code: 'AGGREGATE_NESTED' }),
    );
  });

  it('have a limit of parts', () => {
    const tag = hex('08 000000 000000 00 000000 0000000b');
    const most = Buffer.concat(Array.from({ length: MAX_AGGREGATE_PARTS }, () => tag));
    expect(unpackAggregate(aggregate(most))).toHaveLength(MAX_AGGREGATE_PARTS);
    expect(() => unpackAggregate(aggregate(Buffer.concat([most, tag])))).toThrow(
      expect.objectContaining({ code: 'AGGREGATE_PARTS' }),
    );
  });
});
