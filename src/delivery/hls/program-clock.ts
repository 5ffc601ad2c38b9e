/** The clocks are compared once in so much media time; in between, whatever came soonest counts. */
const COMPARE_MS = 10_000;
/** How much the dates may run ahead or behind of the media from one comparison to the next: 1 %, which nobody sees. */
const MAX_STEP_MS = 100;
/** Changes that are remembered: twenty minutes of them, more than any playlist shows. */
const MAX_REMEMBERED = 120;

interface Lead {
  /** From this media time on … */
  readonly from: number;
  /** … the wall clock is so far ahead of it. */
  readonly ms: number;
}

/**
 * The wall clock's time of media times, for EXT-X-PROGRAM-DATE-TIME. A publisher's clock runs a little differently from ours (some
 * seconds a day), which is followed gently. All renditions get the same date for the same media time, whenever they ask.
 */
export class ProgramClock {
  #leads: Lead[] = [];
  /** From here on nothing is known: the times jumped, or another publisher came. */
  #anewFrom: number | undefined = -Infinity;
  #least = Infinity;
  #comparedAt = 0;

  /** Whether the next comparison settles anew. */
  get isUnsettled(): boolean {
    return this.#anewFrom !== undefined;
  }

  /** What came before this media time has nothing to do with what comes from it on. */
  jump(from: number): void {
    this.#anewFrom ??= from;
  }

  /** The newest media came just now. `wall`: milliseconds since 1970. */
  note(wall: number, latest: number): void {
    this.#least = Math.min(this.#least, wall - latest);
    if (this.#anewFrom !== undefined) return this.#settle(wall, latest, this.#anewFrom);
    if (latest - this.#comparedAt < COMPARE_MS) return;
    const present = this.#leads.at(-1)!.ms;
    const step = Math.max(-MAX_STEP_MS, Math.min(MAX_STEP_MS, this.#least - present));
    this.#begin(latest, { from: latest, ms: present + step });
  }

  /** Milliseconds since 1970. */
  at(mediaTime: number): number {
    const lead = this.#leads.findLast(({ from }) => from <= mediaTime) ?? this.#leads[0];
    return mediaTime + (lead?.ms ?? 0);
  }

  #settle(wall: number, latest: number, from: number): void {
    this.#anewFrom = undefined;
    this.#begin(latest, { from, ms: wall - latest });
  }

  #begin(latest: number, lead: Lead): void {
    this.#leads.push(lead);
    if (this.#leads.length > MAX_REMEMBERED) this.#leads.shift();
    this.#least = Infinity;
    this.#comparedAt = latest;
  }
}
