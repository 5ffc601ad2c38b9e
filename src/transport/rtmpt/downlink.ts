import { bare } from './answer.ts';
import type { Answer } from './answer.ts';
import { Flight, Flights } from './delivery.ts';
import type { Memory } from './memory.ts';
import { Remembered } from './memory.ts';
import { Output, cutTail, lengthOf } from './output.ts';
import { intervalByte } from './polling.ts';
import type { Post } from './post.ts';
import { fitWindow } from './reply.ts';

/** S0S1S2 (RTMP 1.0, 5.2): the first thing that a client is told, whole if it can be. */
const GREETING_BYTES = 1 + 2 * 1536;

export interface DownlinkLimits {
  readonly holdMs: number;
  readonly unsureMs: number;
  readonly maxOutputBytes: number;
  readonly maxRemembered: number;
  readonly maxRememberedBytes: number;
}

/** What the session knows of a post that is due for the answer with the payload. */
export interface Due {
  /** C0C1 is in, and S0S1S2 not yet out. */
  readonly greeting: boolean;
  /** The core will say no more than what is here. */
  readonly ending: boolean;
  /** Until when it may be held. */
  readonly heldUntil: number;
}

/**
 * What goes out with a session's answers: the core's output until it is taken, payloads on their way until the kernel
 * has them, and the last ones for numbers that are repeated.
 *
 * - Only the highest number outstanding gets payload, all lower ones the bare interval byte: librtmp has a bug with two
 *   full answers in its window, and a bare answer needs no memory, so those owed to somebody who never reads are a count.
 * - Payload is taken at the moment of writing: what no socket could take is still here, for whoever asks next.
 * - `write` takes everything at once and holds only its callback back when too much waits, because behind a held
 *   callback later writes are invisible to us. Taking an answer calls it, and then takes again.
 */
export class Downlink {
  readonly #memory: Memory;
  readonly #limits: DownlinkLimits;
  readonly #output: Output;
  readonly #remembered: Remembered<Flight>;
  readonly #flights = new Flights();
  #heldWrite: (() => void) | undefined;
  #highest = -1;
  /** The highest number has had its answer. */
  #answered = false;
  #bytes = 0;
  #empties = 0;

  constructor(memory: Memory, limits: DownlinkLimits) {
    this.#memory = memory;
    this.#limits = limits;
    this.#output = new Output(memory);
    this.#remembered = new Remembered(memory, limits);
  }

  /** Payload that was given to sockets, and not put back. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Everything that was written has left. */
  get isDone(): boolean {
    return this.#output.bytes === 0 && this.#flights.none && this.#heldWrite === undefined;
  }

  /** A payload was lost and a later one was not: the hole can no longer be filled. */
  get isBroken(): boolean {
    return this.#flights.isBroken;
  }

  // From the core ---------------------------------------------------------------------------------------------------

  /** Takes what the core writes; `done` is called when there is room for more. */
  write(chunks: readonly Buffer[], done: () => void): void {
    for (const chunk of chunks) this.#output.push(chunk);
    const { bytes } = this.#output;
    if (bytes > this.#limits.maxOutputBytes || (bytes > 0 && this.#memory.isFull(0))) this.#heldWrite = done;
    else done();
  }

  /** Lets the core write on, whatever waits. */
  letWrite(): void {
    const done = this.#heldWrite;
    this.#heldWrite = undefined;
    done?.();
  }

  /** The client says something: a pause of empty answers is over. */
  stirred(): void {
    this.#empties = 0;
  }

  // To the client ---------------------------------------------------------------------------------------------------

  /** A request's head has come. Returns whether no number as high was heard of before. */
  arrive(number: number): boolean {
    if (number <= this.#highest) return false;
    this.#highest = number;
    this.#answered = false;
    return true;
  }

  isHighest({ number }: Post): boolean {
    return number >= this.#highest;
  }

  /** Whether a repeat of that number would get payload. */
  remembers(number: number): boolean {
    return this.#remembered.get(number) !== undefined;
  }

  /** The payload that its number was answered with before. */
  repeat({ number, fresh }: Post): Answer | undefined {
    if (fresh && !this.#answered && number >= this.#highest) return undefined;
    const kept = this.#remembered.get(number);
    if (kept === undefined) return undefined;
    kept.pending += 1;
    return answerWith(kept);
  }

  /** The answer to the highest number, all before it being settled; or until when to wait for one. */
  answer(post: Post, due: Due, now: number): Answer | number {
    if (this.#answered) return bare();
    const waiting = this.#output.bytes;
    const unsureUntil = this.#flights.unsureUntil(post.engine, this.#limits.unsureMs);
    const isSure = now >= unsureUntil;
    const isSaying = waiting > 0 && isSure;
    if (isSaying && (!due.greeting || waiting >= GREETING_BYTES || due.ending)) return this.#payload(post, now);
    if (now < due.heldUntil) return waiting > 0 && !isSure ? Math.min(due.heldUntil, unsureUntil) : due.heldUntil;
    if (isSaying) return this.#payload(post, now);
    this.#answered = true;
    this.#empties += 1;
    return bare(intervalByte(this.#limits.holdMs, this.#empties));
  }

  #payload({ number, persistent, engine }: Post, now: number): Answer {
    const chunks = this.#takeOutput();
    const waiting = lengthOf(chunks);
    const bytes = fitWindow(waiting, persistent);
    if (bytes < waiting) this.#output.unshift(cutTail(chunks, waiting - bytes));
    const flight = new Flight(number, chunks, bytes, engine, now);
    this.#flights.add(flight);
    this.#remembered.add(flight);
    this.#answered = true;
    this.#empties = 0;
    this.#bytes += bytes;
    return answerWith(flight);
  }

  /** Takes all that waits, up to the limit; the core, told that there is room, may have more at once. */
  #takeOutput(): Buffer[] {
    const { maxOutputBytes } = this.#limits;
    const chunks = this.#output.take(maxOutputBytes, true);
    let bytes = lengthOf(chunks);
    while (this.#heldWrite !== undefined) {
      this.letWrite();
      const more = this.#output.take(maxOutputBytes - bytes, false);
      if (more.length === 0) break;
      bytes += lengthOf(more);
      chunks.push(...more);
    }
    return chunks;
  }

  // What became of it -----------------------------------------------------------------------------------------------

  /** The kernel has the whole answer. */
  landed(flight: Flight): void {
    this.#flights.landed(flight);
  }

  /** Its socket closed before the kernel had the whole answer. */
  lost(flight: Flight): void {
    const back = this.#flights.lost(flight);
    for (const payload of back.reverse()) {
      this.#output.unshift(payload.chunks);
      this.#bytes -= payload.bytes;
      if (payload.number === this.#highest) this.#answered = false;
      this.#remembered.remove(payload);
    }
  }

  /** The session is over: nothing more is said, nor said again. */
  clear(): void {
    this.#output.clear();
    this.#remembered.clear();
    this.#flights.clear();
  }
}

function answerWith(flight: Flight): Answer {
  return { status: 200, interval: 1, chunks: flight.chunks, bytes: flight.bytes, flight };
}
