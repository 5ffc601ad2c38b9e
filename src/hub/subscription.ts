import type { Frame } from '../media/index.ts';
import type { Channel } from './channel.ts';
import { KeyframeGate } from './keyframe-gate.ts';
import { Outbox, type OutboxLimits } from './outbox.ts';
import type { Subscriber, Subscription } from './roles.ts';

/** One player of a channel: holds frames back until it can start, and keeps its faults from the others. */
export class LiveSubscription implements Subscription {
  readonly #channel: Channel;
  readonly #subscriber: Subscriber;
  readonly #withGop: boolean;
  readonly #gate: KeyframeGate;
  #started = false;
  /** It takes the stream while it is there, and is no reason to have it. */
  readonly isPassive: boolean;
  ended = false;

  constructor(channel: Channel, subscriber: Subscriber, withGop: boolean, isPassive: boolean) {
    this.isPassive = isPassive;
    this.#channel = channel;
    this.#subscriber = subscriber;
    this.#withGop = withGop;
    this.#gate = new KeyframeGate(channel.sense, 'closed');
  }

  get publishing(): boolean {
    return this.#channel.publishing;
  }

  restart(): void {
    if (this.ended) return;
    this.rewind();
    this.replay();
  }

  createOutbox(limits: OutboxLimits): Outbox {
    return new Outbox(limits, this.#channel.sense);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#channel.remove(this);
  }

  /** The next frame will be a first one. */
  rewind(): void {
    this.#started = false;
    this.#gate.close();
  }

  /** The last group of pictures at once, if there is one. */
  replay(): void {
    const { gop } = this.#channel;
    if (!this.#withGop || gop.frames.length === 0) return;
    this.#started = true;
    for (const header of gop.headers()) this.#deliver(header);
    for (const frame of gop.frames) if (this.#gate.admits(frame)) this.#deliver(frame);
  }

  /** A live frame: passed on if the player has started, or can start with it. */
  offer(frame: Frame): void {
    if (!this.#started && !this.#starts(frame)) return;
    if (this.#gate.admits(frame)) this.#deliver(frame);
  }

  tell(what: 'published' | 'unpublished'): void {
    if (this.ended) return;
    try {
      this.#subscriber[what]();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Configurations wait for the first frame, whose time they take; data alone starts only a stream that has nothing else. */
  #starts(frame: Frame): boolean {
    if (frame.isConfig || (frame.kind === 'data' && this.#channel.sense.hasMedia)) return false;
    if (!this.#gate.admits(frame)) return false;
    this.#started = true;
    for (const header of this.#channel.headersAt(frame.timestamp)) this.#deliver(header);
    return true;
  }

  #deliver(frame: Frame): void {
    if (this.ended) return;
    try {
      this.#subscriber.deliver(frame);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#channel.failed(error);
    this.end();
    try {
      this.#subscriber.unpublished();
    } catch (again) {
      this.#channel.failed(again);
    }
  }
}
