/** Counts events by the second, without a timer. */
export class RateGate {
  readonly #perSecond: number;
  #windowStart = -Infinity;
  #count = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** False for what comes past the limit within a second of the first. */
  allow(now: number): boolean {
    if (now - this.#windowStart >= 1000) {
      this.#windowStart = now;
      this.#count = 0;
    }
    return ++this.#count <= this.#perSecond;
  }
}
