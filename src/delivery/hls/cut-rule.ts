/** Before this much is seen, nothing is cut: how long a part should be depends on the pictures' distance. */
const LEARN_MS = 250;
/**
 * Without a keyframe for so long, a segment ends all the same. Longer than the 250 pictures at 24 a second that x264 chooses by itself,
 * shorter than a first request waits.
 */
export const MAX_SEGMENT_MS = 11_000;
/** Pictures further apart make parts of their own, and are no measure. */
const MAX_SPACING_MS = 1_000;

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
  #partMs: number | undefined = undefined;
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
    if (gap > 0 && gap < MAX_SPACING_MS && this.#partMs === undefined) this.#spacing = Math.max(this.#spacing, gap);
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
    this.#partMs = undefined;
  }

  endsPart(elapsed: number): boolean {
    if (elapsed < Math.min(LEARN_MS, this.#options.partMs / 2)) return false;
    if (this.#partMs === undefined && elapsed < this.#options.partMs - this.#spacing / 2) return false;
    this.#partMs ??= wholeMultiple(this.#options.partMs, this.#spacing);
    return elapsed > this.#partMs - this.#spacing / 2;
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
}

function wholeMultiple(wanted: number, spacing: number): number {
  return spacing === 0 ? wanted : spacing * Math.max(1, Math.round(wanted / spacing));
}
