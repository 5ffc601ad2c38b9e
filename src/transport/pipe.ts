import type { Duplex } from 'node:stream';
import { release } from './slab.ts';

/** Promises each marked pipe one `flush`, a little later and together with others. */
export interface Gathering {
  mark(pipe: Pipe): void;
}

export interface PipeOptions {
  readonly gathering: Gathering;
  /** Whether what `from` says now may be written at once, and what of `to` has not been read yet be put at risk. */
  readonly mayHurry: () => boolean;
}

export const PIPE_LIMITS = Object.freeze({
  // Four reads of a socket. libuv reads up to 32 times in a turn: without this a turn could gather 2 MiB.
  maxGatheredBytes: 256 * 1024,
});

/**
 * One direction of a bridge: what `from` says goes to `to`, unparsed; when `from` ends, `to` is ended behind it. Memory
 * is bounded by what is gathered here and the two streams' own buffers: when `to` takes no more, `from` is not read.
 *
 * Nothing is written between two reads. A write into a connection that has been reset fails, and Node then throws away
 * what was received from it and not yet read (measured): the last words of a server that hangs up, or the last frames of
 * a publisher that never read its acknowledgements. Where nothing of worth can be lost `mayHurry` says so, because a
 * byte is cheapest to write while it is still in the cache.
 */
export class Pipe {
  /** Bytes that came out of `from`. */
  bytes = 0;
  readonly #from: Duplex;
  readonly #to: Duplex;
  readonly #options: PipeOptions;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isMarked = false;
  #isPaused = false;
  #isOver = false;

  constructor(from: Duplex, to: Duplex, options: PipeOptions) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.finish());
    from.on('close', () => this.finish());
    to.on('drain', () => this.#resume());
    // Whoever still speaks to nobody is heard all the same, or its end would not be.
    to.on('close', () => this.#resume());
  }

  /** What `to` has been given and has taken. */
  get taken(): number {
    return this.bytes - this.#waitingBytes - this.#to.writableLength;
  }

  /** Ends `to` once it has been given everything. */
  finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#mark();
  }

  flush(): void {
    this.#isMarked = false;
    this.#writeWaiting();
    if (this.#isOver && this.#to.writable) this.#to.end();
  }

  #take(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.#isOver || !this.#to.writable) return release(bytes);
    if (!this.#isMarked && this.#options.mayHurry()) {
      this.#write(bytes);
      return this.#heedFullness();
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= PIPE_LIMITS.maxGatheredBytes) this.#writeWaiting();
    else this.#mark();
  }

  #mark(): void {
    if (this.#isMarked) return;
    this.#isMarked = true;
    this.#options.gathering.mark(this);
  }

  #writeWaiting(): void {
    const chunks = this.#waiting;
    if (chunks.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (!this.#to.writable) return;
    this.#to.cork();
    for (const bytes of chunks) this.#write(bytes);
    this.#to.uncork();
    this.#heedFullness();
  }

  /**
   * A stream is done with its bytes when it says so, and not before: TLS and a full socket take them later. Nothing comes
   * back from one that failed or was destroyed, which also says so, of bytes that the kernel may not have.
   */
  #write(bytes: Buffer): void {
    this.#to.write(bytes, (fault) => {
      if (!fault && !this.#to.destroyed) release(bytes);
    });
  }

  /** Taken at once, however much it was, is no reason to stop reading. */
  #heedFullness(): void {
    if (this.#isPaused || !this.#to.writableNeedDrain || this.#to.writableLength === 0) return;
    this.#isPaused = true;
    this.#from.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#from.resume();
  }
}
