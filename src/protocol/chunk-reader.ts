import { LimitError, ProtocolError } from '../errors.ts';
import { DEFAULT_CHUNK_SIZE, EXTENDED } from './chunk-writer.ts';
import { MessageType } from './message.ts';
import type { Message } from './message.ts';
import { addTimestamp } from './timestamp.ts';

/** Bytes of the message header by chunk format 0 to 3 (RTMP 1.0, 5.3.1.2). */
const MESSAGE_HEADER_BYTES: readonly number[] = [11, 7, 3, 0];

/** What a peer may ask a reader to do. */
export interface ChunkReaderLimits {
  /** Bytes of one audio, video or aggregate message. */
  readonly maxMediaBytes: number;
  /** Bytes of one message of any other kind. */
  readonly maxCommandBytes: number;
  /** Chunk streams the reader remembers the last header of. */
  readonly maxChunkStreams: number;
  /** Messages begun and not finished, each on its chunk stream. */
  readonly maxPartialMessages: number;
  /** Memory set aside for unfinished messages in all, in bytes. */
  readonly maxPartialBytes: number;
  /** Of a message's declared length, this much memory is set aside before the bytes are there. */
  readonly eagerBytes: number;
  /** The smallest Set Chunk Size that is accepted. */
  readonly minChunkSize: number;
}

/** For a peer that was allowed in. */
export const CHUNK_READER_LIMITS: ChunkReaderLimits = Object.freeze({
  // A whole second of 64 Mbit/s in one frame. Red5 allows 3 MiB, MediaMTX 10.
  maxMediaBytes: 8 * 1024 * 1024,
  // For metadata with a picture or a keyframe index in it; commands are far smaller.
  maxCommandBytes: 256 * 1024,
  // Four times what the one-byte header can name; encoders use three to eight.
  maxChunkStreams: 256,
  // nginx-rtmp's max_streams is 32; encoders interleave two or three.
  maxPartialMessages: 64,
  // Two of the largest media messages.
  maxPartialBytes: 16 * 1024 * 1024,
  // Nearly every video frame is assembled without being moved.
  eagerBytes: 64 * 1024,
  // SRS and Red5 draw the line here too: one-byte chunks are work for nothing.
  minChunkSize: 128,
});

/** For a peer that nobody vouched for yet: it has a few commands to send, and no media. */
export const STRANGER_CHUNK_READER_LIMITS: ChunkReaderLimits = Object.freeze({
  maxMediaBytes: 64 * 1024,
  maxCommandBytes: 64 * 1024,
  maxChunkStreams: 64,
  maxPartialMessages: 16,
  // Two of the largest messages, should a control message need to pass between their chunks.
  maxPartialBytes: 128 * 1024,
  eagerBytes: 4 * 1024,
  minChunkSize: 128,
});

/** Basic header, message header, extended timestamp: never longer. */
const MAX_HEADER_BYTES = 3 + 11 + 4;
const NOTHING = Buffer.alloc(0);

/** The last header of one chunk stream, and the message under way on it. */
class ChunkStream {
  timestamp = 0;
  delta = 0;
  /** The last header's time did not fit 24 bits, so `wireTime` follows format-3 headers too. */
  hasExtended = false;
  /** The extended field as it was on the wire: a delta, or an absolute time. */
  wireTime = 0;
  length = 0;
  type = 0;
  streamId = 0;
  isOpen = false;
  /** Payload bytes that are in. */
  received = 0;
  /** Memory of the open message, `length` bytes at the end. */
  payload: Buffer = NOTHING;
}

/**
 * Chunks to messages (RTMP 1.0, 5.3), for bytes cut anywhere. Set Chunk Size and Abort take effect where they stand in
 * the stream, and are delivered as well.
 *
 * Payload is copied once, straight from the received bytes to the message's own memory, and that memory grows with what
 * has been received. Only a header that is cut is kept.
 */
export class ChunkReader {
  /** May be replaced at any time; counts from the next chunk on. */
  limits: ChunkReaderLimits;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  readonly #streams = new Map<number, ChunkStream>();
  /** The chunk being read, and how much of its payload is to come. */
  #current = new ChunkStream();
  #chunkLeft = 0;
  readonly #cutHeader = Buffer.allocUnsafe(MAX_HEADER_BYTES);
  #cutBytes = 0;
  #partialMessages = 0;
  #heldBytes = 0;
  #fault: unknown;

  constructor(limits: ChunkReaderLimits = CHUNK_READER_LIMITS) {
    this.limits = limits;
  }

  /** What the peer's chunks hold at most at present, in bytes. */
  get chunkSize(): number {
    return this.#chunkSize;
  }

  /** Memory set aside for unfinished messages, in bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Appends the messages that these bytes complete to `out`. On a fault it throws `ProtocolError` (CHUNK_INVALID,
   * CHUNK_INTERRUPTED, CHUNK_SIZE_INVALID) or `LimitError` (MESSAGE_TOO_LARGE, TOO_MANY_CHUNK_STREAMS,
   * TOO_MANY_PARTIAL_MESSAGES, PARTIAL_BYTES_EXCEEDED, CHUNK_SIZE_TOO_SMALL): messages before the fault are in `out`,
   * and every later call throws it again.
   */
  read(bytes: Buffer, out: Message[]): void {
    if (this.#fault !== undefined) throw this.#fault;
    try {
      let at = 0;
      while (at < bytes.length) {
        at = this.#cutBytes > 0 ? this.#mendHeader(bytes, at, out) : this.#readChunks(bytes, at, out);
      }
    } catch (fault) {
      this.#fault = fault;
      throw fault;
    }
  }

  /** Reads up to the end, or up to a header that is cut there, which it keeps. */
  #readChunks(bytes: Buffer, start: number, out: Message[]): number {
    const end = bytes.length;
    let at = start;
    while (at < end) {
      if (this.#chunkLeft > 0) {
        at = this.#readPayload(bytes, at, end, out);
        continue;
      }
      const next = this.#readHeader(bytes, at, end, out);
      if (next === 0) {
        this.#cutBytes = bytes.copy(this.#cutHeader, 0, at, end);
        return end;
      }
      at = next;
    }
    return end;
  }

  /** Completes a header that earlier bytes left cut; returns how far into `bytes` that led. */
  #mendHeader(bytes: Buffer, at: number, out: Message[]): number {
    const kept = this.#cutBytes;
    const end = kept + bytes.copy(this.#cutHeader, kept, at, at + MAX_HEADER_BYTES - kept);
    const next = this.#readHeader(this.#cutHeader, 0, end, out);
    if (next === 0) {
      this.#cutBytes = end;
      return at + end - kept;
    }
    this.#cutBytes = 0;
    if (next >= kept) return at + next - kept;
    // What looked like the start of a repeated extended timestamp was payload, or even the next header.
    this.#readChunks(Buffer.from(this.#cutHeader.subarray(next, kept)), 0, out);
    return at;
  }

  /** Returns where the header ends, or 0 if it is not all there; then nothing has been changed. */
  #readHeader(bytes: Buffer, start: number, end: number, out: Message[]): number {
    const first = bytes[start]!;
    const format = first >> 6;
    let id = first & 0x3f;
    let at = start + 1;
    if (id < 2) {
      at += id + 1;
      if (at > end) return 0;
      id = id === 0 ? 64 + bytes[start + 1]! : 64 + bytes[start + 1]! + 256 * bytes[start + 2]!;
    }
    const stream = this.#streams.get(id);
    if (format === 3) return this.#continue(stream, bytes, at, end, out);
    const headerEnd = at + MESSAGE_HEADER_BYTES[format]!;
    if (headerEnd > end) return 0;
    const time = uint24(bytes, at);
    if (time !== EXTENDED) {
      this.#begin(this.#streamFor(id, stream, format), format, time, false, bytes, at, out);
      return headerEnd;
    }
    if (headerEnd + 4 > end) return 0;
    this.#begin(this.#streamFor(id, stream, format), format, uint32(bytes, headerEnd), true, bytes, at, out);
    return headerEnd + 4;
  }

  /** A header of format 0 to 2 at `at`, with its time field already read. */
  #begin(
    stream: ChunkStream,
    format: number,
    time: number,
    isExtended: boolean,
    bytes: Buffer,
    at: number,
    out: Message[],
  ): void {
    // librtmp's deltas are unsigned differences: "a little earlier" is nearly 2^32 and wraps as it should.
    stream.timestamp = format === 0 ? time : addTimestamp(stream.timestamp, time);
    // Also after format 0: a format 3 then repeats the absolute value as its delta (RTMP 1.0, 5.3.1.2.4).
    stream.delta = time;
    stream.hasExtended = isExtended;
    stream.wireTime = time;
    if (format < 2) {
      stream.length = uint24(bytes, at + 3);
      stream.type = bytes[at + 6]!;
    }
    if (format === 0) stream.streamId = uint32LittleEndian(bytes, at + 7);
    this.#open(stream, out);
  }

  /** A header of format 3: more of the open message, or another one just like the last. */
  #continue(stream: ChunkStream | undefined, bytes: Buffer, at: number, end: number, out: Message[]): number {
    if (stream === undefined) throw unheard();
    if (!stream.isOpen) return this.#repeat(stream, bytes, at, end, out);
    let next = at;
    if (stream.hasExtended) {
      const repeated = startsWith(bytes, at, end, stream.wireTime);
      if (repeated === undefined) return 0;
      if (repeated) next += 4;
    }
    this.#nextChunk(stream);
    return next;
  }

  #repeat(stream: ChunkStream, bytes: Buffer, at: number, end: number, out: Message[]): number {
    let next = at;
    if (stream.hasExtended) {
      next += 4;
      if (next > end) return 0;
      // Not always the same value again: FFmpeg compares the 24-bit fields only before it picks format 3.
      stream.wireTime = stream.delta = uint32(bytes, at);
    }
    stream.timestamp = addTimestamp(stream.timestamp, stream.delta);
    this.#open(stream, out);
    return next;
  }

  #streamFor(id: number, known: ChunkStream | undefined, format: number): ChunkStream {
    if (known !== undefined) {
      if (known.isOpen)
        throw new ProtocolError('CHUNK_INTERRUPTED', `new message inside another on chunk stream ${id}`);
      return known;
    }
    // librtmp opens the control stream with format 1, which leaves the message stream at 0; format 2 has no length.
    if (format > 1) throw unheard();
    if (this.#streams.size >= this.limits.maxChunkStreams) {
      throw new LimitError('TOO_MANY_CHUNK_STREAMS', `more than ${this.limits.maxChunkStreams} chunk streams`);
    }
    const stream = new ChunkStream();
    this.#streams.set(id, stream);
    return stream;
  }

  #open(stream: ChunkStream, out: Message[]): void {
    const { length } = stream;
    if (length === 0) return this.#deliver(stream, NOTHING, out);
    if (length > this.#maxBytes(stream.type)) {
      throw new LimitError('MESSAGE_TOO_LARGE', `message of type ${stream.type} with ${length} bytes`);
    }
    if (this.#partialMessages >= this.limits.maxPartialMessages) {
      const most = this.limits.maxPartialMessages;
      throw new LimitError('TOO_MANY_PARTIAL_MESSAGES', `more than ${most} unfinished messages`);
    }
    this.#partialMessages++;
    stream.isOpen = true;
    stream.received = 0;
    this.#nextChunk(stream);
  }

  #maxBytes(type: number): number {
    const isMedia = type === MessageType.audio || type === MessageType.video || type === MessageType.aggregate;
    return isMedia ? this.limits.maxMediaBytes : this.limits.maxCommandBytes;
  }

  #nextChunk(stream: ChunkStream): void {
    this.#current = stream;
    this.#chunkLeft = Math.min(this.#chunkSize, stream.length - stream.received);
  }

  #readPayload(bytes: Buffer, start: number, bytesEnd: number, out: Message[]): number {
    const stream = this.#current;
    const end = Math.min(bytesEnd, start + this.#chunkLeft);
    const received = stream.received + end - start;
    if (received > stream.payload.length) this.#grow(stream, received);
    bytes.copy(stream.payload, stream.received, start, end);
    stream.received = received;
    this.#chunkLeft -= end - start;
    if (received === stream.length) this.#deliver(stream, this.#close(stream), out);
    return end;
  }

  /** Memory for at least `needed` bytes: what is there, the eager share, or twice what there was. */
  #grow(stream: ChunkStream, needed: number): void {
    const old = stream.payload;
    const wanted = Math.max(needed, this.limits.eagerBytes, old.length * 2);
    const size = Math.min(stream.length, wanted);
    this.#heldBytes += size - old.length;
    if (this.#heldBytes > this.limits.maxPartialBytes) {
      throw new LimitError('PARTIAL_BYTES_EXCEEDED', 'unfinished messages take too much memory');
    }
    stream.payload = Buffer.allocUnsafe(size);
    if (stream.received > 0) old.copy(stream.payload, 0, 0, stream.received);
  }

  /** Ends the open message, finished or not, and returns what came of it. */
  #close(stream: ChunkStream): Buffer {
    const { payload } = stream;
    this.#partialMessages--;
    this.#heldBytes -= payload.length;
    stream.isOpen = false;
    stream.payload = NOTHING;
    return payload;
  }

  #deliver(stream: ChunkStream, payload: Buffer, out: Message[]): void {
    const { type, streamId, timestamp } = stream;
    if (type === MessageType.setChunkSize) this.#setChunkSize(payload);
    else if (type === MessageType.abort) this.#abort(payload);
    out.push({ type, streamId, timestamp, payload });
  }

  #setChunkSize(payload: Buffer): void {
    const size = payload.length < 4 ? 0 : payload.readUInt32BE(0);
    if (size === 0 || size > 0x7fff_ffff) {
      throw new ProtocolError('CHUNK_SIZE_INVALID', `Set Chunk Size with payload ${payload.toString('hex', 0, 8)}`);
    }
    if (size < this.limits.minChunkSize) throw new LimitError('CHUNK_SIZE_TOO_SMALL', `chunk size of ${size} bytes`);
    this.#chunkSize = size;
  }

  #abort(payload: Buffer): void {
    if (payload.length < 4) throw new ProtocolError('CHUNK_INVALID', 'Abort without a chunk stream id');
    const stream = this.#streams.get(payload.readUInt32BE(0));
    if (stream?.isOpen) this.#close(stream);
  }
}

/** Whether these four bytes come next; undefined if too few are there to tell. */
function startsWith(bytes: Buffer, at: number, end: number, value: number): boolean | undefined {
  for (let i = 0; i < 4; i++) {
    if (at + i >= end) return undefined;
    if (bytes[at + i] !== ((value >>> (24 - 8 * i)) & 0xff)) return false;
  }
  return true;
}

function uint24(bytes: Buffer, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

function uint32(bytes: Buffer, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function uint32LittleEndian(bytes: Buffer, at: number): number {
  return ((bytes[at + 3]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!) >>> 0;
}

function unheard(): ProtocolError {
  return new ProtocolError('CHUNK_INVALID', 'chunk stream that begins without a full header');
}
