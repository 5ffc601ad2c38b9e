import { describe, expect, it } from 'vitest';
import { LimitError } from '../../src/errors.ts';
import { CHUNK_READER_LIMITS, ChunkReader, STRANGER_CHUNK_READER_LIMITS } from '../../src/protocol/chunk-reader.ts';
import type { ChunkReaderLimits } from '../../src/protocol/chunk-reader.ts';
import { encodeWhole } from '../../src/protocol/chunk-writer.ts';
import type { Message } from '../../src/protocol/message.ts';
import { fill, readEveryWay } from '../support/chunks.ts';
import { hex } from '../support/fixture.ts';
import { seeded } from '../support/random.ts';

describe('limits', () => {
  const uint24 = (value: number): string => value.toString(16).padStart(6, '0');
  const begin = (id: number, type: number, bytes: number): string =>
    `${id.toString(16).padStart(2, '0')} 000000 ${uint24(bytes)} ${type.toString(16).padStart(2, '0')} 01000000`;

  it.each([8, 9, 22])('bound a message of type %i like media, by its header alone', (type) => {
    const limits = { maxMediaBytes: 1000, maxCommandBytes: 10 };
    expect(readEveryWay(begin(4, type, 1000), limits).fault).toBeUndefined();
    expect(readEveryWay(begin(4, type, 1001), limits).fault).toBe('MESSAGE_TOO_LARGE');
  });

  it.each([4, 15, 16, 17, 18, 19, 20, 99])('bound a message of type %i like a command', (type) => {
    const limits = { maxMediaBytes: 10, maxCommandBytes: 1000 };
    expect(readEveryWay(begin(4, type, 1000), limits).fault).toBeUndefined();
    expect(readEveryWay(begin(4, type, 1001), limits).fault).toBe('MESSAGE_TOO_LARGE');
  });

  it('bound the chunk streams remembered', () => {
    const empty = (id: number): string => begin(id, 8, 0);
    expect(readEveryWay(empty(3) + empty(4) + empty(3), { maxChunkStreams: 2 }).fault).toBeUndefined();
    expect(readEveryWay(empty(3) + empty(4) + empty(5), { maxChunkStreams: 2 })).toMatchObject({
      fault: 'TOO_MANY_CHUNK_STREAMS',
      messages: [{ payload: Buffer.alloc(0) }, { payload: Buffer.alloc(0) }],
    });
  });

  it('bound the messages that are unfinished at once', () => {
    const half = (id: number): string => begin(id, 9, 129) + fill(128);
    const limits = { maxPartialMessages: 2 };
    expect(readEveryWay(half(3) + half(4), limits).fault).toBeUndefined();
    expect(readEveryWay(`${half(3)} ${half(4)} c3 aa ${half(5)}`, limits).fault).toBeUndefined();
    expect(readEveryWay(half(3) + half(4) + half(5), limits).fault).toBe('TOO_MANY_PARTIAL_MESSAGES');
    expect(readEveryWay(half(3) + half(4) + begin(5, 9, 0), limits).fault).toBeUndefined();
  });

  it('are not loosened by an Abort of nothing', () => {
    const half = (id: number): string => begin(id, 9, 129) + fill(128);
    const abort = '02 000000 000004 02 00000000 00000004';
    const limits = { maxPartialMessages: 1 };
    expect(readEveryWay(`${begin(4, 9, 1)} aa ${abort} ${half(5)}`, limits).fault).toBeUndefined();
    expect(readEveryWay(`${begin(4, 9, 1)} aa ${abort} ${half(5)} ${half(4)}`, limits).fault).toBe(
      'TOO_MANY_PARTIAL_MESSAGES',
    );
  });

  it('bound the memory of unfinished messages', () => {
    const half = (id: number): string => begin(id, 9, 200) + fill(128);
    const limits = { maxPartialBytes: 400 };
    expect(readEveryWay(half(3) + half(4), limits).fault).toBeUndefined();
    expect(readEveryWay(half(3) + half(4) + begin(5, 9, 1) + 'aa', limits).fault).toBe('PARTIAL_BYTES_EXCEEDED');
    expect(readEveryWay(`${half(3)} ${half(4)} c3 ${fill(72)} ${half(5)}`, limits).fault).toBeUndefined();
  });

  it('are LimitErrors', () => {
    expect(() => new ChunkReader({ ...CHUNK_READER_LIMITS, maxMediaBytes: 1 }).read(hex(begin(4, 9, 2)), [])).toThrow(
      LimitError,
    );
  });

  it('can change between calls, for what comes after', () => {
    const reader = new ChunkReader(STRANGER_CHUNK_READER_LIMITS);
    reader.limits = CHUNK_READER_LIMITS;
    expect(() => reader.read(hex(begin(4, 9, 8 * 1024 * 1024)), [])).not.toThrow();
    expect(() => new ChunkReader(STRANGER_CHUNK_READER_LIMITS).read(hex(begin(4, 9, 65_537)), [])).toThrow(LimitError);
  });

  it('let the largest messages pass that they name', () => {
    for (const limits of [CHUNK_READER_LIMITS, STRANGER_CHUNK_READER_LIMITS]) {
      const reader = new ChunkReader(limits);
      const sent = [
        { type: 9, streamId: 1, timestamp: 0, payload: seeded(1).bytes(limits.maxMediaBytes) },
        { type: 20, streamId: 0, timestamp: 0, payload: seeded(2).bytes(limits.maxCommandBytes) },
      ];
      const out: Message[] = [];
      for (const message of sent) reader.read(encodeWhole(message, 4, 128), out);
      expect(out.every((message, i) => message.payload.equals(sent[i]!.payload))).toBe(true);
      expect(reader.heldBytes).toBe(0);
    }
  });

  it('set memory aside for what was received, not for what was declared', () => {
    const reader = new ChunkReader();
    const bytes = encodeWhole({ type: 9, streamId: 1, timestamp: 0, payload: Buffer.alloc(8_000_000) }, 4, 128);
    const { eagerBytes } = CHUNK_READER_LIMITS;
    reader.read(bytes.subarray(0, 12), []);
    expect(reader.heldBytes).toBe(0);
    for (let at = 12; at < bytes.length - 1; at += 50_000) {
      reader.read(bytes.subarray(at, Math.min(at + 50_000, bytes.length - 1)), []);
      expect(reader.heldBytes).toBeLessThanOrEqual(Math.max(eagerBytes, 2 * (at + 50_000)));
    }
    expect(reader.heldBytes).toBe(8_000_000);
  });

  it('are all positive in both sets, and a stranger may do no more than a guest', () => {
    for (const key of Object.keys(CHUNK_READER_LIMITS) as (keyof ChunkReaderLimits)[]) {
      expect(STRANGER_CHUNK_READER_LIMITS[key]).toBeGreaterThan(0);
      expect(STRANGER_CHUNK_READER_LIMITS[key]).toBeLessThanOrEqual(CHUNK_READER_LIMITS[key]);
    }
  });
});
