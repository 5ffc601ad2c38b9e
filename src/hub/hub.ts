import { RejectedError } from '../errors.ts';
import { NO_LOG, redactKey, type Log } from '../log.ts';
import { Channel } from './channel.ts';
import { Gop, GOP_DEFAULTS, type GopLimits } from './gop.ts';
import { FairShare } from './fair-share.ts';
import type {
  Publication,
  Publisher,
  StreamInfo,
  SubscribeOptions,
  Subscriber,
  Subscription,
  Watcher,
} from './roles.ts';
import { pathOf, type StreamName } from './stream-name.ts';

export interface HubOptions {
  /** What a second publisher of a live stream gets: a refusal, or the stream. */
  readonly republish: 'refuse' | 'takeover';
  /** A publisher that has sent nothing for so long is not refused for: it is likely the same one, back after its network broke. */
  readonly silenceMs: number;
  /** How long players are kept when a publisher leaves, in case it returns. 0: not at all. */
  readonly graceMs: number;
  readonly gop: GopLimits;
  /** Payload bytes in the last groups of pictures of all streams together. */
  readonly maxGopMemoryBytes: number;
}

export const HUB_DEFAULTS: HubOptions = Object.freeze({
  /** As nginx-rtmp and SRS do; MediaMTX lets the second take over, which is kinder after an unclean drop and less safe. */
  republish: 'refuse',
  /**
   * A killed tunnel client is missed after 30 s and a broken network noticed after 90 s, while encoders try again every few
   * seconds and many give up. Slow streams (a picture every two seconds) stay safe.
   */
  silenceMs: 5_000,
  /** Long enough for an encoder that notices a broken connection, waits its two or three seconds and connects again. */
  graceMs: 10_000,
  gop: GOP_DEFAULTS,
  /** As much as all tunnels may hold: 340 streams of 6 Mbit/s with a keyframe every two seconds. */
  maxGopMemoryBytes: 512 * 1024 * 1024,
});

/** All live streams by their names. */
export class Hub {
  readonly #options: HubOptions;
  readonly #log: Log;
  readonly #channels = new Map<string, Channel>();
  /** Channels whose publisher left, with the end of their grace time; the earliest first, as the time is the same for all. */
  readonly #waiting = new Map<Channel, number>();
  readonly #gopMemory: FairShare;
  /** Channels of which watchers were told that somebody publishes, and not yet that it is over. */
  readonly #announced = new Set<Channel>();
  #watchers: readonly Watcher[] = [];
  #stopped = false;

  constructor(options: Partial<HubOptions> = {}, log: Log = NO_LOG) {
    this.#options = { ...HUB_DEFAULTS, ...options };
    this.#log = log;
    this.#gopMemory = new FairShare(this.#options.maxGopMemoryBytes);
  }

  /** Makes `publisher` the source of a stream; one that fell silent loses it, or that yields. Throws `RejectedError` STREAM_TAKEN, or HUB_STOPPED. */
  publish(name: StreamName, publisher: Publisher, now: number): Publication {
    this.#mustRun();
    const former = this.#channels.get(pathOf(name));
    if (former?.publishing === true && !this.#mayReplace(former, publisher, now)) {
      throw new RejectedError('STREAM_TAKEN', 'the stream is already being published');
    }
    const channel = former ?? this.#open(name);
    this.#waiting.delete(channel);
    const publication = channel.publish(publisher, now, (endedAt) => this.#startGrace(channel, endedAt));
    this.#say(name, 'a stream is being published');
    this.#announced.add(channel);
    this.#tell((watcher) => watcher.published?.(channel.name));
    return publication;
  }

  /**
   * Makes `subscriber` a player of a stream, live or still to come, and delivers what it can start with before it returns.
   * Throws `RejectedError` HUB_STOPPED.
   */
  subscribe(name: StreamName, subscriber: Subscriber, options: SubscribeOptions = {}): Subscription {
    this.#mustRun();
    const { gop = true, passive = false, hops = [] } = options;
    const channel = this.#channels.get(pathOf(name)) ?? this.#open(name);
    const subscription = channel.subscribe(subscriber, gop, passive);
    if (!passive && !channel.publishing) this.#tell((watcher) => watcher.wanted?.(channel.name, hops));
    return subscription;
  }

  /** Tells `watcher` of streams that come and go from now on, until the returned function is called. */
  watch(watcher: Watcher): () => void {
    this.#watchers = [...this.#watchers, watcher];
    return () => (this.#watchers = this.#watchers.filter((other) => other !== watcher));
  }

  /** The gateways that a stream came through on its way here; empty when nobody publishes it. */
  hopsOf(name: StreamName): readonly string[] {
    return this.#channels.get(pathOf(name))?.hops ?? [];
  }

  /** Somebody publishes it at this moment. */
  isPublished(name: StreamName): boolean {
    return this.#channels.get(pathOf(name))?.publishing ?? false;
  }

  /** How many players a stream has; passive ones do not count. */
  playersOf(name: StreamName): number {
    return this.#channels.get(pathOf(name))?.players ?? 0;
  }

  /** When `tick` wants to be called next, or undefined for never. */
  deadline(): number | undefined {
    for (const deadline of this.#waiting.values()) return deadline;
    return undefined;
  }

  /** Lets time pass: ends the streams whose grace time is over. */
  tick(now: number): void {
    for (const [channel, deadline] of this.#waiting) {
      if (deadline > now) return;
      this.#waiting.delete(channel);
      this.#expire(channel);
    }
  }

  /** What is going on, one entry for each stream that has a publisher or a player. */
  *streams(): IterableIterator<StreamInfo> {
    for (const channel of this.#channels.values()) yield channel.info();
  }

  /** Ends everything; nothing can be published or played afterwards. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
    for (const channel of Array.from(this.#channels.values())) {
      channel.finish('the gateway stops');
      this.#over(channel);
    }
    this.#channels.clear();
  }

  #mayReplace(former: Channel, { yields = false }: Publisher, now: number): boolean {
    if (former.yields || yields) return !yields;
    return this.#options.republish === 'takeover' || former.silence(now) >= this.#options.silenceMs;
  }

  #open(name: StreamName): Channel {
    const gop = new Gop(this.#options.gop, this.#gopMemory);
    const unwanted = (): void => this.#tell((watcher) => watcher.unwanted?.(channel.name));
    const channel = new Channel(name, gop, this.#log, (unused) => this.#close(unused), unwanted);
    this.#channels.set(channel.path, channel);
    return channel;
  }

  #close(channel: Channel): void {
    this.#waiting.delete(channel);
    if (this.#channels.get(channel.path) === channel) this.#channels.delete(channel.path);
    this.#over(channel);
  }

  #expire(channel: Channel): void {
    channel.expire();
    this.#over(channel);
  }

  /** Once for each stream, however it came to its end. */
  #over(channel: Channel): void {
    if (this.#announced.delete(channel)) this.#tell((watcher) => watcher.unpublished?.(channel.name));
  }

  /** Over a list that never changes: whoever is told may watch or stop watching. */
  #tell(what: (watcher: Watcher) => void): void {
    for (const watcher of this.#watchers) {
      try {
        what(watcher);
      } catch (error) {
        this.#log.error({ err: error }, 'a watcher of the hub failed');
      }
    }
  }

  #startGrace(channel: Channel, now: number): void {
    this.#say(channel.name, 'a stream lost its publisher');
    if (this.#stopped || this.#channels.get(channel.path) !== channel) return;
    if (this.#options.graceMs === 0) this.#expire(channel);
    else this.#waiting.set(channel, now + this.#options.graceMs);
  }

  #mustRun(): void {
    if (this.#stopped) throw new RejectedError('HUB_STOPPED', 'the gateway is stopping');
  }

  #say(name: StreamName, message: string): void {
    this.#log.debug({ app: name.app, key: redactKey(name.key) }, message);
  }
}
