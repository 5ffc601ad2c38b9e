import { Duplex } from 'node:stream';
import { ProtocolError, TransportError } from '../../errors.ts';
import type { Peer } from '../link.ts';
import { GONE, UNREACHED, bare } from './answer.ts';
import type { Answer } from './answer.ts';
import { Flight, Flights } from './delivery.ts';
import type { Memory } from './memory.ts';
import { Remembered } from './memory.ts';
import { Order } from './order.ts';
import { Output, cutTail, lengthOf } from './output.ts';
import { Uplink, holdTime, intervalByte } from './polling.ts';
import type { Engine, Post } from './post.ts';
import { fitWindow } from './reply.ts';
import type { TunnelOptions } from './tunnel-options.ts';
import { Waiting } from './waiting.ts';
import type { Sleeper } from './wheel.ts';

/** C0C1, and S0S1S2 (RTMP 1.0, 5.2). */
const GREETING_BYTES = 1 + 1536;
const GREETING_ANSWER_BYTES = 1 + 2 * 1536;
/** C0C1 and C2 say nothing about what the client came for. */
const CLIENT_GREETING_BYTES = GREETING_BYTES + 1536 - 1;

/** What a tunnel needs of the room that it lives in. */
export interface TunnelHost {
  readonly options: TunnelOptions;
  readonly memory: Memory;
  /** Monotonic milliseconds. */
  now(): number;
  /** The first byte is about to come: hand the tunnel to whoever speaks with it. */
  start(tunnel: Tunnel): void;
  /** Calls `tunnel.tick` at `at` or earlier. */
  schedule(tunnel: Tunnel, at: number): void;
  /** There is nothing to wake it for any more. */
  cancel(tunnel: Tunnel): void;
  /** The session no longer counts. */
  ended(tunnel: Tunnel, fault: Error | undefined): void;
  /** Its id is unknown from now on. */
  forget(tunnel: Tunnel): void;
}

/**
 * The serving half of one RTMPT session, as a stream: what clients send comes out of it in order, each byte once; what
 * is written into it goes out with the answers.
 *
 * Rules that make up most of this file:
 * - Only the highest number outstanding gets payload, all lower ones the bare interval byte: librtmp has a bug with two
 *   full answers in its window, and a bare answer needs no memory, so those owed to somebody who never reads are a count.
 * - Payload is taken at the moment of writing: what no socket could take is still here, for whoever asks next.
 * - `write` takes everything at once and holds only its callback back when too much waits, because behind a held
 *   callback later writes are invisible to us. Taking an answer calls it, and then takes again.
 * - The core ends with `end()`: what it said is still delivered, then requests get 404. `/close` ends both directions at
 *   once, like a disconnected TCP client. `destroy` is for faults and time-outs.
 *
 * Phases: open -> closed (by the client) | over (by the core, all said) -> dead; any of them -> dead by `destroy`.
 */
export class Tunnel extends Duplex implements Sleeper {
  readonly peer: Peer;
  readonly id: string;
  wakeAt = Infinity;
  bed: Set<Sleeper> | undefined;
  readonly #host: TunnelHost;
  readonly #order: Order;
  readonly #output: Output;
  readonly #remembered: Remembered<Flight>;
  readonly #flights = new Flights();
  readonly #uplink = new Uplink();
  #phase: 'open' | 'closed' | 'over' | 'dead' = 'open';
  readonly #waiting = new Waiting();
  /** Engines that are not read until the core takes bytes again. */
  readonly #stopped = new Set<Engine>();
  #full = false;
  #highest = -1;
  /** The highest number has had its answer. */
  #answered = false;
  #bytesIn = 0;
  #bytesOut = 0;
  #empties = 0;
  /** The newest request is a send. */
  #hasSent = false;
  #refusal: Answer = GONE;
  #activeAt: number;
  #phaseAt = 0;
  /** The client has said `/close`: what it sent before is answered as ever, however late it reads the answers. */
  #isClosed = false;
  #heldWrite: (() => void) | undefined;
  #final: (() => void) | undefined;

  constructor(id: string, peer: Peer, host: TunnelHost) {
    // 64 KiB: one read of a socket. What waits to go out is counted by us, against `maxOutputBytes`.
    super({ readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024, decodeStrings: true });
    this.id = id;
    this.peer = peer;
    this.#host = host;
    this.#order = new Order(host.options, host.memory, (bytes) => this.#pass(bytes));
    this.#output = new Output(host.memory);
    this.#remembered = new Remembered(host.memory, host.options);
    this.#activeAt = host.now();
    // A tunnel may fail before anybody listens.
    this.on('error', () => {});
    host.schedule(this, this.#activeAt + host.options.idleTimeoutMs);
  }

  /** RTMP bytes that came in, and that went out with answers. */
  get traffic(): { readonly in: number; readonly out: number } {
    return { in: this.#bytesIn, out: this.#bytesOut };
  }

  /** Past its first send, and nobody has ended it. */
  get isLive(): boolean {
    return this.#phase === 'open' && this.#bytesIn > 0 && this.#final === undefined;
  }

  // What engines do -------------------------------------------------------------------------------------------------

  /** A post's head has come. Returns false when it cannot be taken now, for want of memory: answer 503. */
  arrive(post: Post, now: number): boolean {
    this.#activeAt = now;
    if (this.#phase !== 'open') return true;
    const { number, kind } = post;
    if (number > this.#order.next && kind === 'send' && this.#host.memory.isFull(1)) return false;
    try {
      post.inOrder = number === this.#order.next;
      post.slot = this.#order.arrive(number, kind, post.length, now);
    } catch (fault) {
      this.#fail(fault);
      return true;
    }
    if (number > this.#highest) {
      this.#highest = number;
      this.#answered = false;
      post.fresh = true;
      post.afterSend = this.#hasSent;
      this.#hasSent = kind === 'send';
    }
    this.#waiting.wake();
    if (number >= this.#order.next) this.#host.schedule(this, this.#order.deadline());
    return true;
  }

  /** Bytes of its body. Returns false when no more should be read for now: `resume` tells when. */
  body(post: Post, bytes: Buffer, now: number): boolean {
    this.#activeAt = now;
    const { slot, offset } = post;
    post.offset += bytes.length;
    if (slot === undefined || this.#phase !== 'open') return true;
    this.#ordered(() => this.#order.body(slot, offset, bytes, now));
    if (!this.#full) return true;
    this.#stopped.add(post.engine);
    return false;
  }

  /** Its body is here as a whole. */
  complete(post: Post, now: number): void {
    post.complete = true;
    const { slot } = post;
    if (slot === undefined || post.length !== Infinity || this.#phase !== 'open') return;
    this.#ordered(() => this.#order.complete(slot, post.offset, now));
  }

  /** Its connection is gone: there is nobody left to answer. What came of its body stays. */
  abandon(post: Post): void {
    this.#stopped.delete(post.engine);
    this.#waiting.remove(post);
  }

  /**
   * The post's answer, to be written now; or undefined: not yet, its engine will be woken. Whoever takes an answer with
   * a flight reports what became of it.
   */
  answer(post: Post, now: number): Answer | undefined {
    const { number } = post;
    if (!post.fresh || this.#answered || number < this.#highest) {
      const kept = this.#remembered.get(number);
      if (kept !== undefined) return this.#repeat(kept);
    }
    const isSettled = this.#order.isSettled(number, post.kind);
    if (this.#phase === 'dead' && !post.fresh) return this.#refusal;
    if (isSettled && (number < this.#highest || this.#isClosed)) return bare();
    if (this.#phase !== 'open') return this.#refusal;
    if (!isSettled) return this.#wait(post, Infinity);
    return this.#answered ? bare() : this.#newest(post, now);
  }

  /** Whether a repeat of that number would get payload. */
  remembers(number: number): boolean {
    return this.#remembered.get(number) !== undefined;
  }

  /** The kernel has the whole answer. */
  landed(flight: Flight): void {
    this.#flights.landed(flight);
    this.#checkFlights();
  }

  /** Its socket closed before the kernel had the whole answer. */
  lost(flight: Flight): void {
    const back = this.#flights.lost(flight);
    for (const { number, chunks, bytes } of back.reverse()) {
      this.#output.unshift(chunks);
      this.#bytesOut -= bytes;
      if (number === this.#highest) this.#answered = false;
    }
    for (const payload of back) this.#remembered.remove(payload);
    this.#checkFlights();
  }

  /** The client said `/close`: like a TCP client's FIN, but nothing more can be said to it. */
  close(): void {
    if (this.#phase !== 'open') return;
    this.#isClosed = true;
    this.#setPhase('closed');
    this.#host.forget(this);
    this.#host.ended(this, undefined);
    this.#clear();
    this.push(null);
    this.#finish();
    this.#waiting.wake();
    if (this.#bytesIn === 0) this.destroy();
    else this.#host.schedule(this, this.#phaseAt + this.#host.options.closeTimeoutMs);
  }

  /** The wheel's alarm. */
  tick(now: number): void {
    const { options } = this.#host;
    if (this.#phase === 'dead') return;
    if (this.#phase === 'closed') return void this.destroy();
    if (this.#phase === 'over') return this.#endAfterlife(now);
    if (now >= this.#activeAt + options.idleTimeoutMs) return this.#fail(expired(options.idleTimeoutMs));
    this.#ordered(() => this.#order.tick(now));
    if (now >= this.#waiting.until) this.#waiting.wake();
    const deadline = Math.min(this.#order.deadline(), this.#waiting.until, this.#activeAt + options.idleTimeoutMs);
    this.#host.schedule(this, deadline);
  }

  #endAfterlife(now: number): void {
    const until = this.#phaseAt + this.#host.options.afterlifeMs;
    if (now < until) return this.#host.schedule(this, until);
    this.#bury(null);
    this.destroy();
  }

  // Answers ---------------------------------------------------------------------------------------------------------

  /** The highest number outstanding, settled and not answered yet. */
  #newest(post: Post, now: number): Answer | undefined {
    const { options } = this.#host;
    const waiting = this.#output.bytes;
    const unsureUntil = this.#flights.unsureUntil(post.engine, options.unsureMs);
    const isSure = now >= unsureUntil;
    const isSaying = waiting > 0 && isSure;
    const greeting = this.#isGreeting();
    if (isSaying && (!greeting || waiting >= GREETING_ANSWER_BYTES || this.#final !== undefined))
      return this.#payload(post, now);
    if (waiting === 0 && this.#final !== undefined && this.#flights.none) return this.#refusal;
    const until = post.released ? 0 : post.arrivedAt + this.#holdTime(post, greeting, now);
    if (now < until) return this.#wait(post, waiting > 0 && !isSure ? Math.min(until, unsureUntil) : until);
    if (isSaying) return this.#payload(post, now);
    this.#answered = true;
    this.#empties += 1;
    return bare(intervalByte(options.holdMs, this.#empties));
  }

  #holdTime({ kind, afterSend }: Post, greeting: boolean, now: number): number {
    return holdTime({ kind, greeting, afterSend, publishing: this.#uplink.isBusy(now) }, this.#host.options);
  }

  /** C0C1 is in, and S0S1S2 not yet out. */
  #isGreeting(): boolean {
    return this.#bytesOut === 0 && this.#bytesIn >= GREETING_BYTES;
  }

  #payload(post: Post, now: number): Answer {
    const chunks = this.#takeOutput();
    const waiting = lengthOf(chunks);
    const bytes = fitWindow(waiting, post.persistent);
    if (bytes < waiting) this.#output.unshift(cutTail(chunks, waiting - bytes));
    const flight = new Flight(post.number, chunks, bytes, post.engine, now);
    this.#flights.add(flight);
    this.#remembered.add(flight);
    this.#answered = true;
    this.#empties = 0;
    this.#bytesOut += bytes;
    return { status: 200, interval: 1, chunks, bytes, flight };
  }

  /** Takes all that waits, up to the limit; the core, told that there is room, may have more at once. */
  #takeOutput(): Buffer[] {
    const { maxOutputBytes } = this.#host.options;
    const chunks = this.#output.take(maxOutputBytes, true);
    let bytes = lengthOf(chunks);
    while (this.#heldWrite !== undefined) {
      this.#letWrite();
      const more = this.#output.take(maxOutputBytes - bytes, false);
      if (more.length === 0) break;
      bytes += lengthOf(more);
      chunks.push(...more);
    }
    return chunks;
  }

  #repeat(kept: Flight): Answer {
    kept.pending += 1;
    return { status: 200, interval: 1, chunks: kept.chunks, bytes: kept.bytes, flight: kept };
  }

  #wait(post: Post, until: number): undefined {
    this.#waiting.add(post, until);
    this.#host.schedule(this, until);
  }

  #checkFlights(): void {
    if (this.#flights.isBroken)
      return this.#fail(new TransportError('TUNNEL_ANSWER_LOST', 'an answer was lost after a later one had arrived'));
    this.#waiting.wake();
    this.#checkFinal();
  }

  // What comes in ---------------------------------------------------------------------------------------------------

  /** Does something that may move the order of requests on, or break it. */
  #ordered(step: () => void): void {
    const { next } = this.#order;
    try {
      step();
    } catch (fault) {
      return this.#fail(fault);
    }
    if (this.#order.next === next || this.#phase !== 'open') return;
    this.#waiting.wake();
    this.#host.schedule(this, this.#order.deadline());
  }

  #pass(bytes: Buffer): void {
    if (this.#phase !== 'open' || this.destroyed) return;
    const isFirst = this.#bytesIn === 0;
    if (this.#bytesIn > CLIENT_GREETING_BYTES) this.#uplink.note(bytes.length, this.#activeAt);
    this.#bytesIn += bytes.length;
    this.#empties = 0;
    if (isFirst) this.#host.start(this);
    if (!this.destroyed && !this.push(bytes)) this.#full = true;
  }

  override _read(): void {
    if (!this.#full) return;
    this.#full = false;
    const engines = [...this.#stopped];
    this.#stopped.clear();
    for (const engine of engines) engine.resume();
  }

  // What goes out ---------------------------------------------------------------------------------------------------

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#accept(chunk);
    this.#wrote(done);
  }

  override _writev(chunks: ReadonlyArray<{ chunk: Buffer }>, done: () => void): void {
    for (const { chunk } of chunks) this.#accept(chunk);
    this.#wrote(done);
  }

  #accept(chunk: Buffer): void {
    if (this.#phase === 'open') this.#output.push(chunk);
  }

  #wrote(done: () => void): void {
    this.#waiting.wake();
    const { bytes } = this.#output;
    if (bytes > this.#host.options.maxOutputBytes || (bytes > 0 && this.#host.memory.isFull(0))) this.#heldWrite = done;
    else done();
  }

  #letWrite(): void {
    const done = this.#heldWrite;
    this.#heldWrite = undefined;
    done?.();
  }

  override _final(done: () => void): void {
    this.#final = done;
    if (this.#phase !== 'open') return this.#finish();
    this.#waiting.wake();
    this.#checkFinal();
  }

  /** All has been said: from now on 404, but for repeats of the last answers. */
  #checkFinal(): void {
    if (this.#phase !== 'open' || this.#final === undefined) return;
    if (this.#output.bytes > 0 || !this.#flights.none || this.#heldWrite !== undefined) return;
    this.#setPhase('over');
    this.#order.clear();
    this.#resumeAll();
    this.#host.ended(this, undefined);
    this.#host.schedule(this, this.#phaseAt + this.#host.options.afterlifeMs);
    this.push(null);
    this.#finish();
    this.#waiting.wake();
  }

  #finish(): void {
    this.#letWrite();
    const done = this.#final;
    this.#final = undefined;
    done?.();
  }

  // Endings ---------------------------------------------------------------------------------------------------------

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Both directions ended in good order and Node cleans up: repeats of the last answers may still come.
    if (this.#phase !== 'over') this.#bury(error);
    done(error);
  }

  #bury(error: Error | null): void {
    const wasOpen = this.#phase === 'open';
    this.#setPhase('dead');
    if (error instanceof TransportError && this.#bytesOut === 0) this.#refusal = UNREACHED;
    this.#host.forget(this);
    this.#host.cancel(this);
    if (wasOpen) this.#host.ended(this, error ?? undefined);
    this.#clear();
    this.#letWrite();
    this.#waiting.wake();
  }

  #fail(fault: unknown): void {
    this.destroy(fault instanceof Error ? fault : new ProtocolError('TUNNEL_FAULT', String(fault)));
  }

  #setPhase(phase: 'closed' | 'over' | 'dead'): void {
    this.#phase = phase;
    this.#phaseAt = this.#host.now();
  }

  #clear(): void {
    this.#order.clear();
    this.#output.clear();
    this.#remembered.clear();
    this.#flights.clear();
    this.#resumeAll();
  }

  /** Connections are read on, if only to throw away what they bring. */
  #resumeAll(): void {
    this.#full = true;
    this._read();
  }
}

function expired(idleTimeoutMs: number): TransportError {
  return new TransportError('TUNNEL_EXPIRED', `no request came for ${idleTimeoutMs / 1000} s`);
}
