/** RTMP's times are whole milliseconds: so much off is rounding. */
const ROUNDING_MS = 2;
/** More than this is a gap, not a clock that runs a little differently. */
const GAP_MS = 100;
/** Which part of a difference is made good with each packet. */
const SHARE = 1 / 16;

/**
 * Exact times for packets of sound. RTMP rounds them to milliseconds, which would make packets of 21.33 ms last 21 or 22 in
 * turn; here they follow each other by their counted samples, and a clock that drifts is followed gently.
 */
export class AudioClock {
  #next: number | undefined = undefined;

  /** When a packet begins that came at `at` and lasts `duration`, in milliseconds. */
  place(at: number, duration: number): number {
    const expected = this.#next;
    const difference = expected === undefined ? 0 : at - expected;
    const start = expected === undefined || difference > GAP_MS ? at : expected + correction(difference);
    this.#next = start + duration;
    return start;
  }

  reset(): void {
    this.#next = undefined;
  }
}

/** Never backwards by more than a packet has room for. */
function correction(difference: number): number {
  return Math.abs(difference) <= ROUNDING_MS ? 0 : Math.max(-1, difference * SHARE);
}
