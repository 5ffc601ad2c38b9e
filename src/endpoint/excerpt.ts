import type { Subscriber } from '../hub/index.ts';
import type { Frame } from '../media/index.ts';
import { compareTimestamps } from '../protocol/index.ts';

/** A Subscriber whose client asked for so much of the stream and no more (the duration of `play`, RTMP 1.0, section 7.2.2.1). */
export class Excerpt implements Subscriber {
  readonly #whole: Subscriber;
  readonly #durationMs: number;
  readonly #onOver: () => void;
  #from: number | undefined;
  #isOver = false;

  /** `onOver` is called once, from within `deliver`, for the first frame that is too late. */
  constructor(whole: Subscriber, durationMs: number, onOver: () => void) {
    this.#whole = whole;
    this.#durationMs = durationMs;
    this.#onOver = onOver;
  }

  deliver(frame: Frame): void {
    if (this.#isOver) return;
    this.#isOver = this.#isTooLate(frame);
    if (this.#isOver) this.#onOver();
    else this.#whole.deliver(frame);
  }

  /** Sound and pictures tell the time; data and configurations are stamped with anything. */
  #isTooLate({ kind, isConfig, timestamp }: Frame): boolean {
    if (kind === 'data' || isConfig) return false;
    this.#from ??= timestamp;
    return compareTimestamps(timestamp, this.#from) >= this.#durationMs;
  }

  published(): void {
    if (!this.#isOver) this.#whole.published();
  }

  unpublished(): void {
    if (!this.#isOver) this.#whole.unpublished();
  }
}

/**
 * The duration of `play` in milliseconds; 0 for no end. The specification says seconds, but Flash and librtmp (rtmpdump
 * `--stop`) send milliseconds, as they do for the start. Nobody wants less than one second, so that such numbers are seconds.
 */
export function playDuration(duration: number): number {
  if (!(duration > 0)) return 0;
  return Math.min(duration < 1000 ? duration * 1000 : duration, MAX_DURATION_MS);
}

/** What serial arithmetic can tell apart: 24 days. */
const MAX_DURATION_MS = 2 ** 31 - 1;
