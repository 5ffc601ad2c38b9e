import type { Frame } from '../../media/index.ts';
import { ConfigStore, MAX_CONFIG_BYTES, MAX_CONFIGS } from '../../hub/index.ts';
import { StreamClock, type Placed } from '../stream-clock.ts';

export interface SplitOptions {
  /** From this length on the next keyframe begins another file. Infinity: never. */
  readonly splitMs: number;
  /** The same by size, of payload and FLV's tags. */
  readonly splitBytes: number;
  /** Whether a track may appear in the middle of a file: FLV has no table of them. */
  readonly tracksMayAppear: boolean;
}

/** What is to be done with a frame. `at`: milliseconds from the file's beginning. */
export type RecordingStep =
  | { readonly type: 'open'; readonly headers: readonly Frame[] }
  | { readonly type: 'write'; readonly frame: Frame; readonly at: number };

/** After so long without a picture, a stream is one of sound, and its files may begin with any packet. */
const VIDEO_GONE_MS = 10_000;

/** Sound that may wait for a stream's first picture: some four seconds of AAC. */
const MAX_EARLY = 200;
/** The same in bytes: FLAC of six channels. */
const MAX_EARLY_BYTES = 4 * 1024 * 1024;

/** Nobody stays silent for more than a minute and is still there (`limits.pingAfter`): a step further ahead is a clock that was set. */
const CLOCK = { origin: 0, behindMs: 1_000, aheadMs: 60_000 };

/** A tag's head and its back pointer. */
const TAG_BYTES = 15;

/**
 * Where one recording's files begin and end. Every file begins at a keyframe of the leading video track (a stream without video:
 * at any packet of sound), with all configurations before it, and its time begins at 0. A decoder configuration that
 * changes begins another file; so does a publisher's clock that is set.
 */
export class RecordingPlan {
  readonly #options: SplitOptions;
  readonly #clock = new StreamClock(CLOCK);
  /** What holds in the stream. */
  readonly #configs = new ConfigStore();
  /** What the present file was told. */
  #told = new ConfigStore();
  /** Changed configurations that wait for what comes next: a keyframe (another file) or not. */
  #held: Frame[] = [];
  #isOpen = false;
  /** What came before the first picture of all; undefined once there is a file. */
  #early: { readonly frame: Frame; readonly at: number }[] | undefined = [];
  #earlyBytes = 0;
  #mustSplit = false;
  #start = 0;
  #bytes = 0;
  #hasVideo = false;
  #hasDefaultTrack = false;
  #lastVideoAt = 0;

  constructor(options: SplitOptions) {
    this.#options = options;
  }

  /** The file could not be written: the next keyframe begins another one. */
  abandon(): void {
    this.#isOpen = false;
  }

  take(frame: Frame): readonly RecordingStep[] {
    if (frame.isConfig && frame.configKey !== undefined) return this.#config(frame, frame.configKey);
    const { at, jumped } = this.#place(frame);
    if (jumped) this.#mustSplit = true;
    this.#note(frame, at);
    const begins = this.#isStart(frame, at) && (!this.#isOpen || this.#isDue(at));
    if (begins) return this.#begin(frame, at);
    if (!this.#isOpen) return this.#keep(frame, at);
    return [...this.#release(frame.kind, at), this.#write(frame, at)];
  }

  #place({ kind, timestamp }: Frame): Placed {
    const { now } = this.#clock;
    if (kind === 'data') return { at: this.#clock.placeData(timestamp), jumped: false };
    return this.#clock.place(timestamp) ?? { at: now, jumped: false };
  }

  #config(frame: Frame, key: string): readonly RecordingStep[] {
    // It goes by as it is: nobody remembers one so long.
    if (frame.payload.length > MAX_CONFIG_BYTES) return this.#isOpen ? [this.#write(frame, this.#clock.now)] : [];
    this.#configs.remember(frame);
    if (frame.kind === 'video') this.#note(frame, this.#clock.now);
    const told = this.#told.get(key);
    if (!this.#isOpen || told?.payload.equals(frame.payload) === true) return [];
    const isHeader = /:(?:header|mpeg2ts)$/.test(key);
    if (!isHeader || (told === undefined && this.#options.tracksMayAppear)) return [this.#tell(frame, this.#clock.now)];
    this.#held = [...this.#held.filter(({ configKey }) => configKey !== key), frame].slice(-MAX_CONFIGS);
    this.#mustSplit = true;
    return [];
  }

  /** No keyframe follows a changed configuration: what it is for needs it all the same. */
  #release(kind: Frame['kind'], at: number): RecordingStep[] {
    if (this.#held.length === 0) return [];
    const due = this.#held.filter((frame) => frame.kind === kind);
    this.#held = this.#held.filter((frame) => frame.kind !== kind);
    return due.map((frame) => this.#tell(frame, at));
  }

  #begin(frame: Frame, at: number): RecordingStep[] {
    const early = this.#early ?? [];
    this.#early = undefined;
    const steps = [this.#open(Math.min(at, ...early.map((one) => one.at)))];
    for (const one of early) steps.push(this.#write(one.frame, one.at));
    steps.push(this.#write(frame, at));
    return steps;
  }

  /** Publishers begin with sound as often as with pictures; in the middle of a stream nothing is missed by waiting. */
  #keep(frame: Frame, at: number): [] {
    if (this.#early === undefined || frame.kind === 'video') return [];
    this.#early.push({ frame, at });
    this.#earlyBytes += frame.payload.length;
    while (this.#early.length > MAX_EARLY || this.#earlyBytes > MAX_EARLY_BYTES) {
      this.#earlyBytes -= this.#early.shift()!.frame.payload.length;
    }
    return [];
  }

  #open(at: number): RecordingStep {
    const headers = this.#configs.list();
    this.#told = new ConfigStore();
    for (const header of headers) this.#told.remember(header);
    this.#held = [];
    this.#isOpen = true;
    this.#mustSplit = false;
    this.#start = at;
    this.#bytes = headers.reduce((sum, { payload }) => sum + payload.length + TAG_BYTES, 0);
    return { type: 'open', headers };
  }

  #tell(frame: Frame, at: number): RecordingStep {
    this.#told.remember(frame);
    return this.#write(frame, at);
  }

  /** Sound may come a little after a keyframe of a later time: nothing is before a file's beginning. */
  #write(frame: Frame, at: number): RecordingStep {
    this.#bytes += frame.payload.length + TAG_BYTES;
    return { type: 'write', frame, at: Math.max(0, at - this.#start) };
  }

  #note(frame: Frame, at: number): void {
    if (frame.kind !== 'video') return;
    this.#hasVideo = true;
    this.#lastVideoAt = at;
    if (frame.track === 0) this.#hasDefaultTrack = true;
  }

  #isStart(frame: Frame, at: number): boolean {
    if (frame.kind === 'video') return frame.isKeyframe && (frame.track === 0 || !this.#hasDefaultTrack);
    return frame.kind === 'audio' && (!this.#hasVideo || at - this.#lastVideoAt > VIDEO_GONE_MS);
  }

  #isDue(at: number): boolean {
    const { splitMs, splitBytes } = this.#options;
    return this.#mustSplit || at - this.#start >= splitMs || this.#bytes >= splitBytes;
  }
}
