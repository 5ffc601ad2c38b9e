import type { Frame } from '../../src/media/index.ts';
import { aacHeader, audio, avcHeader, cuePoint, inter, key, metadata, trackHeader, trackVideo } from './frames.ts';
import type { SeededRandom } from './random.ts';

/** What one frame of a generated stream depends on. Frames are known by their payload, which retiming keeps. */
interface Origin {
  readonly index: number;
  /** The frame of the same track that must have been decoded just before, if it is no keyframe. */
  readonly refersTo: Buffer | undefined;
  /** The keyframe of the default track that sound belongs behind. */
  readonly group: Buffer | undefined;
  /** The configurations that hold for it. */
  readonly configs: readonly Frame[];
}

export interface SourceShape {
  readonly video: boolean;
  readonly audio: boolean;
  /** Extra video tracks, numbered from 1. */
  readonly tracks: number;
}

/** A random but sound stream: headers first, then keyframes, pictures, sound, data and now and then another header. */
export class Source {
  readonly shape: SourceShape;
  readonly #random: SeededRandom;
  readonly #origins = new WeakMap<Buffer, Origin>();
  readonly #configs = new Map<string, Frame>();
  readonly #lastOfTrack = new Map<number, Buffer>();
  readonly #opening: Frame[];
  #group: Buffer | undefined = undefined;
  #index = 0;
  #time: number;

  constructor(random: SeededRandom, shape: SourceShape, time: number) {
    this.shape = shape;
    this.#random = random;
    this.#time = time;
    this.#opening = [metadata(time)];
    if (shape.video) this.#opening.push(avcHeader(time));
    for (let track = 1; track <= shape.tracks; track++) this.#opening.push(trackHeader(track, time));
    if (shape.audio) this.#opening.push(aacHeader(time));
  }

  /** The next frame of the stream. */
  next(): Frame {
    const frame = this.#opening.shift() ?? this.#make();
    const isVideo = frame.kind === 'video' && !frame.isConfig;
    if (frame.isKeyframe && frame.track === 0) this.#group = frame.payload;
    this.#origins.set(frame.payload, {
      index: this.#index++,
      refersTo: isVideo && !frame.isKeyframe ? this.#lastOfTrack.get(frame.track) : undefined,
      group: this.#group,
      configs: [...this.#configs.values()],
    });
    if (isVideo) this.#lastOfTrack.set(frame.track, frame.payload);
    if (frame.configKey !== undefined) this.#configs.set(frame.configKey, frame);
    return frame;
  }

  originOf(frame: Frame): Origin {
    const origin = this.#origins.get(frame.payload);
    if (origin === undefined) throw new Error('a frame that was never sent');
    return origin;
  }

  #make(): Frame {
    const { video, audio: sound, tracks } = this.shape;
    const random = this.#random;
    const dice = random.int(100);
    const mark = random.int(256);
    if (video && !this.#lastOfTrack.has(0)) return key(this.#step(), mark);
    if (dice < 3) return cuePoint(this.#time, mark, random.int(30));
    if (dice < 5) return this.#header(mark);
    if (!video || (sound && dice < 45)) return audio(this.#step(), mark, 3 + random.int(30));
    if (tracks > 0 && dice < 65) {
      const track = 1 + random.int(tracks);
      return trackVideo(this.#begins(track) ? 'key' : 'inter', track, this.#time, mark);
    }
    return this.#begins(0)
      ? key(this.#step(), mark, 40 + random.int(200))
      : inter(this.#step(), mark, 6 + random.int(60));
  }

  #begins(track: number): boolean {
    return !this.#lastOfTrack.has(track) || this.#random.int(12) === 0;
  }

  #header(mark: number): Frame {
    const { video, audio: sound } = this.shape;
    const choices = [() => metadata(this.#time, mark), ...(sound ? [() => aacHeader(this.#time, mark)] : [])];
    if (video) choices.push(() => avcHeader(this.#time, mark));
    return this.#random.pick(choices)();
  }

  #step(): number {
    this.#time = (this.#time + this.#random.int(40)) >>> 0;
    return this.#time;
  }
}

/** A player that notices whatever a real decoder would stumble over; `accept` throws then. */
export class Decoder {
  readonly #source: Source;
  readonly #headerTimes: 'as sent' | 'of the first frame';
  readonly #configs = new Map<string, Frame>();
  readonly #lastOfTrack = new Map<number, Buffer>();
  readonly #groups = new Set<Buffer>();
  #lastIndex = -1;
  #started = false;
  frames = 0;
  configs = 0;

  constructor(source: Source, headerTimes: 'as sent' | 'of the first frame') {
    this.#source = source;
    this.#headerTimes = headerTimes;
  }

  accept(frame: Frame): void {
    if (frame.isConfig) {
      this.configs++;
      this.#configs.set(frame.configKey!, frame);
      return;
    }
    const origin = this.#source.originOf(frame);
    this.#require(origin.index > this.#lastIndex, 'order is lost');
    this.#lastIndex = origin.index;
    this.frames++;
    if (frame.kind === 'data') return;
    if (!this.#started) this.#checkStart(frame);
    this.#started = true;
    this.#checkConfigs(frame, origin);
    if (frame.kind === 'video') this.#checkPicture(frame, origin);
    else if (this.#source.shape.video) this.#require(this.#groups.has(origin.group!), 'sound without its keyframe');
  }

  #checkStart(frame: Frame): void {
    if (this.#source.shape.video) this.#require(frame.isKeyframe, 'the start is no keyframe');
    if (this.#headerTimes === 'as sent') return;
    for (const config of this.#configs.values()) {
      this.#require(config.timestamp === frame.timestamp, 'a header has another time than the first frame');
    }
  }

  #checkConfigs(frame: Frame, origin: Origin): void {
    for (const config of origin.configs) {
      if (config.kind !== frame.kind || config.track !== frame.track) continue;
      const held = this.#configs.get(config.configKey!);
      this.#require(held !== undefined && held.payload.equals(config.payload), 'a frame without its configuration');
    }
  }

  #checkPicture(frame: Frame, origin: Origin): void {
    const before = this.#lastOfTrack.get(frame.track);
    this.#require(
      frame.isKeyframe || (before !== undefined && before === origin.refersTo),
      'a picture without its reference',
    );
    this.#lastOfTrack.set(frame.track, frame.payload);
    if (frame.isKeyframe && frame.track === 0) this.#groups.add(frame.payload);
  }

  #require(holds: boolean, otherwise: string): void {
    if (!holds) throw new Error(otherwise);
  }
}
