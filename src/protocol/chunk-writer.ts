import { UsageError } from '../errors.ts';
import type { Message } from './message.ts';
import { compareTimestamps } from './timestamp.ts';

/** Both directions begin with it (RTMP 1.0, 5.4.1). */
export const DEFAULT_CHUNK_SIZE = 128;
/** What a 24-bit time field says when the time follows in four bytes of its own (RTMP 1.0, 5.3.1.3). */
export const EXTENDED = 0xff_ffff;
/** A message's length field has 24 bits. */
const MAX_MESSAGE_BYTES = 0xff_ffff;

/** Bytes of the message header by chunk format 0 to 3 (RTMP 1.0, 5.3.1.2). */
export const MESSAGE_HEADER_BYTES: readonly number[] = [11, 7, 3, 0];

/**
 * Writes messages as chunks, leaving out what the last header on the same chunk stream said already. A message never
 * begins with format 3, and never goes back in time with a delta: readers disagree about both.
 */
export class ChunkWriter {
  /** Bytes of payload in a chunk. Change it right after writing the Set Chunk Size message. */
  chunkSize = DEFAULT_CHUNK_SIZE;
  readonly #last = new Map<number, { type: number; streamId: number; timestamp: number; length: number }>();

  /** The whole message, in chunks on this chunk stream (2 to 65599; some peers refuse those above 63). */
  write(message: Message, chunkStreamId: number): Buffer {
    const { type, streamId, timestamp, payload } = message;
    const last = this.#last.get(chunkStreamId);
    this.#last.set(chunkStreamId, { type, streamId, timestamp, length: payload.length });
    const delta = last === undefined ? 0 : compareTimestamps(timestamp, last.timestamp);
    if (last === undefined || last.streamId !== streamId || delta < 0) {
      return encode(message, chunkStreamId, this.chunkSize, 0, timestamp);
    }
    const format = last.type === type && last.length === payload.length ? 2 : 1;
    return encode(message, chunkStreamId, this.chunkSize, format, delta);
  }
}

/** The message with a full header and absolute time: bytes that owe nothing to what was sent before them. */
export function encodeWhole(message: Message, chunkStreamId: number, chunkSize: number): Buffer {
  return encode(message, chunkStreamId, chunkSize, 0, message.timestamp);
}

/** `time` is what the header's time field says: the timestamp for format 0, else the delta. */
function encode(message: Message, chunkStreamId: number, chunkSize: number, format: 0 | 1 | 2, time: number): Buffer {
  const { payload } = message;
  if (payload.length > MAX_MESSAGE_BYTES) {
    throw new UsageError('MESSAGE_TOO_LONG', `a message of ${payload.length} bytes does not fit its header`);
  }
  const basicBytes = basicHeaderBytes(chunkStreamId);
  const extendedBytes = time >= EXTENDED ? 4 : 0;
  const chunks = Math.max(1, Math.ceil(payload.length / chunkSize));
  const headerBytes = chunks * (basicBytes + extendedBytes) + MESSAGE_HEADER_BYTES[format]!;
  const target = Buffer.allocUnsafe(headerBytes + payload.length);

  let at = writeBasicHeader(target, 0, format, chunkStreamId);
  at = writeMessageHeader(target, at, message, format, Math.min(time, EXTENDED));
  for (let start = 0; ;) {
    // Repeated before every chunk: those that do not expect it compare, those that do would miss it.
    if (extendedBytes > 0) at = target.writeUInt32BE(time, at);
    const end = Math.min(start + chunkSize, payload.length);
    at += payload.copy(target, at, start, end);
    start = end;
    if (start === payload.length) return target;
    at = writeBasicHeader(target, at, 3, chunkStreamId);
  }
}

function basicHeaderBytes(chunkStreamId: number): number {
  if (chunkStreamId < 2 || chunkStreamId > 65_599) {
    throw new UsageError('CHUNK_STREAM_ID', `there is no chunk stream ${chunkStreamId}`);
  }
  if (chunkStreamId < 64) return 1;
  return chunkStreamId < 320 ? 2 : 3;
}

/** Format and chunk stream id in one, two or three bytes (RTMP 1.0, 5.3.1.1). */
function writeBasicHeader(target: Buffer, at: number, format: number, chunkStreamId: number): number {
  const bits = format << 6;
  if (chunkStreamId < 64) return target.writeUInt8(bits | chunkStreamId, at);
  if (chunkStreamId < 320) return target.writeUInt16BE((bits << 8) | (chunkStreamId - 64), at);
  return target.writeUInt16LE(chunkStreamId - 64, target.writeUInt8(bits | 1, at));
}

function writeMessageHeader(target: Buffer, at: number, message: Message, format: 0 | 1 | 2, field: number): number {
  let next = target.writeUIntBE(field, at, 3);
  if (format === 2) return next;
  next = target.writeUIntBE(message.payload.length, next, 3);
  next = target.writeUInt8(message.type, next);
  // The one little-endian field of RTMP.
  return format === 0 ? target.writeUInt32LE(message.streamId, next) : next;
}
