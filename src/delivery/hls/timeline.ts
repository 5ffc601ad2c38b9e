import { compareTimestamps } from '../../media/index.ts';

/** A step further than this, either way, is not time that passed. */
export const JUMP_MS = 3_000;

/** Where media time begins: room below for pictures that are shown before the first one decoded. */
const ORIGIN_MS = 10_000;

export interface Placed {
  /** Milliseconds of media time, never wrapped. */
  readonly at: number;
  /** The publisher's clock jumped here: nothing is continuous with what was before. */
  readonly jumped: boolean;
}

/**
 * One stream's media time: RTMP's 32-bit milliseconds without their wrap, and without jumps. Sound and picture share it. After a
 * jump media time goes on where it was, and what still comes with the old times is left out.
 */
export class Timeline {
  #latest: number | undefined = undefined;
  #raw = 0;
  #former: number | undefined = undefined;

  /** The newest media time, milliseconds. */
  get latest(): number {
    return this.#latest ?? ORIGIN_MS;
  }

  /** Undefined: a straggler from before a jump. */
  place(timestamp: number): Placed | undefined {
    if (this.#latest === undefined) return this.#settle(timestamp, ORIGIN_MS, false);
    const step = compareTimestamps(timestamp, this.#raw);
    if (Math.abs(step) <= JUMP_MS) return this.#advance(timestamp, step);
    if (this.#former !== undefined && Math.abs(compareTimestamps(timestamp, this.#former)) <= JUMP_MS) return undefined;
    this.#former = this.#raw;
    return this.#settle(timestamp, this.#latest + 1, true);
  }

  /** The place of data, which moves nothing: some encoders give it no time of its own, and it belongs to the present then. */
  placeData(timestamp: number): number {
    const step = this.#latest === undefined ? 0 : compareTimestamps(timestamp, this.#raw);
    return this.latest + (Math.abs(step) <= JUMP_MS ? step : 0);
  }

  #advance(timestamp: number, step: number): Placed {
    const at = this.#latest! + step;
    if (step > 0) {
      this.#latest = at;
      this.#raw = timestamp;
    }
    return { at, jumped: false };
  }

  #settle(timestamp: number, at: number, jumped: boolean): Placed {
    this.#latest = at;
    this.#raw = timestamp;
    return { at, jumped };
  }
}
