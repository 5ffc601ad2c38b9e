import { RejectedError } from '../../errors.ts';
import { FairShare, pathOf, type Hub, type StreamName } from '../../hub/index.ts';
import { redactKey, type Log } from '../../log.ts';

import { HLS_DEFAULTS, type HlsOptions } from './options.ts';
import { hlsRouter } from './router.ts';
import { Show } from './show.ts';
import { HlsStream } from './stream.ts';
import { Waiting } from './waiting.ts';

export interface HlsDependencies {
  readonly hub: Hub;
  readonly log: Log;
  /** Milliseconds of the house clock, and of the one on the wall. */
  readonly now: () => number;
  readonly wallClock: () => number;
  /** Resolves when everything else that waits has had its turn; muxing goes on in pieces between. */
  readonly turn: () => Promise<void>;
}

/** What one stream's HLS is doing, for people and meters. */
export interface HlsInfo {
  readonly name: StreamName;
  readonly renditions: number;
  readonly bytes: number;
  readonly waiting: number;
  /** The longest distance of its publisher's keyframes in milliseconds; undefined: not known yet. */
  readonly keyframeMs: number | undefined;
}

/** A number for each; players that were away for longer than ten thousand other streams begin anew. */
const MAX_REMEMBERED = 10_000;

interface Running {
  readonly name: StreamName;
  readonly show: Show;
  /** The publisher left for good then; undefined while somebody publishes or may come back. */
  overAt: number | undefined;
}

/**
 * All streams that are being made into HLS: each from its first request until some time after the last, or always. Nothing is
 * written to disk, and no timer of its own: `tick` is to be called several times a second.
 */
export class Hls {
  readonly router: ReturnType<typeof hlsRouter>;
  readonly #options: HlsOptions;
  readonly #deps: HlsDependencies;
  readonly #memory: FairShare;
  readonly #running = new Map<string, Running>();
  /** Discontinuities of streams that were muxed before, by their paths: the number must not go back. */
  readonly #past = new Map<string, number>();
  #unwatch: () => void = () => {};
  #stopped = false;

  constructor(options: Partial<HlsOptions>, deps: HlsDependencies) {
    this.#options = { ...HLS_DEFAULTS, ...options };
    this.#deps = deps;
    this.#memory = new FairShare(this.#options.maxMemoryBytes);
    this.router = hlsRouter(this, deps.now);
    if (this.#options.always) this.#unwatch = deps.hub.watch({ published: (name) => void this.#open(name) });
  }

  /** The streams that are being muxed. */
  list(): HlsInfo[] {
    return [...this.#running.values()].map(({ name, show }) => {
      const { renditions, bytes, keyframeMs } = show.stream;
      return { name, renditions: renditions.size, bytes, waiting: show.waiting.count, keyframeMs };
    });
  }

  /** The stream as it can be asked for; 404 when nobody publishes it, 503 when there is no room for another. */
  async show(name: StreamName): Promise<Show | 404 | 503> {
    const now = this.#deps.now();
    const show = this.#running.get(pathOf(name))?.show ?? this.#open(name);
    if (show === undefined) return 503;
    show.askedAt = now;
    if (show.stream.publishing || show.stream.renditions.size > 0) return show;
    const { awaitPublisherMs } = this.#options;
    const came =
      awaitPublisherMs > 0 && (await show.waiting.until(() => show.stream.publishing, now + awaitPublisherMs));
    if (came) return show;
    if (!show.stream.publishing && show.stream.renditions.size === 0) void this.#close(name);
    return 404;
  }

  /** Lets time pass. */
  tick(): void {
    const now = this.#deps.now();
    for (const running of this.#running.values()) this.#look(running, now);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch();
    await Promise.all([...this.#running.values()].map(({ name }) => this.#close(name)));
  }

  #open(name: StreamName): Show | undefined {
    const path = pathOf(name);
    if (this.#stopped || this.#running.has(path) || this.#running.size >= this.#options.maxStreams) {
      return this.#running.get(path)?.show;
    }
    const { hub, log, now, wallClock, turn } = this.#deps;
    const waiting = new Waiting(this.#options.maxWaiting);
    const stream = new HlsStream(this.#options, {
      memory: this.#memory,
      log: log.child({ app: name.app, key: redactKey(name.key) }),
      wallClock,
      turn,
      discontinuities: this.#past.get(path) ?? 0,
      changed: () => waiting.check(),
      failed: () => void this.#close(name),
    });
    const show = new Show(stream, waiting, this.#options, now());
    this.#running.set(path, { name, show, overAt: undefined });
    try {
      // Whoever muxes all there is watches nothing: no relay has to fetch it for that.
      stream.attach(hub.subscribe(name, stream, { passive: this.#options.always }));
    } catch (error) {
      this.#running.delete(path);
      if (error instanceof RejectedError) return undefined;
      throw error;
    }
    return show;
  }

  #look(running: Running, now: number): void {
    const { name, show } = running;
    const { idleMs, lingerMs, always } = this.#options;
    show.waiting.tick(now);
    if (show.stream.publishing) {
      show.publishedAt = now;
      show.waiting.check();
    }
    const absent = now - show.publishedAt;
    const isUnwanted = now - show.askedAt > idleMs && show.waiting.count === 0;
    if (isUnwanted && (!always || absent > lingerMs)) return void this.#close(name);
    if (absent > lingerMs && running.overAt === undefined) {
      running.overAt = now;
      show.stream.end();
    }
    // Once a playlist has said that it ends, it cannot go on: whoever comes next gets another.
    if (running.overAt !== undefined && (show.stream.publishing || now - running.overAt > lingerMs))
      void this.#close(name);
  }

  #remember(path: string, { discontinuities, renditions }: HlsStream): void {
    if (renditions.size === 0) return;
    this.#past.delete(path);
    this.#past.set(path, discontinuities + 1);
    if (this.#past.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#past.keys()) {
      this.#past.delete(oldest);
      return;
    }
  }

  async #close(name: StreamName): Promise<void> {
    const running = this.#running.get(pathOf(name));
    if (running === undefined) return;
    this.#running.delete(pathOf(name));
    this.#remember(pathOf(name), running.show.stream);
    running.show.waiting.close();
    await running.show.stream.close();
  }
}
