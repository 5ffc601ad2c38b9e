import { ProtocolError } from '../errors.ts';

export interface LivenessOptions {
  readonly pingAfterMs: number;
  readonly idleTimeoutMs: number;
}

/**
 * Is the peer still there? Any received byte says so: librtmp publishers never answer a ping. For players that send
 * nothing, not even acknowledgements, media that has left us says so as well; a ping that has left says nothing, since
 * a dead peer's socket swallows those for a quarter of an hour. A server that we publish to and that has answered a ping
 * goes on answering: the buffers of one that hangs take a slow stream for minutes.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  #heard: number;
  #drained: number;
  #pinged: number;
  #answers = false;

  constructor(options: LivenessOptions, now: number) {
    this.#options = options;
    this.#heard = this.#drained = this.#pinged = now;
  }

  heard(now: number): void {
    this.#heard = now;
  }

  drained(now: number): void {
    this.#drained = now;
  }

  /** It answers pings: from now on only what it says counts. */
  answers(): void {
    this.#answers = true;
  }

  deadline(): number {
    return Math.min(this.#pingAt(), this.#endAt());
  }

  /** True when a ping is due. Throws `ProtocolError` IDLE_TIMEOUT. */
  tick(now: number): boolean {
    if (now >= this.#endAt()) throw new ProtocolError('IDLE_TIMEOUT', 'no sign of life from the peer');
    if (now < this.#pingAt()) return false;
    this.#pinged = now;
    return true;
  }

  #pingAt(): number {
    return Math.max(this.#heard, this.#pinged) + this.#options.pingAfterMs;
  }

  #endAt(): number {
    return (this.#answers ? this.#heard : Math.max(this.#heard, this.#drained)) + this.#options.idleTimeoutMs;
  }
}
