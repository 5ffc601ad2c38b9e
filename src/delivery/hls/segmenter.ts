import { costOf, type Coded, type Tracks } from '../fmp4/coded.ts';
import type { PartPlan } from './part-plan.ts';
import { CutRule, type CutOptions } from './cut-rule.ts';
import { reorderDelay } from '../fmp4/reorder.ts';

/** Without a picture for so long, sound alone decides where parts end. */
const PICTURE_MISSING_MS = 1_000;

/** One picture as it arrives; milliseconds of media time. */
export interface Picture {
  readonly data: Uint8Array;
  readonly isKeyframe: boolean;
  /** When it is decoded, and when it is shown. */
  readonly dts: number;
  readonly pts: number;
}

export interface Sound {
  readonly data: Uint8Array;
  readonly at: number;
  readonly duration: number;
}

/** What a part that has become too large ends with. */
export const MAX_PART_BYTES = 32 * 1024 * 1024;
/** The same for a segment: half of what is kept of a rendition. Where time stands still nothing can be cut, and so much is thrown away. */
export const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * Cuts one rendition into parts and segments. Pictures decide; where there are none, sound does. A part is handed out when
 * what follows it shows where it ends. Pure: no clock, no muxing.
 */
export class Segmenter {
  readonly rule: CutRule;
  #tracks: Tracks;
  #video: Picture[] = [];
  #audio: Sound[] = [];
  #bytes = 0;
  /** The bytes of the parts that the segment to come has already. */
  #segmentBytes = 0;
  /** Where the part began; undefined before the first keyframe. */
  #start: number | undefined = undefined;
  #segmentStart = 0;
  #opens = true;
  #maxPts = -Infinity;
  #lastDts: number | undefined = undefined;
  #reorders = false;
  #firstComposition = 0;
  #delay: number | undefined = undefined;

  constructor(tracks: Tracks, options: CutOptions) {
    this.#tracks = tracks;
    this.rule = new CutRule(options);
  }

  /** The bytes of the part to come. */
  get bytes(): number {
    return this.#bytes;
  }

  get tracks(): Tracks {
    return this.#tracks;
  }

  /** It has begun with something. */
  get isRunning(): boolean {
    return this.#start !== undefined;
  }

  /** How much of the segment to come there is. */
  get segmentElapsed(): number {
    return this.#start === undefined ? 0 : Math.max(0, this.#maxPts - this.#segmentStart);
  }

  /** What comes next does not continue what was: ends the segment. */
  interrupt(tracks: Tracks): PartPlan | undefined {
    const last = this.flush();
    this.#tracks = tracks;
    this.#maxPts = -Infinity;
    this.#lastDts = undefined;
    this.#reorders = false;
    this.#delay = undefined;
    this.rule.reset();
    return last;
  }

  /** Ends part and segment with what there is. */
  flush(): PartPlan | undefined {
    const end = this.#ending();
    const last = this.#start === undefined || end === undefined ? undefined : this.#cut(end, true, Infinity);
    this.#start = undefined;
    this.#opens = true;
    this.#forget();
    return last;
  }

  addVideo(picture: Picture): PartPlan | undefined {
    if (this.#start === undefined) {
      if (!picture.isKeyframe) return undefined;
      this.#begin(picture.pts);
      this.rule.note(picture.pts, true);
      this.#firstComposition = picture.pts - picture.dts;
      this.#audio = this.#audio.filter(({ at }) => at >= picture.pts - 1);
    }
    // One that should have been in the part before is shown as the first of this one.
    const shown = late(picture, this.#start!);
    const part =
      shown.pts > this.#maxPts && this.#video.length + this.#audio.length > 0 ? this.#cutBefore(shown) : undefined;
    this.#reorders ||= shown.pts < this.#maxPts;
    this.#maxPts = Math.max(this.#maxPts, shown.pts);
    this.#lastDts = shown.dts;
    this.#video.push(shown);
    this.#bytes += costOf(shown);
    this.#dropIfStuck();
    return part;
  }

  addAudio(sound: Sound): PartPlan | undefined {
    if (this.#start === undefined && this.#tracks.video === undefined) this.#begin(sound.at);
    const part = this.#leads(sound) ? this.#cutAt(sound.at, this.#tracks.video === undefined) : undefined;
    this.#audio.push(sound);
    this.#bytes += costOf(sound);
    if (this.#start === undefined) this.#dropOldSound(sound.at);
    this.#dropIfStuck();
    return part;
  }

  #begin(at: number): void {
    this.#start = at;
    this.#segmentStart = at;
  }

  /** Before the first keyframe: it may be the sound beside it, but nothing longer ago. */
  #dropOldSound(now: number): void {
    while (this.#audio.length > 0 && this.#audio[0]!.at < now - PICTURE_MISSING_MS) {
      this.#bytes -= costOf(this.#audio.shift()!);
    }
  }

  #leads({ at }: Sound): boolean {
    if (this.#start === undefined || this.#audio.length + this.#video.length === 0) return false;
    return this.#tracks.video === undefined || at - this.#maxPts > PICTURE_MISSING_MS;
  }

  #cutBefore(picture: Picture): PartPlan | undefined {
    const step = this.#lastDts === undefined ? 0 : picture.dts - this.#lastDts;
    const isInOrder = !this.#reorders || this.#maxPts === -Infinity;
    const next = isInOrder ? picture.pts : Math.min(picture.pts, this.#maxPts + Math.max(1, step));
    return this.#cutAt(Math.max(next, this.#start!), picture.isKeyframe);
  }

  #cutAt(at: number, isKeyframe: boolean): PartPlan | undefined {
    this.rule.note(at, isKeyframe);
    const elapsed = at - this.#segmentStart;
    const isTooLarge = this.#segmentBytes + this.#bytes > MAX_SEGMENT_BYTES;
    const ends = isTooLarge || (isKeyframe && this.rule.endsSegment(elapsed)) || this.rule.mustEndSegment(elapsed);
    const endsPart = this.rule.endsPart(at - this.#start!) || this.#bytes > MAX_PART_BYTES;
    // Best at a part's beginning; but a part too short for that may have it inside.
    const isKeyPicture = isKeyframe && this.#tracks.video !== undefined && this.rule.isLongPart(at - this.#start!);
    if (!ends && !endsPart && !isKeyPicture) return undefined;
    return at > this.#start! ? this.#cut(at, ends, at) : undefined;
  }

  #cut(end: number, closes: boolean, soundBefore: number): PartPlan {
    const start = this.#start!;
    const step = Math.max(1, end - (this.#video.length > 0 ? this.#maxPts : end));
    const video: Coded[] = this.#video.map(({ data, isKeyframe, pts }) => ({
      data,
      isKeyframe,
      at: pts,
      duration: step,
    }));
    const audio: Coded[] = [];
    const later: Sound[] = [];
    for (const sound of this.#audio) {
      if (sound.at < soundBefore) audio.push({ ...sound, isKeyframe: true });
      else later.push(sound);
    }
    const independent = this.#tracks.video === undefined || video[0]?.isKeyframe === true;
    const holdsKeyframe = independent || video.some(({ isKeyframe }) => isKeyframe);
    this.#delay ??= reorderDelay(video, this.#firstComposition);
    const times = { start, duration: end - start, delay: this.#delay };
    const kind = { independent, holdsKeyframe, opens: this.#opens, closes };
    this.#opens = closes;
    this.#start = end;
    if (closes) this.#segmentStart = end;
    this.#segmentBytes = closes ? 0 : this.#segmentBytes + this.#bytes;
    this.#forget(later);
    return { tracks: this.#tracks, video, audio, ...times, ...kind };
  }

  #forget(later: Sound[] = []): void {
    this.#video = [];
    this.#audio = later;
    this.#bytes = later.reduce((sum, sound) => sum + costOf(sound), 0);
  }

  /** Without time that passes there is no part: what came since the last one goes, and the next keyframe begins anew. */
  #dropIfStuck(): void {
    if (this.#bytes <= MAX_SEGMENT_BYTES + MAX_PART_BYTES) return;
    this.#start = undefined;
    this.#opens = true;
    this.#segmentBytes = 0;
    this.#forget();
  }

  /** The end of the last picture, or sound. */
  #ending(): number | undefined {
    const sound = this.#audio.at(-1);
    if (this.#video.length === 0) return sound && sound.at + sound.duration;
    const step = this.#video.length > 1 ? (this.#maxPts - this.#start!) / (this.#video.length - 1) : 40;
    return this.#maxPts + Math.min(1_000, Math.max(1, step));
  }
}

function late(picture: Picture, start: number): Picture {
  return picture.pts >= start ? picture : { ...picture, pts: start };
}
