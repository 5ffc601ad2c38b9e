import { Duplex } from 'node:stream';
import { ProtocolError, TransportError } from '../../errors.ts';
import type { Peer } from '../link.ts';
import { GONE, UNREACHED, bare } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Flight } from './delivery.ts';
import { Downlink } from './downlink.ts';
import type { Memory } from './memory.ts';
import { Order } from './order.ts';
import { Uplink, holdTime } from './polling.ts';
import type { Engine, Post } from './post.ts';
import type { TunnelOptions } from './tunnel-options.ts';
import { Waiting } from './waiting.ts';
import type { Sleeper } from './wheel.ts';

/** C0C1 (RTMP 1.0, 5.2). */
const GREETING_BYTES = 1 + 1536;
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
 * How a session lives; `Order` brings what clients send into order, `Downlink` gives answers what they carry.
 *
 * The core ends with `end()`: what it said is still delivered, then requests get 404. `/close` ends both directions at
 * once, like a disconnected TCP client. `destroy` is for faults and time-outs.
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
  readonly #downlink: Downlink;
  readonly #uplink = new Uplink();
  #phase: 'open' | 'closed' | 'over' | 'dead' = 'open';
  readonly #waiting = new Waiting();
  /** Engines that are not read until the core takes bytes again. */
  readonly #stopped = new Set<Engine>();
  #full = false;
  #bytesIn = 0;
  /** The newest request is a send. */
  #hasSent = false;
  #refusal: Answer = GONE;
  #activeAt: number;
  /** It ends when its client asks for nothing for so long. */
  #patienceMs: number;
  #phaseAt = 0;
  /** The client has said `/close`: what it sent before is answered as ever, however late it reads the answers. */
  #isClosed = false;
  #final: (() => void) | undefined;

  constructor(id: string, peer: Peer, host: TunnelHost) {
    // 64 KiB: one read of a socket. What waits to go out is counted by us, against `maxOutputBytes`.
    super({ readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024, decodeStrings: true });
    this.id = id;
    this.peer = peer;
    this.#host = host;
    this.#order = new Order(host.options, host.memory, (bytes) => this.#pass(bytes));
    this.#downlink = new Downlink(host.memory, host.options);
    this.#activeAt = host.now();
    this.#patienceMs = host.options.idleTimeoutMs;
    // A tunnel may fail before anybody listens.
    this.on('error', () => {});
    host.schedule(this, this.#activeAt + this.#patienceMs);
  }

  /** RTMP bytes that came in, and that went out with answers. */
  get traffic(): { readonly in: number; readonly out: number } {
    return { in: this.#bytesIn, out: this.#downlink.bytes };
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
    if (this.#downlink.arrive(number)) {
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
    const repeated = this.#downlink.repeat(post);
    if (repeated !== undefined) return repeated;
    const isSettled = this.#order.isSettled(post.number, post.kind);
    if (this.#phase === 'dead' && !post.fresh) return this.#refusal;
    if (isSettled && (this.#isClosed || !this.#downlink.isHighest(post))) return bare();
    if (this.#phase !== 'open') return this.#refusal;
    if (!isSettled) return this.#wait(post, Infinity);
    const greeting = this.#isGreeting();
    const heldUntil = post.released ? 0 : post.arrivedAt + this.#holdTime(post, greeting, now);
    const due = { greeting, heldUntil, ending: this.#final !== undefined };
    const answer = this.#downlink.answer(post, due, now);
    return typeof answer === 'number' ? this.#wait(post, answer) : answer;
  }

  /** Whether a repeat of that number would get payload. */
  remembers(number: number): boolean {
    return this.#downlink.remembers(number);
  }

  /** The kernel has the whole answer. */
  landed(flight: Flight): void {
    this.#downlink.landed(flight);
    this.#checkDelivery();
  }

  /** Its socket closed before the kernel had the whole answer. */
  lost(flight: Flight): void {
    this.#downlink.lost(flight);
    this.#checkDelivery();
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

  /** The gateway is stopping: nobody is waited for who asks for nothing for so long, nor who has never spoken. */
  hurry(patienceMs: number, now: number): void {
    if (this.#bytesIn === 0) return void this.destroy();
    this.#patienceMs = Math.min(this.#patienceMs, patienceMs);
    this.#activeAt = now;
    this.#host.schedule(this, now + this.#patienceMs);
  }

  /** The wheel's alarm. */
  tick(now: number): void {
    if (this.#phase === 'dead') return;
    if (this.#phase === 'closed') return void this.destroy();
    if (this.#phase === 'over') return this.#endAfterlife(now);
    const expiresAt = this.#activeAt + this.#patienceMs;
    if (now >= expiresAt) return this.#fail(expired(this.#patienceMs));
    this.#ordered(() => this.#order.tick(now));
    if (now >= this.#waiting.until) this.#waiting.wake();
    this.#host.schedule(this, Math.min(this.#order.deadline(), this.#waiting.until, expiresAt));
  }

  #endAfterlife(now: number): void {
    const until = this.#phaseAt + this.#host.options.afterlifeMs;
    if (now < until) return this.#host.schedule(this, until);
    this.#bury(null);
    this.destroy();
  }

  // Answers ---------------------------------------------------------------------------------------------------------

  #holdTime({ kind, afterSend }: Post, greeting: boolean, now: number): number {
    return holdTime({ kind, greeting, afterSend, publishing: this.#uplink.isBusy(now) }, this.#host.options);
  }

  /** C0C1 is in, and S0S1S2 not yet out. */
  #isGreeting(): boolean {
    return this.#downlink.bytes === 0 && this.#bytesIn >= GREETING_BYTES;
  }

  #wait(post: Post, until: number): undefined {
    this.#waiting.add(post, until);
    this.#host.schedule(this, until);
  }

  #checkDelivery(): void {
    if (this.#downlink.isBroken)
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
    this.#downlink.stirred();
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
    this.#write([chunk], done);
  }

  override _writev(chunks: ReadonlyArray<{ chunk: Buffer }>, done: () => void): void {
    const pieces = chunks.map(({ chunk }) => chunk);
    this.#write(pieces, done);
  }

  #write(chunks: readonly Buffer[], done: () => void): void {
    if (this.#phase !== 'open') return done();
    this.#waiting.wake();
    this.#downlink.write(chunks, done);
  }

  override _final(done: () => void): void {
    this.#final = done;
    if (this.#phase !== 'open') return this.#finish();
    this.#waiting.wake();
    this.#checkFinal();
  }

  /** All has been said: from now on 404, but for repeats of the last answers. */
  #checkFinal(): void {
    if (this.#phase !== 'open' || this.#final === undefined || !this.#downlink.isDone) return;
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
    this.#downlink.letWrite();
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
    if (error instanceof TransportError && this.#downlink.bytes === 0) this.#refusal = UNREACHED;
    this.#host.forget(this);
    this.#host.cancel(this);
    if (wasOpen) this.#host.ended(this, error ?? undefined);
    this.#clear();
    this.#downlink.letWrite();
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
    this.#downlink.clear();
    this.#resumeAll();
  }

  /** Connections are read on, if only to throw away what they bring. */
  #resumeAll(): void {
    this.#full = true;
    this._read();
  }
}

function expired(afterMs: number): TransportError {
  return new TransportError('TUNNEL_EXPIRED', `no request came for ${afterMs / 1000} s`);
}
