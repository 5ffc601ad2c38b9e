/** RTMP's times are whole milliseconds: so much off is rounding. */
const ROUNDING_MS = 2;
/** More than this is a gap, not a clock that runs a little differently. */
const GAP_MS = 100;
/** Who is so far ahead of the packets' own times has been told lengths that are not true: by a wrong configuration, or with times that stand still. */
const AHEAD_MS = 500;
/** Which part of a difference is made good with each packet. */
const SHARE = 1 / 16;

/**
 * Exact times for packets of sound. RTMP rounds them to milliseconds, which would make packets of 21.33 ms last 21 or 22 in
 * turn; here they follow each other by their counted samples, and a clock that drifts is followed gently.
 */
export class AudioClock {
  #next: number | undefined = undefined;
  #last = 0;

  /** When a packet begins that came at `at` and lasts `duration`, in milliseconds. */
  place(at: number, duration: number): number {
    const expected = this.#next;
    const difference = expected === undefined ? 0 : at - expected;
    const start = expected === undefined || difference > GAP_MS ? at : this.#following(expected, at);
    this.#last = start;
    this.#next = start + duration;
    return start;
  }

  /** Who runs away is held back, a millisecond for each packet: it would never end, and all of it wait for its picture. */
  #following(expected: number, at: number): number {
    const difference = at - expected;
    return difference < -AHEAD_MS ? Math.max(at, this.#last + 1) : expected + correction(difference);
  }

  reset(): void {
    this.#next = undefined;
  }
}

/** Never backwards by more than a packet has room for. */
function correction(difference: number): number {
  return Math.abs(difference) <= ROUNDING_MS ? 0 : Math.max(-1, difference * SHARE);
}
