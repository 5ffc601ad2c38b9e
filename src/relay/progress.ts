/** What a server has of us, as far as can be known. */
export interface Reading {
  readonly sent: number;
  /** 0: it never says. */
  readonly acknowledged: number;
}

/** Servers acknowledge every 2.5 MB (our window) to 5 MB (nginx-rtmp's own): less than two of these owed proves nothing. */
const LEAST_WINDOW = 2_500_000;

/**
 * Finds out a server that takes what it is sent and does nothing with it: it used to acknowledge, more than two windows are
 * owed, and it says nothing any more. That a socket takes nothing is the driver's to notice.
 */
export class Progress {
  readonly #stallMs: number;
  #acknowledged = 0;
  #window = LEAST_WINDOW;
  #changedAt: number;

  constructor(stallMs: number, now: number) {
    this.#stallMs = stallMs;
    this.#changedAt = now;
  }

  /** To be told now and then; true when nothing has moved for `stallMs`. */
  isStuck({ sent, acknowledged }: Reading, now: number): boolean {
    if (acknowledged !== this.#acknowledged) {
      this.#window = Math.max(this.#window, acknowledged - this.#acknowledged);
      this.#acknowledged = acknowledged;
      this.#changedAt = now;
    }
    if (acknowledged === 0 || sent - acknowledged <= 2 * this.#window) return false;
    return now - this.#changedAt >= this.#stallMs;
  }
}
