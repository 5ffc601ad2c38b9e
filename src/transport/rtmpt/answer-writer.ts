import type { Socket } from 'node:net';
import type { Flight } from './delivery.ts';
import { isPost } from './owed.ts';
import type { Owed, OwedAnswers } from './owed.ts';
import type { Post } from './post.ts';
import { BLOCK, EARLY_LINES, bareReplies, bareReply, formatDataStart, formatEarlyRest, formatReply } from './reply.ts';
import type { Answer } from './answer.ts';
import type { Tunnel } from './tunnel.ts';

/** Owed answers are made in pieces of this size, each only when the socket has taken the one before. */
const WRITE_BYTES = 64 * 1024;
/** Up to here, copying an answer into one piece is cheaper than a gathering write. */
const JOIN_BYTES = 4 * 1024;

/** Payloads that left in one write. */
interface Batch {
  readonly flights: Array<readonly [Flight, Tunnel]>;
  isKnown: boolean;
}

/** Turns what a connection owes into bytes, as far as the socket takes them. */
export class AnswerWriter {
  readonly #socket: Socket;
  readonly #owed: OwedAnswers;
  /** Called when the kernel has taken a payload that it did not take at once. */
  readonly #onLanded: () => void;
  readonly #batches = new Set<Batch>();
  #pieces: Buffer[] = [];
  #bytes = 0;
  #flights: Array<readonly [Flight, Tunnel]> = [];
  #isLast = false;

  constructor(socket: Socket, owed: OwedAnswers, onLanded: () => void) {
    this.#socket = socket;
    this.#owed = owed;
    this.#onLanded = onLanded;
  }

  /** An answer was written that ends the connection: what is owed behind it will never be written. */
  get isLast(): boolean {
    return this.#isLast;
  }

  /** Whether it is unknown of some payload if the kernel has it. */
  get isUnsure(): boolean {
    return this.#batches.size > 0;
  }

  /** Writes what is due. `early`: a post whose answer may begin before its body is here; it gets one line more. */
  flush(now: number, early: Post | undefined): void {
    let next = early;
    do {
      this.#gather(now, next);
      if (this.#pieces.length === 0) return;
      this.#write();
      next = undefined;
    } while (!this.#isLast && this.#owed.first !== undefined && !this.#socket.writableNeedDrain);
  }

  /** The socket is gone: payload that the kernel has not taken was not delivered. */
  close(): void {
    for (const { flights } of this.#batches) for (const [flight, tunnel] of flights) tunnel.lost(flight);
    this.#batches.clear();
  }

  #gather(now: number, early: Post | undefined): void {
    if (this.#socket.writableNeedDrain) return;
    while (this.#bytes < WRITE_BYTES && !this.#isLast) {
      const { first } = this.#owed;
      if (first === undefined) return;
      if (first.before > 0) this.#appendBare(first);
      else if (!this.#append(first, now, early)) return;
    }
  }

  #appendBare(owed: Owed): void {
    const count = Math.min(owed.before, BLOCK);
    owed.before -= count;
    this.#push(bareReplies(count));
  }

  #append(owed: Owed, now: number, early: Post | undefined): boolean {
    if (!isPost(owed)) {
      const { reply, complete } = owed;
      if (!complete && reply.persistent) return false;
      this.#push(formatReply(reply.status, reply.persistent, reply.body));
      this.#finish(reply.persistent);
      return true;
    }
    if (!owed.complete) {
      if (owed === early && owed.early < EARLY_LINES.length) this.#push(EARLY_LINES[owed.early++]!);
      return false;
    }
    const answer = owed.tunnel.answer(owed, now);
    if (answer === undefined) return false;
    this.#appendAnswer(owed, answer);
    return true;
  }

  #appendAnswer(post: Post, answer: Answer): void {
    const { persistent, early } = post;
    // Behind an early 200 the end of a session can only be told by the next answer.
    if (answer.status !== 200 && early === 0) {
      this.#push(formatReply(answer.status, false, ''));
      return this.#finish(false);
    }
    const interval = answer.status === 200 ? answer.interval : 1;
    if (early > 0) this.#push(formatEarlyRest(early, interval, answer.bytes));
    else
      this.#push(
        answer.bytes === 0 ? bareReply(interval, persistent) : formatDataStart(interval, answer.bytes, persistent),
      );
    for (const chunk of answer.chunks) this.#push(chunk);
    if (answer.flight) this.#flights.push([answer.flight, post.tunnel]);
    this.#finish(persistent);
  }

  #push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  #finish(persistent: boolean): void {
    this.#owed.shift();
    if (!persistent) this.#isLast = true;
  }

  #write(): void {
    const socket = this.#socket;
    const pieces = this.#pieces;
    const isSmall = pieces.length === 1 || this.#bytes <= JOIN_BYTES;
    const batch = this.#takeBatch();
    const onWritten = batch && ((error?: Error | null): void => this.#written(batch, error));
    if (isSmall) socket.write(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, this.#bytes), onWritten);
    else {
      socket.cork();
      const last = pieces.length - 1;
      for (let i = 0; i < last; i++) socket.write(pieces[i]!);
      socket.write(pieces[last]!, onWritten);
      socket.uncork();
    }
    this.#pieces = [];
    this.#bytes = 0;
    if (batch) this.#follow(batch);
  }

  #takeBatch(): Batch | undefined {
    if (this.#flights.length === 0) return undefined;
    const flights = this.#flights;
    this.#flights = [];
    return { flights, isKnown: false };
  }

  /** Nearly always the kernel takes everything at once, and nobody has to wait for a callback to know it. */
  #follow(batch: Batch): void {
    if (this.#socket.writableLength === 0 && this.#socket.errored === null) this.#land(batch);
    else this.#batches.add(batch);
  }

  #written(batch: Batch, error: Error | null | undefined): void {
    // Node reports success for writes that were under way when the socket was destroyed: `close` decides about these.
    if (batch.isKnown || error || this.#socket.destroyed) return;
    this.#land(batch);
    this.#onLanded();
  }

  #land(batch: Batch): void {
    batch.isKnown = true;
    this.#batches.delete(batch);
    for (const [flight, tunnel] of batch.flights) tunnel.landed(flight);
  }
}
