import { addressGroup } from './address.ts';

export interface AddressCounterOptions {
  /** Most places taken at once, by everyone together. */
  readonly max: number;
  /** Most places taken at once by one client: an IPv4 address or an IPv6 /64. `Infinity` for no such limit. */
  readonly maxPerAddress: number;
  /** Addresses that many clients share (reverse proxies): they count only towards `max`. */
  readonly exempt?: (address: string) => boolean;
}

/**
 * Counts places in use, in all and per client address. Whoever takes a place gives it back by calling what `acquire`
 * returned; calling it again does nothing, so that every ending of a connection may call it.
 */
export class AddressCounter {
  readonly #options: AddressCounterOptions;
  readonly #perGroup = new Map<string, number>();
  #count = 0;

  constructor(options: AddressCounterOptions) {
    this.#options = options;
  }

  /** Places in use. */
  get count(): number {
    return this.#count;
  }

  /** The most places there are. */
  get max(): number {
    return this.#options.max;
  }

  /** Takes a place for `address` and returns what gives it back, or undefined when a limit is reached. */
  acquire(address: string): (() => void) | undefined {
    if (this.#count >= this.#options.max) return undefined;
    const group = this.#options.exempt?.(address) ? undefined : addressGroup(address);
    if (group !== undefined && (this.#perGroup.get(group) ?? 0) >= this.#options.maxPerAddress) return undefined;
    this.#add(group, 1);
    let held = true;
    return () => {
      if (held) this.#add(group, -1);
      held = false;
    };
  }

  #add(group: string | undefined, difference: 1 | -1): void {
    this.#count += difference;
    if (group === undefined) return;
    const now = (this.#perGroup.get(group) ?? 0) + difference;
    if (now > 0) this.#perGroup.set(group, now);
    else this.#perGroup.delete(group);
  }
}
