import { codecOf, type Frame } from '../media/index.ts';
import { redactKey, type Log } from '../log.ts';
import { ChannelClock } from './clock.ts';
import { ConfigStore } from './config-store.ts';
import { Gop, type GopLimits } from './gop.ts';
import { KeyframeGate, VideoSense } from './keyframe-gate.ts';
import { pathOf, type StreamName } from './stream-name.ts';

/** Who sends a stream. */
export interface Publisher {
  /** The stream is no longer theirs: taken over, or the hub stops. Their further frames are ignored. */
  end(reason: string): void;
}

/** Who receives a stream. An exception from any of these ends that subscription and touches no other. */
export interface Subscriber {
  /** The next frame, in order. Called from within the publisher's `write`: put it in an Outbox and return. */
  deliver(frame: Frame): void;
  /** A publisher came, or returned: new configurations and a keyframe follow. */
  published(): void;
  /** The grace time ran out, or the hub stops: the stream is over. The subscription stands until it is ended. */
  unpublished(): void;
}

/** One publisher's hold on a stream. */
export interface Publication {
  /** Passes a frame to all players. `now`: milliseconds of the hub's clock. Ignored once the publication has ended. */
  write(frame: Frame, now: number): void;
  /** Gives the stream up; players wait for the grace time. Harmless when repeated. */
  end(now: number): void;
  /** Players at this moment. */
  readonly viewers: number;
}

/** One player's hold on a stream. */
export interface Subscription {
  /** Whether someone publishes at this moment. */
  readonly publishing: boolean;
  /** Begins anew, as after un-pausing: metadata, configurations and the last group of pictures, or wait for a keyframe. */
  restart(): void;
  /** No frame comes any more. Harmless when repeated. */
  end(): void;
}

/** What one channel is doing, for people and meters. */
export interface StreamInfo {
  readonly name: StreamName;
  readonly publishing: boolean;
  /** When the present publisher came, on the hub's clock. */
  readonly since: number | undefined;
  readonly subscribers: number;
  /** Frames and payload bytes that publishers wrote since the channel came into being. */
  readonly frames: number;
  readonly bytes: number;
  readonly gopFrames: number;
  readonly gopBytes: number;
  /** Codecs by their configurations, as far as known: "avc1", "mp4a". */
  readonly codecs: readonly string[];
}

/**
 * One live stream. It remembers metadata, configurations and the last group of pictures, puts every publisher on one clock,
 * and hands each frame to all subscribers. A subscriber starts with the configurations, at the time of the first frame that
 * follows them, and that frame is a keyframe if the stream has video.
 */
export class Channel {
  readonly name: StreamName;
  readonly path: string;
  readonly sense = new VideoSense();
  readonly gop: Gop;
  readonly #configs = new ConfigStore();
  readonly #clock = new ChannelClock();
  readonly #log: Log;
  readonly #onUnused: (channel: Channel) => void;
  #publication: LivePublication | undefined = undefined;
  #since = 0;
  #subscriptions: LiveSubscription[] = [];
  /** Depth of running fan-outs: while one runs, ended subscriptions stay in their place. */
  #running = 0;
  #hasEnded = false;
  #frames = 0;
  #bytes = 0;

  /** `onUnused` is called when neither publisher nor subscriber is left. */
  constructor(name: StreamName, gop: GopLimits, log: Log, onUnused: (channel: Channel) => void) {
    this.name = name;
    this.path = pathOf(name);
    this.gop = new Gop(gop);
    this.#log = log;
    this.#onUnused = onUnused;
  }

  get publishing(): boolean {
    return this.#publication !== undefined;
  }

  get viewers(): number {
    if (!this.#hasEnded) return this.#subscriptions.length;
    return this.#subscriptions.reduce((count, subscription) => count + (subscription.ended ? 0 : 1), 0);
  }

  info(): StreamInfo {
    const { name, publishing, viewers, gop } = this;
    const since = publishing ? this.#since : undefined;
    const codecs = this.#configs.list().flatMap((frame) => codecOf(frame) ?? []);
    const counts = { frames: this.#frames, bytes: this.#bytes, gopFrames: gop.frames.length, gopBytes: gop.bytes };
    return { name, publishing, since, subscribers: viewers, ...counts, codecs: [...new Set(codecs)] };
  }

  /** Hands the stream to `publisher`; a former one is told why. Every player will start anew. */
  publish(publisher: Publisher, now: number, onEnd: (now: number) => void): Publication {
    const former = this.#publication;
    const publication = new LivePublication(this, publisher, onEnd);
    this.#publication = publication;
    this.#since = now;
    this.#startAnew();
    this.#clock.restart();
    former?.tellEnd('taken over', this.#log);
    for (const subscription of [...this.#subscriptions]) subscription.tell('published');
    return publication;
  }

  /** Adds a subscriber, who is given what it can start with before this returns. */
  subscribe(subscriber: Subscriber, withGop: boolean): Subscription {
    const subscription = new LiveSubscription(this, subscriber, withGop);
    this.#subscriptions.push(subscription);
    subscription.replay();
    return subscription;
  }

  /** The hot path: one call for each frame of each publisher, and nothing allocated for a subscriber. */
  write(from: LivePublication, frame: Frame, now: number): void {
    if (this.#publication !== from) return;
    this.#frames++;
    this.#bytes += frame.payload.length;
    if (frame.clears) return this.#forget(frame);
    const placed = this.#clock.place(frame, now);
    this.sense.note(placed);
    if (placed.isConfig && !this.#configs.remember(placed)) return;
    if (this.sense.isStart(placed)) this.gop.begin(placed, this.#configs.list());
    else this.gop.add(placed);
    this.#fanOut(placed);
  }

  /** The publisher of `from` gives up; tells whether it was still theirs to give. */
  unpublish(from: LivePublication): boolean {
    if (this.#publication !== from) return false;
    this.#publication = undefined;
    this.#startAnew();
    this.#checkUse();
    return true;
  }

  /** Metadata and configurations at the time of the frame they precede. */
  headersAt(timestamp: number): readonly Frame[] {
    return this.#configs.listAt(timestamp);
  }

  /** The stream is over for all subscribers. */
  expire(): void {
    for (const subscription of [...this.#subscriptions]) subscription.tell('unpublished');
  }

  /** The end for everybody; whoever publishes is told `reason`. */
  finish(reason: string): void {
    const publication = this.#publication;
    this.#publication = undefined;
    publication?.tellEnd(reason, this.#log);
    this.expire();
  }

  /** Takes an ended subscription out. */
  remove(subscription: LiveSubscription): void {
    if (this.#running > 0) this.#hasEnded = true;
    else this.#subscriptions.splice(this.#subscriptions.indexOf(subscription), 1);
    this.#checkUse();
  }

  /** A subscriber threw: our own mistake, and only that player pays for it. */
  failed(error: unknown): void {
    this.#log.error(
      { app: this.name.app, key: redactKey(this.name.key), err: error },
      'a subscriber failed and was cut off',
    );
  }

  #fanOut(frame: Frame): void {
    const subscriptions = this.#subscriptions;
    const count = subscriptions.length;
    this.#running++;
    for (let i = 0; i < count; i++) subscriptions[i]!.offer(frame);
    this.#running--;
    if (this.#hasEnded && this.#running === 0) this.#sweep();
  }

  #sweep(): void {
    this.#hasEnded = false;
    this.#subscriptions = this.#subscriptions.filter((subscription) => !subscription.ended);
  }

  #forget(frame: Frame): void {
    if (frame.configKey === undefined) return;
    this.#configs.forget(frame.configKey);
    this.gop.forget(frame.configKey);
  }

  /** What one publisher sent is of no use for the next one's frames. */
  #startAnew(): void {
    this.#configs.clear();
    this.gop.clear();
    this.sense.reset();
    for (const subscription of this.#subscriptions) subscription.rewind();
  }

  #checkUse(): void {
    if (!this.publishing && this.viewers === 0) this.#onUnused(this);
  }
}

class LivePublication implements Publication {
  readonly #channel: Channel;
  readonly #publisher: Publisher;
  readonly #onEnd: (now: number) => void;

  constructor(channel: Channel, publisher: Publisher, onEnd: (now: number) => void) {
    this.#channel = channel;
    this.#publisher = publisher;
    this.#onEnd = onEnd;
  }

  get viewers(): number {
    return this.#channel.viewers;
  }

  write(frame: Frame, now: number): void {
    this.#channel.write(this, frame, now);
  }

  end(now: number): void {
    if (this.#channel.unpublish(this)) this.#onEnd(now);
  }

  tellEnd(reason: string, log: Log): void {
    try {
      this.#publisher.end(reason);
    } catch (error) {
      log.error({ err: error }, 'a publisher failed while it was told to end');
    }
  }
}

class LiveSubscription implements Subscription {
  readonly #channel: Channel;
  readonly #subscriber: Subscriber;
  readonly #withGop: boolean;
  readonly #gate: KeyframeGate;
  #started = false;
  ended = false;

  constructor(channel: Channel, subscriber: Subscriber, withGop: boolean) {
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
