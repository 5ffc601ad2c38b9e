import type { Tracks } from '../fmp4/coded.ts';
import type { PartPlan } from './part-plan.ts';
import type { Muxed } from '../fmp4/muxer.ts';
import type { FairShare } from '../../hub/index.ts';

/** A delta update leaves out what is older than so many target durations (RFC 8216bis, 4.4.3.8: at least six). */
export const SKIP_AFTER = 6;

/** One part of a segment. */
export interface Part {
  readonly bytes: Buffer;
  /** Seconds. */
  readonly duration: number;
  /** A keyframe is in it. */
  readonly independent: boolean;
}

/** One segment: whole, or still growing at its end. */
export interface Segment {
  readonly sequence: number;
  /** How many discontinuities there were before it, itself included. */
  readonly discontinuities: number;
  /** How many of them are right before it: more than one where other renditions had something in between. */
  readonly breaks: number;
  readonly independent: boolean;
  /** Number of the initialisation it needs. */
  readonly init: number;
  /** When its first picture came here, milliseconds since 1970. */
  readonly programTime: number;
  readonly parts: Part[];
  pictures: number;
  duration: number;
  bytes: number;
  closed: boolean;
}

/** What a playlist is written from. */
export interface SegmentWindowView {
  readonly segments: readonly Segment[];
  /** Discontinuities before the first segment. */
  readonly discontinuitySequence: number;
  /** Sequence number of the segment that comes, or grows. */
  readonly nextSequence: number;
  /** Seconds. */
  readonly targetDuration: number;
  readonly partTarget: number;
  readonly ended: boolean;
  /** The playlist has been long enough for delta updates; it goes on saying so. */
  readonly canSkip: boolean;
}

export interface SegmentWindowOptions {
  readonly window: number;
  readonly maxBytes: number;
  readonly partMs: number;
  /** Numbers that no earlier window of this stream has reached: milliseconds since 1970 will do. */
  readonly birth: number;
  /**
   * How many discontinuities there were before. Not a number of the clock: hls.js keeps an array with this as its index, and walks it
   * (1.7.4 hangs for good at 1.8 thousand million).
   */
  readonly discontinuities: number;
}

/**
 * What is kept of one rendition: the segments of the playlist, as many that have left it, and initialisations. Sequence numbers
 * begin at the seconds of the clock: they grow slower than it, so that whoever comes after, in this process or the next, is never behind.
 */
export class SegmentWindow {
  readonly #options: SegmentWindowOptions;
  readonly #memory: FairShare;
  readonly #segments: Segment[] = [];
  readonly #inits = new Map<number, Buffer>();
  #sequence: number;
  #initNumber: number;
  #discontinuities: number;
  #targetDuration: number | undefined = undefined;
  #bytes = 0;
  #longestPart = 0;
  #partTarget: number | undefined = undefined;
  #peak = 0;
  #ended = false;
  #canSkip = false;
  tracks: Tracks | undefined = undefined;
  /** Another number with every part, and at the end. */
  version = 0;

  constructor(options: SegmentWindowOptions, memory: FairShare) {
    this.#options = options;
    this.#memory = memory;
    this.#sequence = Math.floor(options.birth / 1000);
    this.#discontinuities = options.discontinuities;
    this.#initNumber = this.#sequence;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Seconds of all that there is. */
  get duration(): number {
    return this.#segments.reduce((sum, { duration }) => sum + duration, 0);
  }

  /** At least one segment is whole. */
  get hasSegment(): boolean {
    return this.#segments[0]?.closed === true;
  }

  /** Pictures a second in the segments kept. */
  get frameRate(): number {
    const pictures = this.#segments.reduce((sum, segment) => sum + segment.pictures, 0);
    return pictures / Math.max(0.1, this.duration);
  }

  /** Bits per second: the highest of any segment so far, and the mean of those kept. */
  bandwidth(): { readonly peak: number; readonly average: number } {
    const seconds = Math.max(0.1, this.duration);
    const average = Math.ceil((this.#segments.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / seconds);
    return { peak: Math.max(this.#peak, average), average };
  }

  /** Seconds; once it is said it stays. `suggested`: what is known of the publisher's keyframes. */
  settleTarget(suggested: number): number {
    return (this.#targetDuration ??= this.#targetFrom(suggested));
  }

  /** Settles how long parts are at most, seconds. It changes only if one has turned out longer: a picture came very late. */
  settlePart(target: number): void {
    this.#partTarget ??= target;
  }

  get targetDuration(): number | undefined {
    return this.#targetDuration;
  }

  /** Puts a muxed part in its place. `programTime`: when its first picture came; `breaks`: discontinuities of the stream by then. */
  add(plan: PartPlan, { init, data }: Muxed, programTime: number, breaks: number): void {
    this.tracks = plan.tracks;
    const segment = this.#segmentFor(plan, init, programTime, breaks);
    const duration = plan.duration / 1000;
    segment.parts.push({ bytes: data, duration, independent: plan.holdsKeyframe });
    segment.duration += duration;
    segment.bytes += data.length;
    segment.pictures += plan.video.length;
    this.#longestPart = Math.max(this.#longestPart, duration);
    this.#change(data.length);
    if (plan.closes) this.#close(segment);
    this.#trim();
    this.version++;
  }

  /** Nothing is added to the last segment any more. */
  closeOpenSegment(): void {
    const last = this.#segments.at(-1);
    if (last !== undefined && !last.closed) this.#close(last);
    this.version++;
  }

  end(): void {
    this.closeOpenSegment();
    this.#ended = true;
  }

  /** Settles nothing: whoever asks for a file that was never announced has no say in how long segments are. */
  view(): SegmentWindowView {
    const shown = this.#shown();
    const targetDuration = this.#targetDuration ?? this.#targetFrom(1);
    // The first and the last may both be on the boundary: only what is longer than that ever has something to leave out.
    this.#canSkip ||= shown.reduce((sum, { duration }) => sum + duration, 0) > (SKIP_AFTER + 1) * targetDuration;
    const first = shown[0];
    const last = this.#segments.at(-1);
    return {
      segments: shown,
      discontinuitySequence: first === undefined ? this.#discontinuities : first.discontinuities - first.breaks,
      nextSequence: last === undefined || last.closed ? this.#sequence : last.sequence,
      targetDuration,
      partTarget: Math.max(this.#partTarget ?? this.#options.partMs / 1000, this.#longestPart),
      ended: this.#ended,
      canSkip: this.#canSkip,
    };
  }

  /**
   * Whether the playlist has this segment, or this part of it, or is past it. A part behind the last one of a whole segment is the
   * first one of the next (RFC 8216bis, 6.2.5.2).
   */
  has(sequence: number, part: number | undefined): boolean {
    const last = this.#segments.at(-1);
    if (last === undefined) return false;
    if (sequence !== last.sequence) return sequence < last.sequence;
    return part === undefined ? last.closed : last.parts.length > part;
  }

  /** No part of this number will come any more. */
  isPast(sequence: number, part: number): boolean {
    return this.#ended || this.has(sequence, part) || this.segment(sequence)?.closed === true;
  }

  /** The number of the newest segment, whole or not, and of its last part; undefined before there is one. */
  get tip(): { readonly sequence: number; readonly part: number } | undefined {
    const last = this.#segments.at(-1);
    return last && { sequence: last.sequence, part: last.parts.length - 1 };
  }

  /** The sequence number of the newest segment, whole or not. */
  get newest(): number {
    return this.#segments.at(-1)?.sequence ?? this.#sequence - 1;
  }

  segment(sequence: number): Segment | undefined {
    const first = this.#segments[0];
    return first === undefined ? undefined : this.#segments[sequence - first.sequence];
  }

  init(number: number): Buffer | undefined {
    return this.#inits.get(number);
  }

  clear(): void {
    this.#change(-this.#bytes);
    this.#segments.length = 0;
  }

  #targetFrom(suggested: number): number {
    const longest = Math.max(suggested, ...this.#segments.map(({ duration }) => duration));
    return Math.max(1, Math.round(longest));
  }

  /** Segments of the playlist: the window's whole ones and the one that grows. */
  #shown(): readonly Segment[] {
    const open = this.#segments.at(-1)?.closed === false ? 1 : 0;
    return this.#segments.slice(-(this.#options.window + open));
  }

  #segmentFor(plan: PartPlan, init: Buffer, programTime: number, breaks: number): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined && !last.closed && !plan.opens) return last;
    if (last !== undefined && !last.closed) this.#close(last);
    const former = last?.discontinuities ?? breaks;
    this.#discontinuities = breaks;
    const segment = {
      sequence: this.#sequence++,
      discontinuities: breaks,
      breaks: breaks - former,
      independent: plan.independent,
      init: this.#keepInit(init, breaks > former),
      programTime,
      parts: [],
      pictures: 0,
      duration: 0,
      bytes: 0,
      closed: false,
    };
    this.#segments.push(segment);
    return segment;
  }

  /** The times in it differ from one muxer to the next; what decoders need is the same as long as nothing is interrupted. */
  #keepInit(init: Buffer, isNew: boolean): number {
    if (isNew || this.#inits.size === 0) this.#inits.set(++this.#initNumber, init);
    return this.#initNumber;
  }

  #close(segment: Segment): void {
    segment.closed = true;
    if (segment.duration > 0.2) this.#peak = Math.max(this.#peak, Math.ceil((segment.bytes * 8) / segment.duration));
  }

  #trim(): void {
    const { window, maxBytes } = this.#options;
    const isTooMuch = (): boolean => this.#bytes > maxBytes || this.#memory.refuses(this.#bytes);
    while (this.#segments.length > 2 * window + 1 || (this.#segments.length > 1 && isTooMuch())) {
      this.#change(-this.#segments.shift()!.bytes);
    }
    const oldest = this.#segments[0]?.init ?? 0;
    for (const number of this.#inits.keys()) if (number < oldest) this.#inits.delete(number);
  }

  #change(bytes: number): void {
    this.#memory.change(this.#bytes, this.#bytes + bytes);
    this.#bytes += bytes;
  }
}
