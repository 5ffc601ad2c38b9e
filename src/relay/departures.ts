import type { Log } from '../log.ts';
import type { Relay } from './relay.ts';

/** Relays that are saying goodbye. Who follows one of them at its place waits until it is gone. */
export class Departures {
  readonly #log: Log;
  readonly #leaving = new Map<Relay, Promise<void>>();
  readonly #lastFrom = new Map<string, Relay>();

  constructor(log: Log) {
    this.#log = log;
  }

  get count(): number {
    return this.#leaving.size;
  }

  /** Ends a relay politely; resolves when it is gone. `place`: what two relays cannot have at once. */
  begin(relay: Relay, place: string): Promise<void> {
    const gone = this.#stopped(relay, place);
    this.#leaving.set(relay, gone);
    this.#lastFrom.set(place, relay);
    return gone;
  }

  /** The last departure from that place, while it goes on. */
  from(place: string): Promise<void> | undefined {
    const last = this.#lastFrom.get(place);
    return last && this.#leaving.get(last);
  }

  /** Resolves when all that have begun by now are gone. */
  async over(): Promise<void> {
    await Promise.all(this.#leaving.values());
  }

  /** Ends them at once. */
  destroy(): void {
    for (const relay of this.#leaving.keys()) relay.destroy();
  }

  async #stopped(relay: Relay, place: string): Promise<void> {
    try {
      await relay.stop();
    } catch (error) {
      this.#log.error({ err: error }, 'a relay failed while it was ended');
    }
    this.#leaving.delete(relay);
    if (this.#lastFrom.get(place) === relay) this.#lastFrom.delete(place);
  }
}
