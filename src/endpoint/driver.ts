import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { TransportError } from '../errors.ts';
import type { Session } from '../protocol/index.ts';

/** A Session as the protocol room makes it: it also wants to know what has left, and says when it is done. */
export interface DrivenSession<E> extends Session<E> {
  /** Bytes handed out earlier have left. */
  drained(now: number): void;
  /** The conversation is over: close once the output is flushed. */
  readonly wantsClose: boolean;
}

/** What the owner of a driven session hears. `closed` comes exactly once and last. */
export interface DriverCallbacks<E> {
  event(event: E): void;
  /** The stream took everything written so far: there is room again. */
  drained(): void;
  /** The stream is gone: `fault` is what ended it, or undefined for an ordinary end. */
  closed(fault: Error | undefined): void;
}

export interface DriverOptions {
  /**
   * How long written bytes may stay untaken once `mustDrain` is set. 30 s: what librtmp's own receive time-out and
   * nginx's `send_timeout`-style settings in the field allow a stalled reader.
   */
  readonly drainTimeoutMs: number;
  /** How long the peer may keep a stream open that we have ended. 2 s: time for a last answer to cross any real path. */
  readonly lingerMs: number;
}

export const DRIVER_DEFAULTS: DriverOptions = Object.freeze({ drainTimeoutMs: 30_000, lingerMs: 2_000 });

/** What one read may cost without consequences. An ordinary one, of one frame for 500 players, takes about as long. */
const FAIR_SHARE_MS = 5;

/**
 * The only pump between a Duplex and a Session: it reads, writes, keeps deadlines and heeds back-pressure. It has one
 * timer, armed for the earliest deadline and left alone while deadlines only move later.
 */
export class Driver<E> {
  /** A reader that takes nothing for `drainTimeoutMs` is cut off. Never set for a publisher: librtmp reads nothing while it publishes. */
  mustDrain = false;
  readonly #stream: Duplex;
  readonly #session: DrivenSession<E>;
  readonly #callbacks: DriverCallbacks<E>;
  readonly #options: DriverOptions;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #blockedSince: number | undefined;
  #lingerUntil = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #resting: NodeJS.Timeout | undefined;
  #isPaused = false;
  #fault: Error | undefined;
  readonly #wake = () => this.#tick();

  constructor(stream: Duplex, session: DrivenSession<E>, callbacks: DriverCallbacks<E>, options = DRIVER_DEFAULTS) {
    this.#stream = stream;
    this.#session = session;
    this.#callbacks = callbacks;
    this.#options = options;
    stream.on('data', (bytes: Buffer) => this.#receive(bytes));
    stream.on('drain', () => this.#drained());
    stream.on('end', () => this.end());
    stream.on('finish', () => this.#linger());
    stream.on('error', (error) => (this.#fault ??= error));
    stream.on('close', () => this.#closed());
    this.#arm();
  }

  /** The stream holds unsent bytes: what is written now would only queue. */
  get blocked(): boolean {
    return this.#blockedSince !== undefined;
  }

  /** Writes what the session has to say, as whole messages. While the stream is blocked it stays in the session. */
  flush(): void {
    if (this.#state !== 'open' || this.#blockedSince !== undefined) return;
    const output = this.#session.takeOutput();
    if (output.length === 0) return;
    const hasRoom = output.length === 1 ? this.#stream.write(output[0]) : this.#writeAll(output);
    if (!hasRoom) this.#block();
    if (this.#session.wantsClose) this.end();
  }

  /** The session was asked or answered from outside its own events: what comes of it is seen to at once. */
  nudge(): void {
    this.flush();
    this.#arm();
  }

  /** The owner has no room for what would be read. */
  pause(): void {
    if (this.#state !== 'open') return;
    this.#isPaused = true;
    this.#stream.pause();
  }

  /** There is room again; without `pause` before it nothing happens. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#readOn();
  }

  /** Ends politely: everything said so far still reaches the peer. */
  end(): void {
    if (this.#state !== 'open') return;
    // The peer's end would not be noticed otherwise, and closing with something unread resets the connection.
    this.resume();
    this.#blockedSince = undefined;
    this.flush();
    this.#state = 'ending';
    this.mustDrain = true;
    this.#blockedSince = now();
    this.#stream.end();
    this.#arm();
  }

  /** Ends at once; `fault` tells the transport why (a tunnel answers 404 or 503 by it). */
  destroy(fault?: Error): void {
    if (this.#state === 'closed') return;
    this.#fault ??= fault;
    this.#stream.destroy(fault);
  }

  #writeAll(output: readonly Buffer[]): boolean {
    this.#stream.cork();
    for (const bytes of output) this.#stream.write(bytes);
    this.#stream.uncork();
    return !this.#stream.writableNeedDrain;
  }

  #receive(bytes: Buffer): void {
    if (this.#state !== 'open') return;
    const began = now();
    this.#run(() => this.#session.receive(bytes, began));
    const took = now() - began;
    if (took >= FAIR_SHARE_MS) this.#rest(took);
  }

  /**
   * Who keeps us busy waits as long as it took: thousands of tiny frames to hundreds of players in one read are seconds
   * of work, and the event loop reads a socket with more in it up to 32 times in a row (libuv).
   */
  #rest(forMs: number): void {
    if (this.#state !== 'open' || this.#resting !== undefined) return;
    this.#stream.pause();
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      this.#readOn();
    }, forMs);
  }

  /** Two may have reason to wait: the owner and we ourselves. */
  #readOn(): void {
    if (this.#isPaused || this.#resting !== undefined) return;
    this.#stream.resume();
    this.#arm();
  }

  /** What has not come because we did not read is no silence of the peer's. */
  get #isListening(): boolean {
    return this.#state === 'open' && !this.#isPaused && this.#resting === undefined;
  }

  #run(step: () => E[]): void {
    try {
      for (const event of step()) {
        if (this.#state !== 'open') return;
        this.#callbacks.event(event);
      }
    } catch (fault) {
      this.destroy(fault as Error);
      return;
    }
    this.flush();
    this.#arm();
  }

  #block(): void {
    this.#blockedSince = now();
    this.#arm();
  }

  #drained(): void {
    if (this.#state !== 'open') return;
    this.#blockedSince = undefined;
    this.flush();
    if (this.#state === 'open' && this.#blockedSince === undefined) this.#callbacks.drained();
  }

  /** Everything went out. A peer that does not close its half by itself is not waited for. */
  #linger(): void {
    this.#blockedSince = undefined;
    this.#lingerUntil = now() + this.#options.lingerMs;
    this.#arm();
  }

  #tick(): void {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    const time = now();
    if (time >= this.#lingerUntil) return this.destroy();
    if (time >= this.#drainDeadline()) return this.destroy(stalled(this.#options.drainTimeoutMs));
    // Told when it matters, not with every write: a session asks for nothing but "since when".
    if (!this.blocked) this.#session.drained(time);
    if (this.#isListening && time >= (this.#session.deadline() ?? Infinity)) this.#run(() => this.#session.tick(time));
    else this.#arm();
  }

  #drainDeadline(): number {
    if (this.#blockedSince === undefined || !this.mustDrain) return Infinity;
    return this.#blockedSince + this.#options.drainTimeoutMs;
  }

  #arm(): void {
    if (this.#state === 'closed') return;
    const sessionDeadline = this.#isListening ? (this.#session.deadline() ?? Infinity) : Infinity;
    const wanted = Math.min(sessionDeadline, this.#drainDeadline(), this.#lingerUntil);
    if (wanted >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = wanted;
    this.#timer = setTimeout(this.#wake, Math.max(0, Math.ceil(wanted - now())));
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    clearTimeout(this.#resting);
    this.#session.end();
    this.#callbacks.closed(this.#fault);
  }
}

function stalled(timeoutMs: number): TransportError {
  return new TransportError('PEER_STALLED', `the peer took nothing of what it was sent for ${timeoutMs / 1000} s`);
}

/** The one clock that drivers, sessions and the hub share: monotonic milliseconds. */
export function now(): number {
  return performance.now();
}

/** The one source of randomness for handshakes. */
export function random(bytes: number): Buffer {
  return randomBytes(bytes);
}
