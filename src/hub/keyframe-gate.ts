import type { Frame } from '../media/index.ts';

/**
 * After this many audio frames in a row without a video frame, a stream counts as audio only, and its sound waits for no
 * keyframe any more. SRS guesses by the same number: some 2.5 s of AAC. A slide show that pauses longer only lets its sound
 * start early; its pictures still wait for their keyframe.
 */
export const AUDIO_ONLY_AFTER = 115;

/** Knows from the frames seen so far whether a stream has video, and which of its video tracks leads. */
export class VideoSense {
  #audioInARow = AUDIO_ONLY_AFTER;
  #hasDefaultTrack = false;
  #hasMedia = false;
  #hasPictures = false;

  /** To be told every frame of the stream, configurations too: a video header announces video. */
  note(frame: Frame): void {
    if (frame.kind === 'video') {
      this.#audioInARow = 0;
      this.#hasMedia = true;
      if (!frame.isConfig) this.#hasPictures = true;
      if (frame.track === 0) this.#hasDefaultTrack = true;
    } else if (frame.kind === 'audio') {
      this.#hasMedia = true;
      if (!frame.isConfig && this.#audioInARow < AUDIO_ONLY_AFTER) this.#audioInARow++;
    }
  }

  /** Video is to be expected: sound alone is no place to start. */
  get expectsVideo(): boolean {
    return this.#audioInARow < AUDIO_ONLY_AFTER;
  }

  /**
   * Sound has to wait for a keyframe. Not so before the first picture: who is there when a publisher begins gets its
   * sound from the first packet on, as it was sent.
   */
  get soundWaits(): boolean {
    return this.#hasPictures && this.expectsVideo;
  }

  /** Any sound or picture was seen: data alone is no place to start. */
  get hasMedia(): boolean {
    return this.#hasMedia;
  }

  /** A keyframe of the leading video track: the default one, or any as long as that has not been seen. */
  isStart(frame: Frame): boolean {
    return frame.isKeyframe && (frame.track === 0 || !this.#hasDefaultTrack);
  }

  /** Knows what `other` knows; from here on each learns for itself. */
  adopt(other: VideoSense): void {
    this.#audioInARow = other.#audioInARow;
    this.#hasDefaultTrack = other.#hasDefaultTrack;
    this.#hasMedia = other.#hasMedia;
    this.#hasPictures = other.#hasPictures;
  }

  /** Another publisher: nothing is known any more. */
  reset(): void {
    this.#audioInARow = AUDIO_ONLY_AFTER;
    this.#hasDefaultTrack = false;
    this.#hasMedia = false;
    this.#hasPictures = false;
  }
}

/**
 * Lets through what a decoder can use. Closed, it holds back each video track until that track's keyframe, and sound until
 * the leading track's, so that both start together; sound of a stream that has shown no picture yet passes at once. Configurations and data
 * always pass. It only judges: whoever refuses a video frame must `close` it for the frames that refer to it.
 */
export class KeyframeGate {
  readonly #sense: VideoSense;
  #everything: boolean;
  #sound = false;
  #defaultTrack = false;
  #otherTracks: Set<number> | undefined = undefined;

  constructor(sense: VideoSense, state: 'open' | 'closed') {
    this.#sense = sense;
    this.#everything = state === 'open';
  }

  /** Nothing is held back, nor will be: it was never closed. */
  get isOpen(): boolean {
    return this.#everything;
  }

  close(): void {
    this.#everything = false;
    this.#sound = false;
    this.#defaultTrack = false;
    this.#otherTracks = undefined;
  }

  /** Whether `frame` may pass; a keyframe opens the gate for what follows. */
  admits(frame: Frame): boolean {
    if (this.#everything || frame.isConfig || frame.kind === 'data') return true;
    if (frame.kind === 'audio') return this.#admitsSound();
    if (frame.isKeyframe) {
      this.#open(frame);
      return true;
    }
    if (frame.tracks !== undefined) return frame.tracks.every((track) => this.#isOpenFor(track));
    return this.#isOpenFor(frame.track);
  }

  #admitsSound(): boolean {
    this.#sound ||= !this.#sense.soundWaits;
    return this.#sound;
  }

  #isOpenFor(track: number): boolean {
    return track === 0 ? this.#defaultTrack : this.#otherTracks !== undefined && this.#otherTracks.has(track);
  }

  #open(keyframe: Frame): void {
    if (this.#sense.isStart(keyframe)) this.#sound = true;
    if (keyframe.tracks !== undefined) for (const track of keyframe.tracks) this.#openTrack(track);
    else this.#openTrack(keyframe.track);
  }

  #openTrack(track: number): void {
    if (track === 0) this.#defaultTrack = true;
    else (this.#otherTracks ??= new Set()).add(track);
  }
}
