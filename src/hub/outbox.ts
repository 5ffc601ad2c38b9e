import { compareTimestamps, type Frame } from '../media/index.ts';
import { MAX_CONFIGS } from './config-store.ts';
import { FrameRing } from './frame-ring.ts';
import { KeyframeGate, VideoSense } from './keyframe-gate.ts';

/** Bounds of what may wait for one player. */
export interface OutboxLimits {
  readonly maxFrames: number;
  readonly maxBytes: number;
  readonly maxDurationMs: number;
}

/**
 * Each above what a joiner is given at once (GOP_DEFAULTS), or joining itself would overflow it. MediaMTX queues 512 packets,
 * nginx-rtmp 256 messages, but neither replays a group of pictures through its queue. The frames are shared with all other
 * players of the stream, so a long queue costs references, and the memory of one stretch of stream however many are slow.
 */
export const OUTBOX_DEFAULTS: OutboxLimits = Object.freeze({
  /** 30 s of 60 pictures and 47 packets of 48 kHz AAC a second, and some data. */
  maxFrames: 4096,
  /** Twice the group of pictures. */
  maxBytes: 32 * 1024 * 1024,
  /** Ten seconds more than the longest group of pictures: who lags that far behind is better served by a jump. */
  maxDurationMs: 30_000,
});

/** A step in time beyond this, either way, is the publisher's clock being set, not time that waits in the queue. */
const JUMP_MS = 10_000;

/** The part of the queue that data frames may fill and still survive an overflow: ad markers are few and dear. */
const DATA_SHARE = 1 / 8;

/** After an overflow the queue is this full at most, or the next frames would overflow it again, each at the full cost. */
const FULL_AFTER = 3 / 4;

/**
 * One player's bounded queue of frames. When it is full it lets go of whole stretches, from the oldest up to a keyframe, so
 * that what comes out can always be decoded: a picture is never handed over after one it refers to was dropped.
 * Configurations stay (the newest of each key), and so do data frames unless they are what fills the queue.
 * A stream without video has no such places and loses its oldest frames.
 */
export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #sense = new VideoSense();
  readonly #gate = new KeyframeGate(this.#sense, 'open');
  #ring = new FrameRing();
  #bytes = 0;
  #dropped = 0;
  #clock = 0;
  #lastTimestamp: number | undefined = undefined;

  /** `sense`: what is known of the stream so far, by frames that did not have to wait. */
  constructor(limits: Partial<OutboxLimits> = {}, sense?: VideoSense) {
    this.#limits = { ...OUTBOX_DEFAULTS, ...limits };
    if (sense !== undefined) this.#sense.adopt(sense);
  }

  /** How many frames wait. */
  get frames(): number {
    return this.#ring.length;
  }

  /** Payload bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Stream time between the oldest and the newest frame that wait. */
  get durationMs(): number {
    const { length } = this.#ring;
    return length === 0 ? 0 : this.#ring.clockAt(length - 1) - this.#ring.clockAt(0);
  }

  /** Frames that this player was to get and did not; replaced configurations are not counted. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Nothing waits and nothing was ever dropped: frames may as well pass it by. */
  get isIdle(): boolean {
    return this.#ring.length === 0 && this.#gate.isOpen;
  }

  push(frame: Frame): void {
    this.#sense.note(frame);
    this.#advance(frame);
    if (!this.#gate.admits(frame)) {
      this.#dropped++;
      return;
    }
    this.#add(frame, this.#clock);
    if (this.#isOver()) this.#shed();
  }

  /** The oldest frames, as many as `maxBytes` of payload allow, but at least one if any waits. */
  take(maxBytes: number): Frame[] {
    const taken: Frame[] = [];
    let room = maxBytes;
    while (this.#ring.length > 0) {
      const size = this.#ring.frameAt(0).payload.length;
      if (taken.length > 0 && size > room) break;
      room -= size;
      this.#bytes -= size;
      taken.push(this.#ring.shift());
    }
    return taken;
  }

  /** Forgets all that waits, uncounted. To be followed by `Subscription.restart()`, or what comes next lacks its references. */
  clear(): void {
    this.#ring = new FrameRing();
    this.#bytes = 0;
  }

  #advance(frame: Frame): void {
    if (frame.kind === 'data' || frame.isConfig) return;
    const step = this.#lastTimestamp === undefined ? 0 : compareTimestamps(frame.timestamp, this.#lastTimestamp);
    if (Math.abs(step) <= JUMP_MS) this.#clock += step;
    this.#lastTimestamp = frame.timestamp;
  }

  #add(frame: Frame, clock: number): void {
    this.#ring.push(frame, clock);
    this.#bytes += frame.payload.length;
  }

  #isOver(): boolean {
    const { maxFrames, maxBytes, maxDurationMs } = this.#limits;
    return this.#ring.length > maxFrames || this.#bytes > maxBytes || this.durationMs > maxDurationMs;
  }

  /** Drops from the oldest up to the first place from which the rest can be decoded and leaves room; all if there is none. */
  #shed(): void {
    const old = this.#ring;
    const kept = new Survivors(this.#limits);
    const cut = this.#cut(kept);
    const clock = cut < old.length ? old.clockAt(cut) : this.#clock;
    this.#dropped += cut - kept.frames - kept.replaced;
    this.clear();
    for (const frame of kept.list()) this.#add(frame, clock);
    this.#gate.close();
    for (let i = cut; i < old.length; i++) {
      if (this.#gate.admits(old.frameAt(i))) this.#add(old.frameAt(i), old.clockAt(i));
      else this.#dropped++;
    }
  }

  /** How many frames go; those of them that survive are left in `kept`. */
  #cut(kept: Survivors): number {
    let bytes = this.#bytes;
    for (let i = 0; i < this.#ring.length; i++) {
      const frame = this.#ring.frameAt(i);
      if (this.#isPlaceToStart(frame) && this.#leavesRoom(i, bytes, kept)) return i;
      bytes -= frame.payload.length;
      kept.add(frame);
    }
    return this.#ring.length;
  }

  #isPlaceToStart(frame: Frame): boolean {
    return !this.#sense.expectsVideo || this.#sense.isStart(frame);
  }

  /** Whether the queue would be empty enough with the survivors and, from `index` on, the `bytes` that remain. */
  #leavesRoom(index: number, bytes: number, kept: Survivors): boolean {
    const { maxFrames, maxBytes, maxDurationMs } = this.#limits;
    return (
      this.#ring.length - index <= Math.ceil((maxFrames - kept.frames) * FULL_AFTER) &&
      bytes <= (maxBytes - kept.bytes) * FULL_AFTER &&
      this.#clock - this.#ring.clockAt(index) <= maxDurationMs * FULL_AFTER
    );
  }
}

/** What an overflow spares of the frames before its cut, in their order: configurations, and data if it is not too much. */
class Survivors {
  readonly #maxData: number;
  readonly #maxDataBytes: number;
  /** Configurations by their key, data by a running number. */
  readonly #frames = new Map<string | number, Frame>();
  #configs = 0;
  #data = 0;
  #dataBytes = 0;
  #bytes = 0;
  #replaced = 0;

  constructor(limits: OutboxLimits) {
    this.#maxData = limits.maxFrames * DATA_SHARE;
    this.#maxDataBytes = limits.maxBytes * DATA_SHARE;
  }

  get frames(): number {
    return this.#frames.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Configurations that a newer one of their key made superfluous. */
  get replaced(): number {
    return this.#replaced;
  }

  list(): Iterable<Frame> {
    return this.#frames.values();
  }

  add(frame: Frame): void {
    if (frame.isConfig && frame.configKey !== undefined) this.#addConfig(frame.configKey, frame);
    else if (frame.kind === 'data') this.#addData(frame);
  }

  #addConfig(key: string, frame: Frame): void {
    if (this.#remove(key)) this.#replaced++;
    else this.#configs++;
    this.#set(key, frame);
    // As many as a channel keeps.
    if (this.#configs > MAX_CONFIGS) this.#removeOldestConfig();
  }

  /** Once there was too much data, none is spared: what comes later is part of the same flood. */
  #addData(frame: Frame): void {
    this.#dataBytes += frame.payload.length;
    this.#data++;
    if (this.#data <= this.#maxData && this.#dataBytes <= this.#maxDataBytes) this.#set(this.#data, frame);
    else for (const key of this.#frames.keys()) if (typeof key === 'number') this.#remove(key);
  }

  #removeOldestConfig(): void {
    for (const key of this.#frames.keys()) {
      if (typeof key !== 'string') continue;
      this.#remove(key);
      this.#configs--;
      return;
    }
  }

  #set(key: string | number, frame: Frame): void {
    this.#frames.set(key, frame);
    this.#bytes += frame.payload.length;
  }

  #remove(key: string | number): boolean {
    const frame = this.#frames.get(key);
    if (frame === undefined) return false;
    this.#bytes -= frame.payload.length;
    return this.#frames.delete(key);
  }
}
