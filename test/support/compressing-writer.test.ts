import { describe, expect, it } from 'vitest';
import { ChunkReader } from '../../src/protocol/chunk-reader.ts';
import type { Message } from '../../src/protocol/message.ts';
import { CompressingWriter } from './compressing-writer.ts';
import { hex } from './fixture.ts';
import { seeded } from './random.ts';

function message(type: number, timestamp: number, payload: Buffer | number, streamId = 1): Message {
  return { type, streamId, timestamp, payload: typeof payload === 'number' ? Buffer.alloc(payload, 0xaa) : payload };
}

const header = (bytes: Buffer, length: number): string => bytes.toString('hex', 0, length);

describe('a writer that compresses headers', () => {
  it('starts like the specification’s example 1 (5.3.2.1), and repeats the delta where that uses format 3', () => {
    const writer = new CompressingWriter();
    const sent = [1000, 1020, 1040, 1060].map((time) => writer.write(message(8, time, 32, 12345), 3));
    expect(sent.map((bytes) => bytes.length)).toEqual([44, 36, 36, 36]);
    expect(header(sent[0]!, 12)).toBe('03' + '0003e8' + '000020' + '08' + '39300000');
    for (const bytes of sent.slice(1)) expect(header(bytes, 4)).toBe('83' + '000014');
  });

  it('leaves out only what the last header on that chunk stream said', () => {
    const writer = new CompressingWriter();
    writer.write(message(8, 100, 10), 4);
    expect(header(writer.write(message(8, 120, 11), 4), 8)).toBe('44' + '000014' + '00000b' + '08');
    expect(header(writer.write(message(9, 120, 11), 4), 8)).toBe('44' + '000000' + '00000b' + '09');
    expect(header(writer.write(message(9, 125, 11), 4), 4)).toBe('84' + '000005');
    expect(header(writer.write(message(9, 125, 11, 2), 4), 12)).toBe('04' + '00007d' + '00000b' + '09' + '02000000');
    expect(header(writer.write(message(9, 125, 11, 2), 5), 1)).toBe('05');
  });

  it('writes a full header when time goes back, rather than a negative delta', () => {
    const writer = new CompressingWriter();
    writer.write(message(8, 100, 10), 4);
    expect(header(writer.write(message(8, 99, 10), 4), 4)).toBe('04' + '000063');
  });

  it('writes a delta across the wrap at 2^32, and an extended one', () => {
    const writer = new CompressingWriter();
    writer.write(message(8, 0xffff_fff6, 1), 4);
    expect(header(writer.write(message(8, 10, 1), 4), 4)).toBe('84' + '000014');
    expect(writer.write(message(8, 0x1_000_00a, 1), 4)).toEqual(hex('84 ffffff 01000000 aa'));
  });

  it('is read back as it was written, whatever was written before', () => {
    const random = seeded(42);
    const times = [0, 20, 0xff_fffe, 0xff_ffff, 0x100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0];
    const writer = new CompressingWriter();
    const reader = new ChunkReader();
    for (let i = 0; i < 2000; i++) {
      if (i % 100 === 99) {
        const size = random.pick([128, 4096, 65_536]);
        const change = message(1, 0, Buffer.from([0, size >> 16, (size >> 8) & 0xff, size & 0xff]), 0);
        reader.read(writer.write(change, 2), []);
        writer.chunkSize = size;
      }
      const time = (random.pick(times) + random.int(50)) >>> 0;
      const sent = message(random.pick([8, 9, 18]), time, random.bytes(random.int(600)), random.int(3));
      const out: Message[] = [];
      reader.read(writer.write(sent, random.pick([3, 4, 63, 64, 400])), out);
      expect(out).toEqual([sent]);
    }
  });
});
