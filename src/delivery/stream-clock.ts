import { compareTimestamps } from '../media/index.ts';

/** Milliseconds. */
export interface StreamClockOptions {
  /** Where it begins. */
  readonly origin: number;
  /** Sound and picture are not interleaved worse than this. */
  readonly behindMs: number;
  /** A step further ahead is not time that passed: the publisher's clock was set. */
  readonly aheadMs: number;
}

export interface Placed {
  /** Milliseconds on the stream's clock; never wraps, never below 0. */
  readonly at: number;
  /** The publisher's clock was set here: nothing is continuous with what was before. */
  readonly jumped: boolean;
}

/**
 * One stream's time, which its sound and picture share: RTMP's 32-bit milliseconds without their wrap after 49 days, and
 * without jumps. After a jump time goes on where it was.
 */
export class StreamClock {
  readonly #options: StreamClockOptions;
  #now: number;
  /** The timestamp that `#now` stands for. */
  #raw: number | undefined = undefined;
  /** The one before the last jump, near which stragglers may come. */
  #former: number | undefined = undefined;

  constructor(options: StreamClockOptions) {
    this.#options = options;
    this.#now = options.origin;
  }

  /** The latest time. */
  get now(): number {
    return this.#now;
  }

  /** The place of sound or a picture. Undefined: a straggler from before a jump. */
  place(timestamp: number): Placed | undefined {
    if (this.#raw === undefined) return this.#settle(timestamp, this.#now, false);
    const step = compareTimestamps(timestamp, this.#raw);
    if (this.#isNear(step)) return this.#advance(timestamp, step);
    if (this.#former !== undefined && this.#isNear(compareTimestamps(timestamp, this.#former))) return undefined;
    this.#former = this.#raw;
    return this.#settle(timestamp, this.#now + 1, true);
  }

  /** The place of data, which moves nothing: some encoders give it no time of its own, and it belongs to the present then. */
  placeData(timestamp: number): number {
    const step = this.#raw === undefined ? 0 : compareTimestamps(timestamp, this.#raw);
    return this.#isNear(step) ? Math.max(0, this.#now + step) : this.#now;
  }

  #isNear(step: number): boolean {
    return step >= -this.#options.behindMs && step <= this.#options.aheadMs;
  }

  #advance(timestamp: number, step: number): Placed {
    const at = this.#now + step;
    return step > 0 ? this.#settle(timestamp, at, false) : { at: Math.max(0, at), jumped: false };
  }

  #settle(timestamp: number, at: number, jumped: boolean): Placed {
    this.#now = at;
    this.#raw = timestamp;
    return { at, jumped };
  }
}
