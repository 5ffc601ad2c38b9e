/** One answer with payload: kept so that it can be given again, and watched until the kernel has taken it. */
export interface Payload {
  readonly number: number;
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
}

/** Whoever keeps payloads for repeated numbers and can do without the oldest one. */
export interface Rememberer {
  forgetOldest(): void;
}

/**
 * What all sessions together hold in memory: bodies parked out of order, output waiting to be fetched, answers kept for
 * repeats. Each session has limits of its own; ten thousand of them at these limits would be 60 GB.
 */
export class Memory {
  readonly #maxBytes: number;
  /** In the order in which answers were remembered: an entry for each, so that the oldest goes first. */
  readonly #remembered = new Map<Payload, Rememberer>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether not even `bytes` more would fit. Old answers go before it says so. */
  isFull(bytes: number): boolean {
    while (this.#bytes + bytes > this.#maxBytes) {
      const [oldest] = this.#remembered.values();
      if (oldest === undefined) return true;
      oldest.forgetOldest();
    }
    return false;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }

  remember(payload: Payload, by: Rememberer): void {
    this.#remembered.set(payload, by);
    this.#bytes += payload.bytes;
    this.isFull(0);
  }

  forget(payload: Payload): void {
    if (this.#remembered.delete(payload)) this.#bytes -= payload.bytes;
  }
}

/** The last answers of one session that had payload, by number. The newest is kept whatever its size, and not counted. */
export class Remembered<P extends Payload> implements Rememberer {
  readonly #memory: Memory;
  readonly #limits: { readonly maxRemembered: number; readonly maxRememberedBytes: number };
  readonly #byNumber = new Map<number, P>();
  #bytes = 0;

  constructor(memory: Memory, limits: { readonly maxRemembered: number; readonly maxRememberedBytes: number }) {
    this.#memory = memory;
    this.#limits = limits;
  }

  get(number: number): P | undefined {
    return this.#byNumber.get(number);
  }

  /** Numbers only grow, so the order of the map is the order of age. */
  add(payload: P): void {
    this.#byNumber.set(payload.number, payload);
    this.#bytes += payload.bytes;
    for (const old of this.#byNumber.values()) {
      const isOld = old.number <= payload.number - this.#limits.maxRemembered;
      // Two large answers in a row, both lost with their connection, and both asked for again: Flash polls in pairs.
      const isTooMuch = this.#bytes - payload.bytes > this.#limits.maxRememberedBytes;
      if (old === payload || !(isOld || isTooMuch)) break;
      this.remove(old);
    }
    this.#memory.remember(payload, this);
  }

  remove(payload: P): void {
    if (this.#byNumber.get(payload.number) !== payload) return;
    this.#byNumber.delete(payload.number);
    this.#bytes -= payload.bytes;
    this.#memory.forget(payload);
  }

  forgetOldest(): void {
    const [oldest] = this.#byNumber.values();
    if (oldest) this.remove(oldest);
  }

  clear(): void {
    for (const payload of this.#byNumber.values()) this.remove(payload);
  }
}
