import { UsageError } from '../errors.ts';
import type { Message } from './message.ts';

/** Both directions begin with it (RTMP 1.0, 5.4.1). */
export const DEFAULT_CHUNK_SIZE = 128;
/** What a 24-bit time field says when the time follows in four bytes of its own (RTMP 1.0, 5.3.1.3). */
export const EXTENDED = 0xff_ffff;
/** A message's length field has 24 bits. */
const MAX_MESSAGE_BYTES = 0xff_ffff;

/** Bytes of the message header in format 0 (RTMP 1.0, 5.3.1.2.1). */
const FULL_HEADER_BYTES = 11;

/**
 * The message as chunks (chunk stream 2 to 65599; some peers refuse those above 63; `chunkSize` in bytes of payload), with
 * a full header and absolute time: bytes that owe nothing to what was sent before them. Shorter headers would save a
 * reply 4 bytes, and mislead whoever has thrown away the one before, as RootEncoder does with what it has not read when
 * its next RTMPT answer comes.
 */
export function encodeWhole(message: Message, chunkStreamId: number, chunkSize: number): Buffer {
  const { payload, timestamp } = message;
  if (payload.length > MAX_MESSAGE_BYTES) {
    throw new UsageError('MESSAGE_TOO_LONG', `a message of ${payload.length} bytes does not fit its header`);
  }
  const basicBytes = basicHeaderBytes(chunkStreamId);
  const extendedBytes = timestamp >= EXTENDED ? 4 : 0;
  const chunks = Math.max(1, Math.ceil(payload.length / chunkSize));
  const headerBytes = chunks * (basicBytes + extendedBytes) + FULL_HEADER_BYTES;
  const target = Buffer.allocUnsafe(headerBytes + payload.length);

  let at = writeBasicHeader(target, 0, 0, chunkStreamId);
  at = writeFullHeader(target, at, message);
  for (let start = 0; ;) {
    // Repeated before every chunk: those that do not expect it compare, those that do would miss it.
    if (extendedBytes > 0) at = target.writeUInt32BE(timestamp, at);
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

/** Format (0 before a message, 3 before the rest of one) and chunk stream id in one, two or three bytes (RTMP 1.0, 5.3.1.1). */
function writeBasicHeader(target: Buffer, at: number, format: number, chunkStreamId: number): number {
  const bits = format << 6;
  if (chunkStreamId < 64) return target.writeUInt8(bits | chunkStreamId, at);
  if (chunkStreamId < 320) return target.writeUInt16BE((bits << 8) | (chunkStreamId - 64), at);
  return target.writeUInt16LE(chunkStreamId - 64, target.writeUInt8(bits | 1, at));
}

function writeFullHeader(target: Buffer, at: number, message: Message): number {
  let next = target.writeUIntBE(Math.min(message.timestamp, EXTENDED), at, 3);
  next = target.writeUIntBE(message.payload.length, next, 3);
  next = target.writeUInt8(message.type, next);
  // The one little-endian field of RTMP.
  return target.writeUInt32LE(message.streamId, next);
}
