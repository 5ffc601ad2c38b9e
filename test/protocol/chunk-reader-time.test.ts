import { describe, expect, it } from 'vitest';
import { fill, lengths, readAll } from '../support/chunks.ts';
import { hex } from '../support/fixture.ts';

/** Times of the messages, which is what many cases are about. */
const times = (digits: string): number[] => readAll(digits).map((message) => message.timestamp);

describe('timestamps', () => {
  it('adds the absolute time again for a format 3 after a format 0 (5.3.1.2.4), as FMLE sends 0xc4', () => {
    expect(times('04 0003e8 000001 08 01000000 aa c4 bb c4 cc')).toEqual([1000, 2000, 3000]);
    expect(times('04 000000 000001 08 01000000 aa c4 bb')).toEqual([0, 0]);
  });

  it('goes back by a negative delta, which librtmp writes as an extended unsigned difference', () => {
    expect(times('04 0003e8 000001 09 01000000 aa 44 ffffff 000001 08 fffffff6 bb 44 000014 000001 09 cc')).toEqual([
      1000, 990, 1010,
    ]);
  });

  it.each([
    ['fffffe', 0xff_fffe],
    ['ffffff 00ffffff', 0xff_ffff],
    ['ffffff 01000000', 0x100_0000],
    ['ffffff 7fffffff', 0x7fff_ffff],
    ['ffffff 80000000', 0x8000_0000],
    ['ffffff ffffffff', 0xffff_ffff],
    ['ffffff 00000001', 1],
  ])('reads time %s', (field, time) => {
    const [start, extended = ''] = field.split(' ');
    expect(times(`04 ${start} 000001 08 01000000 ${extended} aa`)).toEqual([time]);
  });

  it.each([
    ['fffffe', '000001', 0xff_ffff],
    ['ffffff 00ffffff', '000001', 0x100_0000],
    ['ffffff 7fffffff', '000001', 0x8000_0000],
    ['ffffff ffffffff', '000001', 0],
    ['ffffff fffffff0', '000020', 0x10],
  ])('adds across the borders: %s and %s', (field, delta, time) => {
    const [start, extended = ''] = field.split(' ');
    expect(times(`04 ${start} 000001 08 01000000 ${extended} aa 84 ${delta} bb`)[1]).toBe(time);
  });

  it('reads an extended delta in formats 1 and 2', () => {
    expect(times('04 000001 000001 08 01000000 aa 44 ffffff 000001 08 01000000 bb 84 ffffff 00ffffff cc')).toEqual([
      1, 0x100_0001, 0x200_0000,
    ]);
  });
});

describe('extended timestamps on format 3', () => {
  const start = `04 ffffff 000084 09 01000000 01234567 ${fill(128)}`;

  it('are skipped where they are repeated inside a message (the specification, FFmpeg, OBS since 2024)', () => {
    const [message] = readAll(`${start} c4 01234567 01020304`);
    expect(message!.payload.subarray(128)).toEqual(hex('01020304'));
    expect(message!.timestamp).toBe(0x0123_4567);
  });

  it('are not missed where they are not repeated (librtmp)', () => {
    const [message] = readAll(`${start} c4 01020304`);
    expect(message!.payload.subarray(128)).toEqual(hex('01020304'));
  });

  it.each(['01234568', '01230000', '02234567'])('are told from payload %s that begins alike', (payload) => {
    const messages = readAll(`${start} c4 ${payload} 44 000000 000001 08 bb`);
    expect(messages[0]!.payload.subarray(128)).toEqual(hex(payload));
    expect(messages[1]!.payload).toEqual(hex('bb'));
  });

  it('are told from a payload shorter than they are, and from the headers behind it', () => {
    // Two bytes of payload, 01 23, then a header that begins with 45: not the time 01234567 after all.
    const messages = readAll(`04 ffffff 000082 09 01000000 01234567 ${fill(128)} c4 0123 45 000000 000001 08 bb`);
    expect(lengths(messages)).toEqual([130, 1]);
    expect(messages[1]).toMatchObject({ type: 8, timestamp: 0, streamId: 0 });
  });

  it('are compared as they were on the wire: a delta, not the time it came to', () => {
    const delta = `04 000005 000001 09 01000000 aa 44 ffffff 000081 09 01000000 ${fill(128)}`;
    expect(readAll(`${delta} c4 01000000 bb`)[1]).toMatchObject({ timestamp: 0x100_0005 });
    expect(readAll(`${delta} c4 01000000 bb`)[1]!.payload[128]).toBe(0xbb);
    // The computed time, 01000005, would be payload; of which here only the first byte is left to come.
    expect(readAll(`${delta} c4 01 42 000000 000000 04`).map(({ payload }) => payload.length)).toEqual([1, 129, 0]);
  });

  it('always belong to a format 3 that begins a message, and may have changed (FFmpeg)', () => {
    expect(times('04 ffffff 000001 08 01000000 01000000 aa c4 01000000 bb c4 01000001 cc')).toEqual([
      0x100_0000, 0x200_0000, 0x300_0001,
    ]);
  });

  it('are expected no more after a small time field', () => {
    const messages = readAll(`04 ffffff 000001 09 01000000 01000000 aa 44 000001 000084 09 ${fill(128)} c4 01000000`);
    expect(messages[1]!.payload.subarray(128)).toEqual(hex('01000000'));
    expect(times('04 ffffff 000001 08 01000000 01000000 aa 84 000001 bb c4 cc')[2]).toBe(0x100_0002);
  });

  it('are each chunk stream’s own affair', () => {
    const messages = readAll(`${start} 06 000000 000084 09 01000000 ${fill(128)} c6 01234567 c4 01234567 01020304`);
    expect(messages.map(({ payload }) => payload.subarray(128).toString('hex'))).toEqual(['01234567', '01020304']);
  });
});
