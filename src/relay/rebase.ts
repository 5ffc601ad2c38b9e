/** A step beyond this, either way, is a clock that was set: time goes on as if nothing had happened. */
const JUMP_MS = 10_000;

/**
 * The time line of one connection: it begins at 0, and goes back only as far as sound and picture are apart. The difference
 * is the same for all kinds of frames, so that these keep their distance.
 */
export class Rebase {
  #base: number | undefined = undefined;
  #lastIn = 0;
  #lastOut = 0;

  /** A sound's or picture's place in milliseconds; `timestamp` is the stream's, modulo 2^32. */
  place(timestamp: number): number {
    if (this.#base === undefined) this.#base = timestamp;
    else if (Math.abs((timestamp - this.#lastIn) | 0) > JUMP_MS) this.#base = (timestamp - this.#lastOut - 1) >>> 0;
    this.#lastIn = timestamp;
    this.#lastOut = this.#at(timestamp, this.#base);
    return this.#lastOut;
  }

  /** The same for what tells no time of its own: data and configurations are often stamped with 0. */
  placeOther(timestamp: number): number {
    if (this.#base === undefined) return this.place(timestamp);
    return Math.abs((timestamp - this.#lastIn) | 0) > JUMP_MS ? this.#lastOut : this.#at(timestamp, this.#base);
  }

  /** Never before the beginning: sound may be a little older than the keyframe that a connection begins with. */
  #at(timestamp: number, base: number): number {
    return Math.max(0, (timestamp - base) | 0);
  }
}
