import { compareTimestamps, encodeWhole } from '../../src/protocol/index.ts';
import type { Message } from '../../src/protocol/index.ts';

/** Bytes between the basic header and the payload that formats 1 and 2 keep of format 0's eleven (RTMP 1.0, 5.3.1.2). */
const KEPT = { 1: 7, 2: 3 } as const;

/**
 * Writes messages as most clients do: leaving out what the last header on the same chunk stream said already. A message
 * never begins with format 3, and never goes back in time with a delta: readers disagree about both.
 */
export class CompressingWriter {
  /** Bytes of payload in a chunk. Change it right after writing the Set Chunk Size message. */
  chunkSize = 128;
  readonly #last = new Map<number, { type: number; streamId: number; timestamp: number; length: number }>();

  /** The whole message, in chunks on this chunk stream (2 to 65599). */
  write(message: Message, chunkStreamId: number): Buffer {
    const { type, streamId, timestamp, payload } = message;
    const last = this.#last.get(chunkStreamId);
    this.#last.set(chunkStreamId, { type, streamId, timestamp, length: payload.length });
    const delta = last === undefined ? 0 : compareTimestamps(timestamp, last.timestamp);
    if (last === undefined || last.streamId !== streamId || delta < 0) {
      return encodeWhole(message, chunkStreamId, this.chunkSize);
    }
    const format = last.type === type && last.length === payload.length ? 2 : 1;
    return shorten(encodeWhole({ ...message, timestamp: delta }, chunkStreamId, this.chunkSize), chunkStreamId, format);
  }
}

/** A message that was written with its delta for a time, under a shorter header. */
function shorten(whole: Buffer, chunkStreamId: number, format: 1 | 2): Buffer {
  const basicBytes = chunkStreamId < 64 ? 1 : chunkStreamId < 320 ? 2 : 3;
  whole[0]! |= format << 6;
  return Buffer.concat([whole.subarray(0, basicBytes + KEPT[format]), whole.subarray(basicBytes + 11)]);
}
