import { HeadReader } from './wire.ts';

/** What is told of the requests on one connection, in the order of their bytes. */
export interface RequestSink {
  /** A head is complete; it may be looked at until the next one. `rest` gives all bytes from its first one on. */
  head(head: HeadReader, rest: () => Buffer): void;
  /** Bytes of its body; they may be looked at during the call only. */
  body(bytes: Buffer): void;
  /** The request is here as a whole. */
  complete(): void;
}

const CR = 0x0d;
const LF = 0x0a;

/** Cuts the bytes of a connection into requests. Only a head that is not complete yet is kept. Pure. */
export class RequestReader {
  readonly #sink: RequestSink;
  readonly #head: HeadReader;
  readonly #maxHeadBytes: number;
  #partial: Buffer | undefined;
  #bodyLeft = 0;
  #isStopped = false;

  constructor(sink: RequestSink, maxHeadBytes: number) {
    this.#sink = sink;
    this.#head = new HeadReader(maxHeadBytes);
    this.#maxHeadBytes = maxHeadBytes;
  }

  /** The beginning of a head is here, and its end is not. */
  get isAmidHead(): boolean {
    return this.#partial !== undefined;
  }

  get isAmidBody(): boolean {
    return this.#bodyLeft > 0;
  }

  /** Reads nothing any more, not even what is left of the bytes that are being read. */
  stop(): void {
    this.#isStopped = true;
    this.#partial = undefined;
    this.#bodyLeft = 0;
  }

  /** Takes received bytes. Throws `ProtocolError` when they are no proper HTTP (`LimitError`: a head is too long). */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#isStopped) {
      if (this.#bodyLeft > 0) at = this.#readBody(bytes, at);
      else if (this.#partial !== undefined) at = this.#readPartial(bytes, this.#partial, at);
      else at = this.#readHead(bytes, at);
    }
  }

  #readHead(bytes: Buffer, start: number): number {
    let at = start;
    // Some old clients send a line break after the body (RFC 9112, 2.2).
    while (at < bytes.length && (bytes[at] === CR || bytes[at] === LF)) at += 1;
    if (at === bytes.length) return at;
    const end = this.#head.read(bytes, at);
    if (end >= 0) return this.#begin(bytes, at, end);
    this.#partial = Buffer.from(bytes.subarray(at));
    return bytes.length;
  }

  #readPartial(bytes: Buffer, before: Buffer, start: number): number {
    const joined = Buffer.concat([before, bytes.subarray(start)]);
    // Only the end of a line can complete a head: one in single bytes is not read anew for each of them.
    const mayEnd = bytes.includes(LF, start) || joined.length > this.#maxHeadBytes;
    const end = mayEnd ? this.#head.read(joined, 0) : -1;
    this.#partial = end < 0 ? joined : undefined;
    return end < 0 ? bytes.length : start + this.#begin(joined, 0, end) - before.length;
  }

  /** A head is complete. Returns where its body begins. */
  #begin(bytes: Buffer, start: number, end: number): number {
    this.#sink.head(this.#head, () => bytes.subarray(start));
    if (this.#isStopped) return end;
    this.#bodyLeft = Math.max(0, this.#head.contentLength);
    if (this.#bodyLeft === 0) this.#sink.complete();
    return end;
  }

  #readBody(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + this.#bodyLeft);
    this.#bodyLeft -= end - start;
    this.#sink.body(bytes.subarray(start, end));
    if (this.#bodyLeft === 0 && !this.#isStopped) this.#sink.complete();
    return end;
  }
}
