import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { ChunkReader } from '../../src/protocol/chunk-reader.ts';
import { encodeWhole } from '../../src/protocol/chunk-writer.ts';
import type { Message } from '../../src/protocol/message.ts';
import { hex } from '../support/fixture.ts';
import { seeded } from '../support/random.ts';

function message(type: number, timestamp: number, payload: Buffer | number, streamId = 1): Message {
  return { type, streamId, timestamp, payload: typeof payload === 'number' ? Buffer.alloc(payload, 0xaa) : payload };
}

const header = (bytes: Buffer, length: number): string => bytes.toString('hex', 0, length);

describe('a message in chunks', () => {
  it('is the specification’s example 2 (RTMP 1.0, 5.3.2.2): 307 bytes in chunks of 128, 128 and 51', () => {
    const bytes = encodeWhole(message(9, 1000, 307, 12346), 4, 128);
    expect(bytes.length).toBe(140 + 129 + 52);
    expect(header(bytes, 12)).toBe('04' + '0003e8' + '000133' + '09' + '3a300000');
    expect(bytes[140]).toBe(0xc4);
    expect(bytes[140 + 129]).toBe(0xc4);
  });

  it.each([
    [0xff_fffe, '04' + 'fffffe' + '000081' + '08' + '01000000', 'c4'],
    [0xff_ffff, '04' + 'ffffff' + '000081' + '08' + '01000000' + '00ffffff', 'c400ffffff'],
    [0x100_0000, '04' + 'ffffff' + '000081' + '08' + '01000000' + '01000000', 'c401000000'],
    [0xffff_ffff, '04' + 'ffffff' + '000081' + '08' + '01000000' + 'ffffffff', 'c4ffffffff'],
  ])('writes time %i, repeating an extended one before every chunk', (time, first, second) => {
    const bytes = encodeWhole(message(8, time, 129), 4, 128);
    const firstBytes = first.length / 2;
    expect(header(bytes, firstBytes)).toBe(first);
    expect(bytes.toString('hex', firstBytes + 128)).toBe(second + 'aa');
  });

  it.each([
    [2, '02'],
    [63, '3f'],
    [64, '0000'],
    [319, '00ff'],
    [320, '010001'],
    [65_599, '01ffff'],
  ])('names chunk stream %i in as few bytes as can be', (id, basic) => {
    const bytes = encodeWhole(message(8, 0, 200), id, 128);
    expect(bytes.toString('hex', 0, basic.length / 2)).toBe(basic);
    const again = (Number.parseInt(basic.slice(0, 2), 16) | 0xc0).toString(16) + basic.slice(2);
    expect(bytes.toString('hex', basic.length / 2 + 11 + 128, basic.length + 11 + 128)).toBe(again);
  });

  it.each([0, 1, 65_600])('refuses chunk stream %i, which there is not', (id) => {
    expect(() => encodeWhole(message(8, 0, 1), id, 128)).toThrow(UsageError);
  });

  it('writes a message of no bytes as a header alone', () => {
    expect(encodeWhole(message(8, 5, 0), 4, 128)).toEqual(hex('04 000005 000000 08 01000000'));
  });

  it('cuts at the chunk size exactly', () => {
    expect(encodeWhole(message(8, 0, 128), 4, 128).length).toBe(12 + 128);
    expect(encodeWhole(message(8, 0, 129), 4, 128).length).toBe(12 + 129 + 1);
  });

  it('takes the longest message that a header can tell, and refuses one past it', () => {
    expect(encodeWhole(message(9, 0, 0xff_ffff), 6, 0x7fff_ffff).length).toBe(12 + 0xff_ffff);
    expect(() => encodeWhole(message(9, 0, 0x100_0000), 6, 65_536)).toThrow(UsageError);
  });

  it('is read back as it was written, whatever was written before or was lost', () => {
    const random = seeded(42);
    const times = [0, 20, 0xff_fffe, 0xff_ffff, 0x100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0];
    const reader = new ChunkReader();
    for (let i = 0; i < 2000; i++) {
      const time = (random.pick(times) + random.int(50)) >>> 0;
      const sent = message(random.pick([8, 9, 18]), time, random.bytes(random.int(600)), random.int(3));
      const bytes = encodeWhole(sent, random.pick([3, 4, 63, 64, 400]), 128);
      if (random.int(3) === 0) continue;
      const out: Message[] = [];
      reader.read(bytes, out);
      expect(out).toEqual([sent]);
    }
  });
});
