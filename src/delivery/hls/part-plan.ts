import type { Coded, Tracks } from '../fmp4/coded.ts';

/** What goes into one part: the unit of muxing, and of low-latency HLS. */
export interface PartPlan {
  readonly tracks: Tracks;
  readonly video: readonly Coded[];
  readonly audio: readonly Coded[];
  /** Milliseconds of media time. */
  readonly start: number;
  readonly duration: number;
  /** How much later pictures are shown than decoded: the same until the next discontinuity. */
  readonly delay: number;
  /** Decoding can start here. */
  readonly independent: boolean;
  /** Decoding can start in it. */
  readonly holdsKeyframe: boolean;
  /** It is the first of its segment. */
  readonly opens: boolean;
  /** It is the last of its segment. */
  readonly closes: boolean;
}
