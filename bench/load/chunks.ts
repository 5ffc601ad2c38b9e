import { STAMP_BYTES } from './stamp.ts';

/** RTMP 1.0, 5.3.1: basic header up to 3 bytes, message header up to 11, extended timestamp 4. */
const LONGEST_HEADER = 18;
const MESSAGE_HEADER_BYTES = [11, 7, 3, 0] as const;
const DEFAULT_CHUNK_SIZE = 128;
const AUDIO = 8;
const VIDEO = 9;

/** One whole message of a command or of media as chunks of `chunkSize`: a full header first, then continuations. */
export function encodeMessage(
  type: number,
  streamId: number,
  timestamp: number,
  payload: Buffer,
  chunk: ChunkForm,
): Buffer {
  const { id, size } = chunk;
  const continuations = Math.max(0, Math.ceil(payload.length / size) - 1);
  const bytes = Buffer.alloc(12 + payload.length + continuations);
  bytes[0] = id;
  bytes.writeUIntBE(timestamp, 1, 3);
  bytes.writeUIntBE(payload.length, 4, 3);
  bytes[7] = type;
  bytes.writeUInt32LE(streamId, 8);
  let at = 12;
  for (let sent = 0; sent < payload.length; sent += size) {
    if (sent > 0) bytes[at++] = 0xc0 | id;
    at += payload.copy(bytes, at, sent, Math.min(sent + size, payload.length));
  }
  return bytes;
}

export interface ChunkForm {
  /** Chunk stream id, 2 to 63. */
  readonly id: number;
  readonly size: number;
}

/** What the reader tells of a message that is complete. `head` and `body` are only valid during the call. */
export interface MessageSeen {
  readonly type: number;
  readonly length: number;
  /** The first bytes of a media message, as many as a stamp has. */
  readonly head: Buffer;
  readonly lastByte: number;
  /** The whole payload of any other message. */
  readonly body: Buffer;
}

class Assembly implements MessageSeen {
  type = 0;
  length = 0;
  extended = false;
  received = 0;
  lastByte = 0;
  readonly head = Buffer.alloc(STAMP_BYTES);
  body = Buffer.alloc(0);

  get isMedia(): boolean {
    return this.type === VIDEO || this.type === AUDIO;
  }

  take(bytes: Buffer, start: number, end: number): void {
    if (!this.isMedia) {
      if (this.received === 0) this.body = Buffer.alloc(this.length);
      bytes.copy(this.body, this.received, start, end);
    } else if (this.received < STAMP_BYTES) bytes.copy(this.head, this.received, start, end);
    this.received += end - start;
    this.lastByte = bytes[end - 1]!;
  }
}

/**
 * Reads chunks by counting: of media it keeps the first bytes and the last one and steps over the rest, so that a
 * hundred players cost their load generator little more than the system calls. Any chunk size, any interleaving.
 */
export class ChunkCounter {
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #assemblies: (Assembly | undefined)[] = [];
  #current: Assembly | undefined;
  #left = 0;
  readonly #kept = Buffer.alloc(LONGEST_HEADER * 2);
  #keptLength = 0;
  readonly #onMessage: (message: MessageSeen) => void;

  constructor(onMessage: (message: MessageSeen) => void) {
    this.#onMessage = onMessage;
  }

  /** The peer announced its chunk size. */
  set chunkSize(size: number) {
    this.#chunkSize = size;
  }

  read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) at = this.#current ? this.#readPayload(bytes, at, end) : this.#readHeader(bytes, at, end);
  }

  #readPayload(bytes: Buffer, at: number, end: number): number {
    const assembly = this.#current!;
    const stop = Math.min(end, at + this.#left);
    assembly.take(bytes, at, stop);
    this.#left -= stop - at;
    if (this.#left === 0) this.#chunkEnded(assembly);
    return stop;
  }

  #chunkEnded(assembly: Assembly): void {
    this.#current = undefined;
    if (assembly.received < assembly.length) return;
    this.#onMessage(assembly);
    assembly.received = 0;
  }

  #readHeader(bytes: Buffer, at: number, end: number): number {
    if (this.#keptLength === 0) {
      const next = this.#header(bytes, at, end);
      if (next >= 0) return next;
    }
    return this.#readCutHeader(bytes, at, end);
  }

  /** A header that two reads share is put together in `#kept`. */
  #readCutHeader(bytes: Buffer, at: number, end: number): number {
    const before = this.#keptLength;
    const added = bytes.copy(this.#kept, before, at, Math.min(end, at + LONGEST_HEADER));
    this.#keptLength = before + added;
    const next = this.#header(this.#kept, 0, this.#keptLength);
    if (next < 0) return at + added;
    this.#keptLength = 0;
    return at + next - before;
  }

  /** Where the header that begins at `at` ends, or -1 when it is not whole yet. */
  #header(bytes: Buffer, start: number, end: number): number {
    const first = bytes[start]!;
    const low = first & 0x3f;
    let at = start + (low === 0 ? 2 : low === 1 ? 3 : 1);
    if (at > end) return -1;
    const id = low === 0 ? bytes[start + 1]! + 64 : low === 1 ? bytes.readUInt16LE(start + 1) + 64 : low;
    const form = (first >> 6) as 0 | 1 | 2 | 3;
    const size = MESSAGE_HEADER_BYTES[form];
    if (at + size > end) return -1;
    const assembly = (this.#assemblies[id] ??= new Assembly());
    const extended = size > 0 ? bytes.readUIntBE(at, 3) === 0xffffff : assembly.extended;
    if (at + size + (extended ? 4 : 0) > end) return -1;
    assembly.extended = extended;
    if (size >= 7) {
      assembly.length = bytes.readUIntBE(at + 3, 3);
      assembly.type = bytes[at + 6]!;
    }
    at += size + (extended ? 4 : 0);
    this.#begin(assembly);
    return at;
  }

  #begin(assembly: Assembly): void {
    this.#left = Math.min(this.#chunkSize, assembly.length - assembly.received);
    if (this.#left > 0) this.#current = assembly;
    else this.#chunkEnded(assembly);
  }
}
