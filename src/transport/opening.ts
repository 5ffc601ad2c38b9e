import type { Duplex } from 'node:stream';

/**
 * Looks at the bytes received so far. Returns how many bytes in all it takes before looking again makes sense, or
 * undefined when it has seen enough. May throw, which ends the reading.
 */
export type Look = (bytes: Buffer) => number | undefined;

export interface OpeningOutcome {
  /** Enough was seen: every byte is back in the stream, which has no listener of ours left and does not flow yet. */
  done(): void;
  /** `look` threw. Nothing was put back: the stream is of no more use. */
  failed(error: unknown): void;
  /** The client ended its side before enough was there. `received` counts its bytes. */
  ended(received: number): void;
}

/**
 * Reads the first bytes of a stream, gives them all back, and steps aside. Memory is bounded by what `look` asks for
 * and one read of the stream. One-byte segments cost no more than whole ones: bytes are joined only when there are
 * enough for another look.
 */
export class Opening {
  readonly #stream: Duplex;
  readonly #look: Look;
  readonly #outcome: OpeningOutcome;
  #pieces: Buffer[] = [];
  #received = 0;
  #wanted = 1;

  constructor(stream: Duplex, look: Look, outcome: OpeningOutcome) {
    this.#stream = stream;
    this.#look = look;
    this.#outcome = outcome;
    stream.on('readable', this.#onReadable);
    stream.on('end', this.#onEnd);
  }

  /** Bytes seen so far. */
  get received(): number {
    return this.#received;
  }

  /** Stops looking, puts nothing back. */
  stop(): void {
    this.#stream.off('readable', this.#onReadable);
    this.#stream.off('end', this.#onEnd);
    this.#pieces = [];
  }

  readonly #onReadable = (): void => {
    const chunk = this.#stream.read() as Buffer | null;
    if (chunk === null) return;
    this.#pieces.push(chunk);
    this.#received += chunk.length;
    if (this.#received < this.#wanted) return;
    const bytes = Buffer.concat(this.#pieces, this.#received);
    this.#pieces = [bytes];
    try {
      const wanted = this.#look(bytes);
      if (wanted === undefined) this.#giveBack(bytes);
      else this.#wanted = wanted;
    } catch (error) {
      this.stop();
      this.#outcome.failed(error);
    }
  };

  readonly #onEnd = (): void => {
    this.stop();
    this.#outcome.ended(this.#received);
  };

  #giveBack(bytes: Buffer): void {
    this.stop();
    this.#stream.unshift(bytes);
    // Node forgets our 'readable' listener in a tick of its own, queued before this one: only then does the stream
    // behave towards its next owner (HTTP server, TLS, driver) as if nobody had read it.
    process.nextTick(() => this.#outcome.done());
  }
}
