import { compareTimestamps } from '../media/index.ts';

/** A step beyond this, either way, is a clock that was set: time goes on as if nothing had happened. */
const JUMP_MS = 10_000;

/**
 * The time line of one connection: it begins at 0, and goes back only as far as sound and picture are apart. The difference
 * is the same for all kinds of frames, so that these keep their distance. It counts on past 2^32, where RTMP's times wrap.
 */
export class Rebase {
  #last: number | undefined = undefined;
  #place = 0;

  /** A sound's or picture's place in milliseconds; `timestamp` is the stream's, modulo 2^32. */
  place(timestamp: number): number {
    const step = this.#step(timestamp);
    this.#place += Math.abs(step) > JUMP_MS ? 1 : step;
    this.#last = timestamp;
    return atLeastZero(this.#place);
  }

  /** The same for what tells no time of its own: data and configurations are often stamped with 0. */
  placeOther(timestamp: number): number {
    if (this.#last === undefined) return this.place(timestamp);
    const step = this.#step(timestamp);
    return atLeastZero(Math.abs(step) > JUMP_MS ? this.#place : this.#place + step);
  }

  /** From the frame before. */
  #step(timestamp: number): number {
    return compareTimestamps(timestamp, this.#last ?? timestamp);
  }
}

/** Sound may be a little older than the keyframe that a connection begins with. */
function atLeastZero(place: number): number {
  return Math.max(0, place);
}
