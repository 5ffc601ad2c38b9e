import { LimitError, ProtocolError } from '../../errors.ts';
import type { Memory } from './memory.ts';
import { lengthOf } from './output.ts';

/**
 * The order of one session's requests. Numbers count sends and idles together; a client may use several connections, so
 * requests overtake each other, come twice, or break off half-way. Out comes every byte of every send once, in order,
 * or the session ends: bytes are never lost silently, since a chunk stream with a hole decodes to garbage
 * ("chunk stream is fresh, fmt must be 0", ossrs/srs#1006).
 *
 * Pure. Theory of operation: `next` is the first number that is not done. Done means that its bytes have been passed on,
 * or for an idle, which has none, that everything before it is done. Numbers from `next` on that have been heard of have
 * a slot; the slot of `next` passes its bytes straight on, the others park theirs.
 */
export interface OrderLimits {
  readonly maxAhead: number;
  readonly maxParkedBytes: number;
  readonly skipAfterMs: number;
  readonly gapTimeoutMs: number;
}

export type Kind = 'send' | 'idle';

/** A number that has been heard of and is not done. */
export interface Slot {
  readonly number: number;
  readonly kind: Kind;
  /** Infinity until a body without a length (chunked) has ended. */
  length: number;
  /** Bytes of it that are here, whichever connection brought them. */
  got: number;
  parked: Buffer[];
}

/** Numbers that were skipped and may still come late: more than that many back nobody comes late. */
const MAX_SKIPPED = 64;

export class Order {
  readonly #limits: OrderLimits;
  readonly #memory: Memory;
  readonly #pass: (bytes: Buffer) => void;
  readonly #slots = new Map<number, Slot>();
  readonly #skipped = new Set<number>();
  #next = 0;
  #hasBase = false;
  #parkedBytes = 0;
  /** When `next` last came nearer to being done while others waited behind it. */
  #stuckSince = 0;

  constructor(limits: OrderLimits, memory: Memory, pass: (bytes: Buffer) => void) {
    this.#limits = limits;
    this.#memory = memory;
    this.#pass = pass;
  }

  get next(): number {
    return this.#next;
  }

  /**
   * A request's head has come. Returns its slot, or undefined when it has nothing to bring (any more). Throws
   * `LimitError` when it is too far ahead, `ProtocolError` when it contradicts what was heard of its number before.
   */
  arrive(number: number, kind: Kind, length: number, now: number): Slot | undefined {
    if (!this.#hasBase) this.#chooseBase(number, kind);
    if (number < this.#next) return this.#comeLate(number, kind);
    if (number > this.#next + this.#limits.maxAhead) throw tooFarAhead(this.#limits.maxAhead);
    const known = this.#slots.get(number);
    if (!known && kind === 'idle' && number === this.#next && this.#slots.size === 0) {
      this.#next += 1;
      return undefined;
    }
    const slot = known ?? this.#add({ number, kind, length: kind === 'idle' ? 0 : length, got: 0, parked: [] }, now);
    if (known) agree(known, kind, length);
    this.#advance(now);
    return kind === 'send' ? slot : undefined;
  }

  /** Bytes of a send that begin at `offset` of its body. Throws `LimitError` when too much is parked. */
  body(slot: Slot, offset: number, bytes: Buffer, now: number): void {
    const fresh = offset + bytes.length - slot.got;
    if (fresh <= 0 || this.#slots.get(slot.number) !== slot) return;
    const part = fresh === bytes.length ? bytes : bytes.subarray(bytes.length - fresh);
    slot.got += fresh;
    if (slot.got > slot.length) throw differs();
    if (slot.number !== this.#next) return this.#park(slot, part);
    this.#stuckSince = now;
    this.#pass(part);
    this.#advance(now);
  }

  /** A body without a length ended after `length` bytes. */
  complete(slot: Slot, length: number, now: number): void {
    if (slot.length === length) return;
    if (slot.length !== Infinity || slot.got > length) throw differs();
    slot.length = length;
    this.#advance(now);
  }

  /**
   * Whether a request's answer may carry what the core has said so far: a send when it is done, an idle when the heads
   * of all its predecessors are here (it does not wait for their bodies).
   */
  isSettled(number: number, kind: Kind): boolean {
    if (number < this.#next) return true;
    if (kind === 'send') return false;
    for (let earlier = this.#next; earlier < number; earlier++) if (!this.#slots.has(earlier)) return false;
    return true;
  }

  /** When `tick` wants to be called. */
  deadline(): number {
    if (this.#slots.size === 0) return Infinity;
    return this.#isSkippable() ? this.#stuckSince + this.#limits.skipAfterMs : this.#gapDeadline();
  }

  /** Gives up what does not come. Returns whether it skipped numbers; throws `ProtocolError` when bytes are missing. */
  tick(now: number): boolean {
    if (now < this.deadline()) return false;
    if (!this.#isSkippable())
      throw new ProtocolError('TUNNEL_GAP', `request ${this.#next} of the session is missing or broke off`);
    const first = Math.min(...this.#slots.keys());
    while (this.#next < first) this.#skip(this.#next++);
    this.#stuckSince = now;
    this.#advance(now);
    return true;
  }

  /** The session is over. */
  clear(): void {
    this.#slots.clear();
    this.#addParked(-this.#parkedBytes);
  }

  #add(slot: Slot, now: number): Slot {
    const nobodyWaits = this.#slots.size === 0 || (this.#slots.size === 1 && this.#slots.has(this.#next));
    if (nobodyWaits) this.#stuckSince = now;
    this.#slots.set(slot.number, slot);
    return slot;
  }

  /**
   * No known client starts above 1; red5-client starts at 1, with a send. Anything else waits for an earlier number: an
   * idle 1 has overtaken a send 0 on another connection.
   */
  #chooseBase(number: number, kind: Kind): void {
    if (number > 1 || (number === 1 && kind === 'idle')) return;
    this.#hasBase = true;
    if (number === 1) this.#skip(this.#next++);
  }

  #comeLate(number: number, kind: Kind): undefined {
    if (kind === 'send' && this.#skipped.has(number))
      throw new ProtocolError('TUNNEL_SKIPPED_SEND', `request ${number} came after its number had been given up`);
    return undefined;
  }

  #advance(now: number): void {
    for (;;) {
      const slot = this.#slots.get(this.#next);
      if (!slot) return;
      this.#unpark(slot);
      if (slot.got < slot.length) return;
      // What was passed on may have ended the session.
      if (!this.#slots.delete(slot.number)) return;
      this.#next += 1;
      this.#stuckSince = now;
    }
  }

  #park(slot: Slot, bytes: Buffer): void {
    this.#addParked(bytes.length);
    if (this.#parkedBytes > this.#limits.maxParkedBytes)
      throw new LimitError(
        'TUNNEL_PARKED_TOO_MUCH',
        `more than ${this.#limits.maxParkedBytes} bytes came out of order`,
      );
    // A copy: a few bytes must not keep the whole read buffer alive.
    slot.parked.push(Buffer.from(bytes));
  }

  #unpark(slot: Slot): void {
    if (slot.parked.length === 0) return;
    const { parked } = slot;
    slot.parked = [];
    this.#addParked(-lengthOf(parked));
    for (const bytes of parked) this.#pass(bytes);
  }

  #addParked(bytes: number): void {
    this.#parkedBytes += bytes;
    this.#memory.add(bytes);
  }

  #skip(number: number): void {
    this.#hasBase = true;
    this.#skipped.add(number);
    if (this.#skipped.size <= MAX_SKIPPED) return;
    const [oldest] = this.#skipped;
    this.#skipped.delete(oldest!);
  }

  /** Nothing of `next` has been heard, and only idles wait for it. */
  #isSkippable(): boolean {
    if (this.#slots.has(this.#next)) return false;
    for (const { kind } of this.#slots.values()) if (kind === 'send') return false;
    return true;
  }

  #gapDeadline(): number {
    // The slot of `next` alone holds nobody up; the session time-out is enough for it.
    if (this.#slots.size === 1 && this.#slots.has(this.#next)) return Infinity;
    return this.#stuckSince + this.#limits.gapTimeoutMs;
  }
}

/** A repeat brings nothing new, but may tell the length of a body that had none. */
function agree(slot: Slot, kind: Kind, length: number): void {
  if (slot.kind !== kind) throw differs();
  if (kind === 'idle' || length === Infinity) return;
  if (slot.length === Infinity) slot.length = length;
  if (slot.length !== length || slot.got > length) throw differs();
}

function differs(): ProtocolError {
  return new ProtocolError('TUNNEL_REPEAT_DIFFERS', 'a request was repeated with another body');
}

function tooFarAhead(maxAhead: number): LimitError {
  return new LimitError('TUNNEL_TOO_FAR_AHEAD', `a request came more than ${maxAhead} numbers too early`);
}
