import { compareTimestamps, retimed, type Frame } from '../media/index.ts';
import type { FairShare } from './fair-share.ts';

/** Bounds of the frames kept for players that join; a group of pictures that exceeds one is let go until the next keyframe. */
export interface GopLimits {
  readonly maxFrames: number;
  readonly maxBytes: number;
  readonly maxDurationMs: number;
}

export const GOP_DEFAULTS: GopLimits = Object.freeze({
  /** SRS keeps as many (`gop_cache_max_frames`): 24 s of 60 pictures and 43 packets of AAC a second. */
  maxFrames: 2500,
  /** 20 s of 6 Mbit/s, which is what the large platforms ask of 1080p60. */
  maxBytes: 16 * 1024 * 1024,
  /** Twice the 10 s that encoders left to themselves take at most (x264: 250 pictures, at 25 a second). */
  maxDurationMs: 20_000,
});

/** The frames since the last keyframe of the leading track, with the configurations that held when it came. */
export class Gop {
  readonly #limits: GopLimits;
  readonly #memory: FairShare;
  #headers: readonly Frame[] = [];
  #stamped: readonly Frame[] | undefined = undefined;
  #frames: Frame[] = [];
  #bytes = 0;

  constructor(limits: GopLimits, memory: FairShare) {
    this.#limits = limits;
    this.#memory = memory;
  }

  /** Oldest first, empty or beginning with a keyframe. Configurations that changed meanwhile stand where they came. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What a player needs before `frames`, at the time of the first of them. All joiners get the same objects. */
  headers(): readonly Frame[] {
    const first = this.#frames[0];
    if (first === undefined) return [];
    return (this.#stamped ??= this.#headers.map((header) => retimed(header, first.timestamp)));
  }

  /** Begins anew at `keyframe`. Keyframes of other tracks for the same instant may have come just before it: they stay. */
  begin(keyframe: Frame, headers: readonly Frame[]): void {
    let first = this.#frames.length;
    while (first > 0 && isTwin(this.#frames[first - 1]!, keyframe)) first--;
    const twins = this.#frames.slice(first);
    this.clear();
    this.#headers = headers;
    for (const frame of twins) this.#push(frame);
    this.#push(keyframe);
    this.#check();
  }

  /** Adds a frame that is no beginning; ignored while there is no keyframe to begin with. */
  add(frame: Frame): void {
    if (this.#frames.length === 0) return;
    this.#push(frame);
    this.#check();
  }

  /** Forgets what was stored under a configuration's key. */
  forget(configKey: string): void {
    const keeps = (frame: Frame): boolean => frame.configKey !== configKey;
    this.#headers = this.#headers.filter(keeps);
    this.#stamped = undefined;
    this.#frames = this.#frames.filter(keeps);
    this.#setBytes(this.#frames.reduce((sum, frame) => sum + frame.payload.length, 0));
  }

  clear(): void {
    this.#headers = [];
    this.#stamped = undefined;
    this.#frames = [];
    this.#setBytes(0);
  }

  #push(frame: Frame): void {
    this.#frames.push(frame);
    this.#setBytes(this.#bytes + frame.payload.length);
  }

  #setBytes(bytes: number): void {
    this.#memory.change(this.#bytes, bytes);
    this.#bytes = bytes;
  }

  #check(): void {
    const { maxFrames, maxBytes, maxDurationMs } = this.#limits;
    const frames = this.#frames;
    const last = frames[frames.length - 1]!;
    // Data and configurations may bear any time, as 0.
    const tellsTime = last.kind !== 'data' && !last.isConfig;
    const span = tellsTime ? compareTimestamps(last.timestamp, frames[0]!.timestamp) : 0;
    const isTooMuch = this.#bytes > maxBytes || this.#memory.refuses(this.#bytes);
    if (isTooMuch || frames.length > maxFrames || Math.abs(span) > maxDurationMs) this.clear();
  }
}

function isTwin(frame: Frame, keyframe: Frame): boolean {
  return frame.isKeyframe && frame.track !== keyframe.track && frame.timestamp === keyframe.timestamp;
}
