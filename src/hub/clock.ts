import { addTimestamp, compareTimestamps, retimed, type Frame } from '../media/index.ts';

/**
 * The clock of one channel. The first publisher's times are kept as they are. One that comes after another continues where
 * the last left off plus the time that passed; its first sound or picture settles the difference, for all of its frames
 * alike, so that sound and picture keep their distance.
 */
export class ChannelClock {
  #offset = 0;
  #settled = true;
  #lastAudio: number | undefined = undefined;
  #lastVideo: number | undefined = undefined;
  #lastAt = 0;

  /** Another publisher begins. */
  restart(): void {
    if (this.#latest() !== undefined) this.#settled = false;
  }

  /** The frame on the channel's clock: the same object as long as nothing is to be changed. */
  place(frame: Frame, now: number): Frame {
    if (frame.kind === 'data' || frame.isConfig) return this.#placeOther(frame, now);
    if (!this.#settled) this.#settle(frame.timestamp, now);
    const placed = this.#shifted(frame);
    if (frame.kind === 'audio') this.#lastAudio = placed.timestamp;
    else this.#lastVideo = placed.timestamp;
    this.#lastAt = now;
    return placed;
  }

  /** Before the clock is settled, headers are stamped by whoever sends them, and data belongs to the present. */
  #placeOther(frame: Frame, now: number): Frame {
    if (this.#settled) return this.#shifted(frame);
    return frame.isConfig ? frame : retimed(frame, this.#present(now));
  }

  #settle(timestamp: number, now: number): void {
    this.#offset = addTimestamp(this.#present(now), -timestamp);
    this.#settled = true;
    this.#lastAudio = undefined;
    this.#lastVideo = undefined;
  }

  #shifted(frame: Frame): Frame {
    return this.#offset === 0 ? frame : retimed(frame, frame.timestamp + this.#offset);
  }

  /** At least a millisecond on: no two publishers share an instant. */
  #present(now: number): number {
    return (this.#latest() ?? 0) + Math.max(1, Math.floor(now - this.#lastAt));
  }

  #latest(): number | undefined {
    if (this.#lastAudio === undefined || this.#lastVideo === undefined) return this.#lastAudio ?? this.#lastVideo;
    return compareTimestamps(this.#lastVideo, this.#lastAudio) > 0 ? this.#lastVideo : this.#lastAudio;
  }
}
