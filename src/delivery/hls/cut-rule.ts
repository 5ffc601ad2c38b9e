/** Before this much is seen, nothing is cut: how long a part should be depends on the pictures' distance. */
const LEARN_MS = 250;
/**
 * Without a keyframe for so long, a segment ends all the same. Longer than the 250 pictures at 24 a second that x264 chooses by itself,
 * shorter than a first request waits.
 */
export const MAX_SEGMENT_MS = 11_000;
/** Pictures further apart make parts of their own, and are no measure. */
const MAX_SPACING_MS = 1_000;

/** All parts but a segment's last are at least as long as this share of the part target (RFC 8216bis, 4.4.4.9). */
const LEAST_PART = 0.85;
/** RTMP's times are whole milliseconds, at both ends of a part. */
const ROUNDING_MS = 2;

export interface CutOptions {
  readonly partMs: number;
  readonly segmentMs: number;
}

/**
 * When parts and segments end. Parts are as long as a whole number of the distances at which cuts are possible, so that they are all
 * of one length: with B-frames a cut is possible only where every picture so far is shown before every picture to come.
 */
export class CutRule {
  readonly #options: CutOptions;
  #spacing = 0;
  #lastCut: number | undefined = undefined;
  #isLearnt = false;
  #partTargetMs: number | undefined = undefined;
  #lastKey: number | undefined = undefined;
  #keyInterval: number | undefined = undefined;
  /** What the playlist has promised as the longest segment; before it has, what it could. */
  maxSegmentMs: number;

  constructor(options: CutOptions) {
    this.#options = options;
    this.maxSegmentMs = Math.max(MAX_SEGMENT_MS, 1.5 * options.segmentMs);
  }

  /** The distance of keyframes, as far as seen. */
  get keyInterval(): number | undefined {
    return this.#keyInterval;
  }

  /** A place where a cut is possible. */
  note(at: number, isKeyframe: boolean): void {
    const gap = at - (this.#lastCut ?? at);
    if (gap > 0 && gap < MAX_SPACING_MS && !this.#isLearnt) this.#spacing = Math.max(this.#spacing, gap);
    this.#lastCut = at;
    if (!isKeyframe) return;
    if (this.#lastKey !== undefined) this.#keyInterval = Math.max(this.#keyInterval ?? 0, at - this.#lastKey);
    this.#lastKey = at;
  }

  /** Other pictures begin: their distances are to be learnt anew. */
  reset(): void {
    this.#spacing = 0;
    this.#lastCut = undefined;
    this.#lastKey = undefined;
    this.#keyInterval = undefined;
    this.#isLearnt = false;
  }

  /** The longest a part may be; once asked for, it stays, whatever pictures come after. */
  promisePart(): number {
    return (this.#partTargetMs ??= this.#partTarget());
  }

  /** The next place to cut would be too late. */
  endsPart(elapsed: number): boolean {
    const { partMs } = this.#options;
    if (elapsed < Math.min(LEARN_MS, partMs / 2)) return false;
    if (!this.#isLearnt && elapsed < partMs - this.#spacing / 2) return false;
    this.#isLearnt = true;
    return elapsed + this.#spacing > (this.#partTargetMs ?? this.#partTarget());
  }

  /** Whether a part may end for no other reason than a keyframe. */
  isLongPart(elapsed: number): boolean {
    return elapsed >= LEAST_PART * (this.#partTargetMs ?? this.#partTarget());
  }

  /** At a keyframe; also early when the next one would come too late. */
  endsSegment(elapsed: number): boolean {
    const { segmentMs } = this.#options;
    return elapsed >= segmentMs * 0.95 || elapsed + (this.#keyInterval ?? 0) > this.maxSegmentMs;
  }

  /** No keyframe came in time. */
  mustEndSegment(elapsed: number): boolean {
    return elapsed + Math.max(this.#spacing, 40) > this.maxSegmentMs;
  }

  /** A little more than a whole number of distances, so that a keyframe in between finds its place; parts are not too short for it then. */
  #partTarget(): number {
    const { partMs } = this.#options;
    if (this.#spacing === 0) return partMs + ROUNDING_MS;
    const usual = this.#spacing * Math.max(1, Math.round(partMs / this.#spacing));
    return Math.min((usual - ROUNDING_MS) / LEAST_PART, usual + this.#spacing / 2 + ROUNDING_MS);
  }
}
