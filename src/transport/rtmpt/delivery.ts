import type { Payload } from './memory.ts';
import type { Engine } from './post.ts';

/** An answer's payload on its way to the client. */
export class Flight implements Payload {
  readonly number: number;
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  readonly engine: Engine;
  readonly at: number;
  /** Sockets that have been given it and not yet said whether the kernel took it: repeats ride along. */
  pending = 1;
  state: 'flying' | 'landed' | 'lost' = 'flying';
  /** A later payload has landed: this one can no longer be put back in its place. */
  overtaken = false;

  constructor(number: number, chunks: readonly Buffer[], bytes: number, engine: Engine, at: number) {
    this.number = number;
    this.chunks = chunks;
    this.bytes = bytes;
    this.engine = engine;
    this.at = at;
  }
}

/**
 * Payloads of one session of which it is not known yet whether the kernel took them. Nearly always none: a write that
 * the kernel takes at once lands before the next request is looked at.
 *
 * A payload counts as lost only if its socket closed before the kernel took the whole answer. A reset after that proves
 * nothing (proxies reset connections that they have read to the end), and saying things twice every day would be worse
 * than losing something once in an accident.
 */
export class Flights {
  #flights: Flight[] = [];

  get none(): boolean {
    return this.#flights.length === 0;
  }

  add(flight: Flight): void {
    this.#flights.push(flight);
  }

  /** Until when an answer over `engine` must stay bare because a payload elsewhere may yet have to go before it. */
  unsureUntil(engine: Engine, unsureMs: number): number {
    const last = this.#flights.at(-1);
    // The same connection delivers in order, or nothing at all.
    return last === undefined || last.engine === engine ? -Infinity : last.at + unsureMs;
  }

  landed(flight: Flight): void {
    flight.pending -= 1;
    if (flight.state === 'landed') return;
    flight.state = 'landed';
    const place = this.#flights.indexOf(flight);
    if (place < 0) return;
    for (const earlier of this.#flights.slice(0, place)) earlier.overtaken = true;
    this.#flights.splice(place, 1);
  }

  /**
   * A socket closed over it. Returns the payloads that have to be put back in front, in order; none while others are
   * still flying.
   */
  lost(flight: Flight): Flight[] {
    flight.pending -= 1;
    if (flight.pending === 0 && flight.state === 'flying') flight.state = 'lost';
    if (!this.#flights.every(({ state, overtaken }) => state === 'lost' && !overtaken)) return [];
    return this.clear();
  }

  /** A payload was lost and a later one was not: the hole can no longer be filled. */
  get isBroken(): boolean {
    return this.#flights.some(({ state, overtaken }) => state === 'lost' && overtaken);
  }

  clear(): Flight[] {
    const flights = this.#flights;
    this.#flights = [];
    return flights;
  }
}
