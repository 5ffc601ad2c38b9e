import { compareTimestamps, type Frame } from '../../media/index.ts';

/** Further ahead than this is a clock that was set: nobody stays silent for so long and is still there (`limits.pingAfter`). */
const AHEAD_MS = 60_000;
/** Sound and picture are not interleaved worse than this. */
const BEHIND_MS = 1_000;

export interface PlacedAt {
  /** Milliseconds since the first frame; never wraps. */
  readonly at: number;
  readonly jumped: boolean;
}

/** One stream's time without RTMP's wrap after 49 days, and without jumps: after one it goes on where it was. */
export class RecordingClock {
  #raw: number | undefined = undefined;
  #now = 0;
  /** The time before the last jump, of which stragglers may come. */
  #former: number | undefined = undefined;

  /** The latest time. */
  get now(): number {
    return this.#now;
  }

  place({ kind, timestamp }: Frame): PlacedAt {
    if (kind === 'data') return { at: this.#placeData(timestamp), jumped: false };
    if (this.#raw === undefined) {
      this.#raw = timestamp;
      return { at: 0, jumped: false };
    }
    const step = compareTimestamps(timestamp, this.#raw);
    if (isNear(step)) return { at: this.#advance(timestamp, step), jumped: false };
    if (this.#former !== undefined && isNear(compareTimestamps(timestamp, this.#former)))
      return { at: this.#now, jumped: false };
    this.#former = this.#raw;
    return { at: this.#advance(timestamp, 1), jumped: true };
  }

  #advance(timestamp: number, step: number): number {
    const at = this.#now + step;
    if (step <= 0) return Math.max(0, at);
    this.#raw = timestamp;
    this.#now = at;
    return at;
  }

  /** Some encoders give data no time of its own; it belongs to the present then. */
  #placeData(timestamp: number): number {
    const step = this.#raw === undefined ? 0 : compareTimestamps(timestamp, this.#raw);
    return isNear(step) ? Math.max(0, this.#now + step) : this.#now;
  }
}

function isNear(step: number): boolean {
  return step >= -BEHIND_MS && step <= AHEAD_MS;
}
