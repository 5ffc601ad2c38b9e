import { codecOf, type Frame } from '../media/index.ts';

/** What a publisher brought, for the line in the log that says it has ended. */
export interface TallyFields {
  readonly seconds: number;
  readonly frames: number;
  readonly bytes: number;
  /** In the order they were first seen: "avc1", "mp4a". */
  readonly codecs: readonly string[];
}

/** Counts the frames of one publication. */
export class Tally {
  readonly #since: number;
  #frames = 0;
  #bytes = 0;
  readonly #codecs = new Set<string>();

  constructor(now: number) {
    this.#since = now;
  }

  /** On the hot path: looks into a frame only while its kind is unknown, or where it says what the next ones are. */
  count(frame: Frame): void {
    this.#frames++;
    this.#bytes += frame.payload.length;
    if (frame.isConfig || this.#frames <= FIRST_FRAMES) this.#note(codecOf(frame));
  }

  fields(now: number): TallyFields {
    return {
      seconds: secondsBetween(this.#since, now),
      frames: this.#frames,
      bytes: this.#bytes,
      codecs: [...this.#codecs],
    };
  }

  #note(codec: string | undefined): void {
    if (codec !== undefined && this.#codecs.size < MAX_CODECS) this.#codecs.add(codec);
  }
}

/** MP3, Speex and Sorenson H.263 announce no configuration: among so many frames all tracks of a stream have shown up. */
const FIRST_FRAMES = 100;

/** A FourCC is whatever four bytes a publisher likes, and each may be new. Streams of many tracks have two or three. */
const MAX_CODECS = 16;

/** To a tenth, for people to read. */
export function secondsBetween(since: number, now: number): number {
  return Math.round((now - since) / 100) / 10;
}
