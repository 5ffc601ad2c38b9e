import type { Frame } from '../media/index.ts';

/** A power of two. An idle player keeps room for a turn's worth of frames. */
const SMALLEST = 16;
/** Beyond this the memory of a bad moment is given back once the queue is empty. */
const LARGEST_KEPT = 256;

/** A first-in-first-out queue of frames, each with a clock reading beside it. No shifting, no allocation per frame. */
export class FrameRing {
  #frames = empty(SMALLEST);
  #clocks = zeros(SMALLEST);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(frame: Frame, clock: number): void {
    if (this.#length === this.#frames.length) this.#resize(this.#length * 2);
    const at = (this.#head + this.#length) & (this.#frames.length - 1);
    this.#frames[at] = frame;
    this.#clocks[at] = clock;
    this.#length++;
  }

  /** The frame at `index` from the oldest; the caller keeps within `length`. */
  frameAt(index: number): Frame {
    return this.#frames[(this.#head + index) & (this.#frames.length - 1)]!;
  }

  clockAt(index: number): number {
    return this.#clocks[(this.#head + index) & (this.#frames.length - 1)]!;
  }

  /** Takes the oldest out; the caller knows that there is one. */
  shift(): Frame {
    const frame = this.#frames[this.#head]!;
    this.#frames[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#frames.length - 1);
    this.#length--;
    if (this.#length === 0 && this.#frames.length > LARGEST_KEPT) this.#resize(SMALLEST);
    return frame;
  }

  #resize(capacity: number): void {
    const frames = empty(capacity);
    const clocks = zeros(capacity);
    for (let i = 0; i < this.#length; i++) {
      frames[i] = this.frameAt(i);
      clocks[i] = this.clockAt(i);
    }
    this.#frames = frames;
    this.#clocks = clocks;
    this.#head = 0;
  }
}

function empty(capacity: number): (Frame | undefined)[] {
  return Array.from({ length: capacity }, () => undefined);
}

function zeros(capacity: number): number[] {
  return Array.from({ length: capacity }, () => 0);
}
