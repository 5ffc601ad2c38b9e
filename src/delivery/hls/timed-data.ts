import { mayBeTimedEvent, readTimedEvent, type Frame, type SpliceInfo } from '../../media/index.ts';
import { DateRanges } from './date-ranges.ts';
import type { Cue } from './emsg.ts';
import { id3Text } from './id3.ts';

export const TIMED_DATA_LIMITS = Object.freeze({
  /** A message for every picture; Amazon IVS takes five. Counted in media time, so that what a joiner is given at once passes. */
  eventsPerSecond: 30,
  /** How far ahead a marker may say its splice is: encoders announce them four to ten seconds before. */
  maxAheadMs: 60_000,
  /** Markers that come before a stream's first part, which settles what time it is. */
  maxUndated: 32,
});

interface Undated {
  readonly splice: SpliceInfo;
  /** When it happens, and when it was said. Media time. */
  readonly at: number;
  readonly said: number;
}

/** The data messages of one stream: SCTE-35 becomes date ranges, everything else cues. */
export class TimedData {
  readonly dateRanges = new DateRanges();
  #undated: Undated[] = [];
  #count = 0;
  #room: number = TIMED_DATA_LIMITS.eventsPerSecond;
  #latest = -Infinity;

  /** `at`: the frame's media time in milliseconds. Undefined where there is nothing to put into the media. */
  take(frame: Frame, at: number): Cue | undefined {
    // What is too much is not even read.
    const event = mayBeTimedEvent(frame) && this.#hasRoom(at) ? readTimedEvent(frame) : undefined;
    if (event === undefined) return undefined;
    const { name, text, splice, time } = event;
    if (splice === undefined) return { id: this.#count++, at, tag: id3Text(name, text) };
    this.#undated.push({ splice, at: at + ahead(time, frame.timestamp), said: at });
    if (this.#undated.length > TIMED_DATA_LIMITS.maxUndated) this.#undated.shift();
    return undefined;
  }

  /** `dateOf`: media time as milliseconds since 1970, now that it is known. True: there was something to date. */
  settle(dateOf: (at: number) => number): boolean {
    if (this.#undated.length === 0) return false;
    for (const { splice, at, said } of this.#undated) this.dateRanges.add(splice, dateOf(at), dateOf(said));
    this.#undated = [];
    return true;
  }

  /** Another publisher begins: what could not be dated never will be. */
  interrupt(): void {
    this.#undated = [];
  }

  #hasRoom(at: number): boolean {
    const { eventsPerSecond } = TIMED_DATA_LIMITS;
    if (at > this.#latest) {
      this.#room = Math.min(eventsPerSecond, this.#room + ((at - this.#latest) / 1000) * eventsPerSecond);
      this.#latest = at;
    }
    if (this.#room < 1) return false;
    this.#room--;
    return true;
  }
}

/** How far behind its message a splice is, if it says so on the stream's clock. Encoders that copy another clock's time say nonsense here. */
function ahead(time: number | undefined, timestamp: number): number {
  const step = time === undefined ? 0 : time - timestamp;
  return step >= 0 && step <= TIMED_DATA_LIMITS.maxAheadMs ? step : 0;
}
