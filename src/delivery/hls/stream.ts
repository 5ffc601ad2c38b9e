import { Outbox, type Subscriber, type Subscription } from '../../hub/index.ts';
import type { Frame } from '../../media/index.ts';
import type { HlsOptions } from './options.ts';
import { Packager, type PackagerDependencies } from './packager.ts';

/** How much is muxed before others have their turn: 4 ms of work. */
const TURN_BYTES = 1024 * 1024;
/** At first, so many portions may wait for the newest frame at hand, which tells what time it is. */
const MAX_UNTIMED = 16;
/** Publishers that came one after another before the muxer had time; more are taken as one. */
const MAX_RUNS = 8;

export interface StreamDependencies extends PackagerDependencies {
  /** Resolves when everything else that waits has had its turn. */
  readonly turn: () => Promise<void>;
  /** It cannot go on. */
  readonly failed: () => void;
}

/** One stream being muxed: a subscriber whose frames wait in a bounded queue until it is their turn. */
export class HlsStream implements Subscriber {
  readonly packager: Packager;
  readonly #deps: StreamDependencies;
  /** What waits, one queue for each publisher. */
  readonly #runs: Outbox[] = [new Outbox()];
  #pumping: Promise<void> | undefined = undefined;
  #subscription: Subscription | undefined = undefined;
  #leaving = false;
  #closed = false;
  #revision = 0;

  constructor(options: HlsOptions, deps: StreamDependencies) {
    this.#deps = deps;
    const changed = (): void => {
      this.#revision++;
      deps.changed();
    };
    this.packager = new Packager(options, { ...deps, changed });
  }

  /** To be told once, right after subscribing. */
  attach(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  get publishing(): boolean {
    return this.#subscription?.publishing ?? false;
  }

  /** There is, or will be, something to show. */
  get isAlive(): boolean {
    return this.publishing || this.packager.renditions.size > 0;
  }

  /** Another number whenever a playlist is not what it was. */
  get revision(): number {
    return this.#revision;
  }

  /** Media bytes kept. */
  get bytes(): number {
    let bytes = 0;
    for (const { window } of this.packager.renditions.values()) bytes += window.bytes;
    return bytes;
  }

  deliver(frame: Frame): void {
    if (frame.kind === 'data' && frame.isConfig) return;
    this.#runs.at(-1)!.push(frame);
    this.#pump();
  }

  published(): void {
    this.#leaving = false;
    if (this.#runs.length < MAX_RUNS) this.#runs.push(new Outbox());
    this.#pump();
  }

  unpublished(): void {
    this.#leaving = true;
    this.#pump();
  }

  /** The stream is over for its players. */
  end(): void {
    this.packager.end();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#subscription?.end();
    await this.#pumping;
    await this.packager.close();
  }

  #pump(): void {
    this.#pumping ??= this.#work().then(
      () => this.#rest(),
      (error: unknown) => this.#fail(error),
    );
  }

  #rest(): void {
    this.#pumping = undefined;
    if (!this.#closed && (this.#runs[0]!.frames > 0 || this.#runs.length > 1)) this.#pump();
  }

  async #work(): Promise<void> {
    let portions = 0;
    while (!this.#closed) {
      const run = this.#runs[0]!;
      await this.#deps.turn();
      for (const frame of run.take(TURN_BYTES)) this.packager.take(frame);
      if (this.packager.isUndated && run.frames > 0 && portions++ < MAX_UNTIMED) continue;
      await this.packager.mux();
      if (run.frames > 0) continue;
      if (this.#runs.length === 1) break;
      this.#runs.shift();
      this.packager.startAnew();
    }
    if (!this.#leaving) return;
    this.#leaving = false;
    await this.packager.flush();
  }

  #fail(error: unknown): void {
    this.#pumping = undefined;
    this.#deps.log.warn({ err: error }, 'a stream could not be muxed for HLS');
    this.#deps.failed();
  }
}
