import type { Log } from '../../log.ts';

/** Keyframes may be so much further apart than segments are wished to be long before anybody hears of it. */
const TOLERANCE = 1.25;
/** Without a second keyframe for so long, none may ever come (intra refresh, an interval without bound). */
const NO_KEYFRAME_MS = 15_000;

/** How far apart a publisher's keyframes are; says once if they are too far for HLS. Milliseconds of media time. */
export class Keyframes {
  readonly #log: Log;
  readonly #segmentMs: number;
  readonly #last = new Map<number, number>();
  #interval: number | undefined = undefined;
  #said = false;

  constructor(segmentMs: number, log: Log) {
    this.#segmentMs = segmentMs;
    this.#log = log;
  }

  /** The longest distance of this publisher's; one that still grows counts once it is the longest. Undefined: not known yet. */
  get intervalMs(): number | undefined {
    return this.#interval;
  }

  /** A picture of a track. */
  see(track: number, isKeyframe: boolean, at: number): void {
    const last = this.#last.get(track);
    if (isKeyframe) this.#last.set(track, at);
    if (last === undefined) return;
    const elapsed = at - last;
    const isLongest = elapsed > (this.#interval ?? 0);
    if (isLongest && (isKeyframe || elapsed > NO_KEYFRAME_MS)) this.#note(elapsed, isKeyframe);
  }

  /** The times jumped: distances across that mean nothing. */
  jump(): void {
    this.#last.clear();
  }

  /** Another publisher. */
  startAnew(): void {
    this.jump();
    this.#interval = undefined;
    this.#said = false;
  }

  #note(elapsed: number, isWhole: boolean): void {
    this.#interval = elapsed;
    if (this.#said || elapsed <= this.#segmentMs * TOLERANCE) return;
    this.#said = true;
    const [apart, wished] = [elapsed, this.#segmentMs].map((ms) => `${Math.round(ms / 100) / 10} s`);
    const what = isWhole ? `a publisher's keyframes are ${apart} apart` : `a publisher sent no keyframe for ${apart}`;
    this.#log.warn(
      { keyframeMs: Math.round(elapsed), segmentMs: this.#segmentMs },
      `${what}: HLS cuts only there, so viewers start later and stay further behind. Set the encoder's keyframe interval to ${wished}`,
    );
  }
}
