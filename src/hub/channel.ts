import { codecOf, type Frame } from '../media/index.ts';
import { redactKey, type Log } from '../log.ts';
import { ChannelClock } from './clock.ts';
import { ConfigStore } from './config-store.ts';
import type { Gop } from './gop.ts';
import { VideoSense } from './keyframe-gate.ts';
import type { Publication, Publisher, StreamInfo, Subscriber, Subscription } from './roles.ts';
import { pathOf, type StreamName } from './stream-name.ts';
import { LiveSubscription } from './subscription.ts';

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
  readonly #onUnwanted: (channel: Channel) => void;
  #publication: LivePublication | undefined = undefined;
  #since = 0;
  #subscriptions: LiveSubscription[] = [];
  /** Depth of running fan-outs: while one runs, ended subscriptions stay in their place. */
  #running = 0;
  #hasEnded = false;
  #frames = 0;
  #bytes = 0;
  /** Subscriptions that are a reason to have the stream. */
  #players = 0;

  /** `onUnused` is called when neither publisher nor subscriber is left, `onUnwanted` when no player is. */
  constructor(
    name: StreamName,
    gop: Gop,
    log: Log,
    onUnused: (channel: Channel) => void,
    onUnwanted: (channel: Channel) => void = () => {},
  ) {
    this.name = name;
    this.path = pathOf(name);
    this.gop = gop;
    this.#log = log;
    this.#onUnused = onUnused;
    this.#onUnwanted = onUnwanted;
  }

  get publishing(): boolean {
    return this.#publication !== undefined;
  }

  /** The present publisher leaves the stream to any other. */
  get yields(): boolean {
    return this.#publication?.yields ?? false;
  }

  /** For how long the publisher has sent nothing. */
  silence(now: number): number {
    return this.#publication === undefined ? Infinity : now - this.#publication.heardAt;
  }

  /** Subscriptions that are a reason to have the stream. */
  get players(): number {
    return this.#players;
  }

  /** The gateways that the present publisher's frames came through. */
  get hops(): readonly string[] {
    return this.#publication?.hops ?? [];
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
    const publication = new LivePublication(this, publisher, now, onEnd);
    this.#publication = publication;
    this.#since = now;
    this.#startAnew();
    this.#clock.restart();
    former?.tellEnd('taken over', this.#log);
    this.#tellAll('published');
    return publication;
  }

  /** Adds a subscriber, who is given what it can start with before this returns. */
  subscribe(subscriber: Subscriber, withGop: boolean, isPassive = false): Subscription {
    const subscription = new LiveSubscription(this, subscriber, withGop, isPassive);
    this.#subscriptions.push(subscription);
    if (!isPassive) this.#players++;
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
    this.#tellAll('unpublished');
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
    if (!subscription.isPassive && --this.#players === 0) this.#onUnwanted(this);
    this.#checkUse();
  }

  /** A subscriber threw: our own mistake, and only that player pays for it. */
  failed(error: unknown): void {
    this.#log.error(
      { app: this.name.app, key: redactKey(this.name.key), err: error },
      'a subscriber failed and was cut off',
    );
  }

  /** Over a copy: whoever is told may leave. */
  #tellAll(what: 'published' | 'unpublished'): void {
    for (const subscription of this.#subscriptions.slice()) subscription.tell(what);
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

/** One publisher's hold on a channel, good until another has it. */
class LivePublication implements Publication {
  /** When the publisher came or last sent something. */
  heardAt: number;
  readonly #channel: Channel;
  readonly #publisher: Publisher;
  readonly #onEnd: (now: number) => void;

  constructor(channel: Channel, publisher: Publisher, now: number, onEnd: (now: number) => void) {
    this.heardAt = now;
    this.#channel = channel;
    this.#publisher = publisher;
    this.#onEnd = onEnd;
  }

  get viewers(): number {
    return this.#channel.viewers;
  }

  get hops(): readonly string[] {
    return this.#publisher.hops ?? [];
  }

  get yields(): boolean {
    return this.#publisher.yields ?? false;
  }

  write(frame: Frame, now: number): void {
    this.heardAt = now;
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
