import type { Message } from './message.ts';

/** What an entry costs besides its payload: the object, its place in a list, a Buffer's own head. */
const OVERHEAD_BYTES = 200;

/** Bounds messages that are kept for later, by bytes with each piece's overhead, and so by pieces too. */
export class HeldBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False when there is no room: the message must not be kept then. */
  take(message: Message): boolean {
    const bytes = message.payload.length + OVERHEAD_BYTES;
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  clear(): void {
    this.#bytes = 0;
  }
}
