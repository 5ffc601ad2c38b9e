import { RejectedError } from '../../errors.ts';
import { FairShare, pathOf, type Hub, type StreamName } from '../../hub/index.ts';
import { redactKey, type Log } from '../../log.ts';

import { HLS_DEFAULTS, type HlsOptions } from './options.ts';
import { hlsRouter } from './router.ts';
import { Show } from './show.ts';
import { HlsStream } from './stream.ts';
import type { Reached } from './packager.ts';
import { Waiting, type Asker } from './waiting.ts';

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

const NOWHERE: Reached = { discontinuities: 0, sequence: 0 };

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
  /** How far streams came that were muxed before, by their paths: no number goes back, and none is used again. */
  readonly #past = new Map<string, Reached>();
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
      const { bytes } = show.stream;
      const { renditions, keyframeMs } = show.stream.packager;
      return { name, renditions: renditions.size, bytes, waiting: show.waiting.count, keyframeMs };
    });
  }

  /** The stream as it can be asked for; 404 when nobody publishes it, 503 when there is no room for another. */
  async show(name: StreamName, asker: Asker): Promise<Show | 404 | 503> {
    const running = this.#running.get(pathOf(name)) ?? this.#open(name);
    if (running === undefined) return 503;
    const { show } = running;
    show.askedAt = asker.now;
    if (show.stream.isAlive) return show;
    const { awaitPublisherMs } = this.#options;
    const came =
      awaitPublisherMs > 0 && (await show.waiting.until(() => show.stream.publishing, asker, awaitPublisherMs));
    if (came) return show;
    if (!show.stream.isAlive) void this.#close(running);
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
    await Promise.all([...this.#running.values()].map((running) => this.#close(running)));
  }

  #open(name: StreamName): Running | undefined {
    const path = pathOf(name);
    if (this.#stopped || this.#running.has(path) || !this.#hasRoom()) return this.#running.get(path);
    const { hub, log, now, wallClock, turn } = this.#deps;
    const waiting = new Waiting(this.#options.maxWaiting);
    const stream = new HlsStream(this.#options, {
      memory: this.#memory,
      log: log.child({ app: name.app, key: redactKey(name.key) }),
      wallClock,
      turn,
      reached: this.#past.get(path) ?? NOWHERE,
      changed: () => waiting.check(),
      failed: () => void this.#close(running),
    });
    const show = new Show(stream, waiting, this.#options, now());
    const running: Running = { name, show, overAt: undefined };
    this.#running.set(path, running);
    try {
      // Whoever muxes all there is watches nothing: no relay has to fetch it for that.
      stream.attach(hub.subscribe(name, stream, { passive: this.#options.always }));
    } catch (error) {
      this.#running.delete(path);
      if (error instanceof RejectedError) return undefined;
      throw error;
    }
    return running;
  }

  /** Whoever waits for a publisher that may never come makes room for a stream that may be there. */
  #hasRoom(): boolean {
    if (this.#running.size < this.#options.maxStreams) return true;
    const idle = [...this.#running.values()].find(({ show }) => !show.stream.isAlive);
    if (idle !== undefined) void this.#close(idle);
    return idle !== undefined;
  }

  #look(running: Running, now: number): void {
    const { show } = running;
    const { idleMs, lingerMs, always } = this.#options;
    show.waiting.tick(now);
    if (show.stream.publishing) {
      show.publishedAt = now;
      show.waiting.check();
    }
    const absent = now - show.publishedAt;
    const isUnwanted = now - show.askedAt > idleMs && show.waiting.count === 0;
    if (isUnwanted && (!always || absent > lingerMs)) return void this.#close(running);
    if (absent > lingerMs && running.overAt === undefined) {
      running.overAt = now;
      show.stream.end();
    }
    // Once a playlist has said that it ends, it cannot go on: whoever comes next gets another.
    if (running.overAt !== undefined && (show.stream.publishing || now - running.overAt > lingerMs))
      void this.#close(running);
  }

  #remember(path: string, { discontinuities, sequence }: Reached): void {
    if (sequence === (this.#past.get(path) ?? NOWHERE).sequence) return;
    this.#past.delete(path);
    this.#past.set(path, { discontinuities: discontinuities + 1, sequence });
    if (this.#past.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#past.keys()) {
      this.#past.delete(oldest);
      return;
    }
  }

  async #close(running: Running): Promise<void> {
    const path = pathOf(running.name);
    // It may be closed already, and another stand in its place.
    if (this.#running.get(path) !== running) return;
    this.#running.delete(path);
    const { stream, waiting } = running.show;
    this.#remember(path, stream.packager.reached);
    waiting.close();
    await stream.close();
  }
}
