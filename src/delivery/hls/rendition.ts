import { AudioClock } from '../fmp4/audio-clock.ts';
import { CueQueue } from './cue-queue.ts';
import { withCueBrand, type Cue } from './emsg.ts';
import { SegmentWindow, type SegmentWindowOptions } from './segment-window.ts';
import type { FairShare } from '../../hub/index.ts';
import { FragmentMuxer } from '../fmp4/muxer.ts';
import type { Tracks } from '../fmp4/coded.ts';
import type { PartPlan } from './part-plan.ts';
import { Segmenter, type Picture } from './segmenter.ts';

export interface RenditionOptions extends SegmentWindowOptions {
  readonly segmentMs: number;
  readonly partMs: number;
  /** Media time as the wall clock's milliseconds. */
  readonly programTime: (at: number) => number;
}

/** How much longer than the target a segment may be and still round to it (RFC 8216bis, 4.4.3.1), with some reserve. */
const ROUNDING_MS = 400;
/** Without an idea of the publisher's keyframes, segments are promised to be at most so much longer than wished. */
const UNKNOWN_KEYFRAMES = 1.5;

/** Keyframes that are so much further apart than whole seconds are whole seconds apart: times are rounded, and segments round to the target. */
const WOBBLE_MS = 50;

/** One playlist: the tracks in it, cut, muxed and kept. */
export class Rendition {
  /** `v0`, `a1`: what its files are called. */
  readonly name: string;
  readonly window: SegmentWindow;
  readonly #options: RenditionOptions;
  readonly #sound = new AudioClock();
  readonly #cues = new CueQueue();
  #segmenter: Segmenter;
  #plans: { readonly plan: PartPlan; readonly breaks: number }[] = [];
  #breaks: number;
  #muxer: FragmentMuxer | undefined = undefined;

  constructor(name: string, tracks: Tracks, options: RenditionOptions, memory: FairShare) {
    this.name = name;
    this.#options = options;
    this.#breaks = options.discontinuities;
    this.window = new SegmentWindow(options, memory);
    this.#segmenter = new Segmenter(tracks, options);
  }

  get tracks(): Tracks {
    return this.#segmenter.tracks;
  }

  /** Something has begun that an interruption would end. */
  get isRunning(): boolean {
    return this.#segmenter.isRunning;
  }

  /** Other tracks, another publisher, another time: ends what there is. `breaks`: discontinuities so far, this one included. */
  interrupt(tracks: Tracks, breaks: number): void {
    this.#keep(this.#segmenter.interrupt(tracks));
    this.#sound.reset();
    this.#breaks = breaks;
  }

  /** The publisher has left. */
  flush(): void {
    this.#keep(this.#segmenter.flush());
  }

  addVideo(picture: Picture): void {
    this.#keep(this.#segmenter.addVideo(picture));
  }

  addAudio(data: Buffer, at: number, duration: number): void {
    this.#keep(this.#segmenter.addAudio({ data, at: this.#sound.place(at, duration), duration }));
  }

  /** Goes into the part that its time is in. */
  addCue(cue: Cue): void {
    this.#cues.add(cue);
  }

  /** Muxes the next part that has been planned; false when there is none. Rejects when it cannot be muxed. */
  async muxNext(): Promise<boolean> {
    const next = this.#plans.shift();
    if (next === undefined) return false;
    const { plan, breaks } = next;
    if (plan.video.length + plan.audio.length > 0) await this.#muxOne(plan, breaks);
    return true;
  }

  /** Settles how long segments are at most; from then on they are. */
  promise(): void {
    const { segmentMs } = this.#options;
    const known = this.#segmenter.rule.keyInterval;
    const wished = Math.max(segmentMs, known ?? segmentMs * UNKNOWN_KEYFRAMES, this.#segmenter.segmentElapsed);
    const target = this.window.settleTarget(Math.ceil((wished - WOBBLE_MS) / 1000));
    this.#segmenter.rule.maxSegmentMs = target * 1000 + ROUNDING_MS;
    this.window.settlePart(this.#segmenter.rule.promisePart() / 1000);
  }

  async close(): Promise<void> {
    this.window.clear();
    this.#plans = [];
    await this.#muxer?.close();
  }

  /** A new muxer at each segment that can stand alone: it keeps a record of all it wrote. */
  async #muxOne(plan: PartPlan, breaks: number): Promise<void> {
    if (this.#muxer === undefined || (plan.opens && plan.independent)) {
      await this.#muxer?.close();
      this.#muxer = await FragmentMuxer.open(plan.tracks, plan.delay);
    }
    const { init, data } = await this.#muxer.mux(plan);
    const cues = this.#cues.take(plan.start, plan.start + plan.duration);
    const muxed = { init: withCueBrand(init), data: cues.length > 0 ? Buffer.concat([...cues, data]) : data };
    this.window.add(plan, muxed, this.#options.programTime(plan.start), breaks);
    if (this.window.targetDuration === undefined && this.window.hasSegment) this.promise();
  }

  #keep(plan: PartPlan | undefined): void {
    if (plan !== undefined) this.#plans.push({ plan, breaks: this.#breaks });
  }
}
