import type { Log } from '../log.ts';
import type { SessionSettings } from '../protocol/index.ts';
import { Bridge, type Handler, type Upstreams } from '../transport/index.ts';
import type { DriverOptions } from './driver.ts';
import { Splice } from './splice.ts';
import { TurnAway } from './turn-away.ts';

/** Where RTMP ends: here, or at servers elsewhere. */
export interface Core {
  readonly handle: Handler;
  /** Clients. */
  readonly count: number;
  /** Ends everybody politely; resolves when nobody is left. */
  stop(): Promise<void>;
  /** Ends everybody at once. */
  destroy(): void;
}

export interface ExternalCoreOptions {
  /** True when the server depends on what is published or played. */
  readonly byStream: boolean;
  readonly session: SessionSettings;
  readonly driver: DriverOptions;
}

/** What encoders show to people when no server can be had. */
const REASON = 'No streaming server can be reached at the moment. Please try again later.';

/** RTMP servers in the place of the built-in core, and an answer for the time when there are none. */
export class ExternalCore implements Core {
  readonly #upstreams: Upstreams;
  readonly #carrier: Core;
  readonly #turnAway: TurnAway;

  constructor(upstreams: Upstreams, { byStream, session, driver }: ExternalCoreOptions, log: Log) {
    const turnAway = new TurnAway({ session, driver, reason: REASON });
    const whenDown = turnAway.handle;
    this.#upstreams = upstreams;
    this.#turnAway = turnAway;
    this.#carrier = byStream
      ? new Splice({ servers: upstreams, whenDown, log }, { session, driver })
      : new Bridge({ dial: upstreams.dial, whenDown, log }, { drainTimeoutMs: driver.drainTimeoutMs });
  }

  get handle(): Handler {
    return this.#carrier.handle;
  }

  get count(): number {
    return this.#carrier.count + this.#turnAway.count;
  }

  /** From now on servers are asked whether they live. */
  start(): void {
    this.#upstreams.start();
  }

  async stop(): Promise<void> {
    await this.#carrier.stop();
    await this.#turnAway.stop();
    this.#upstreams.stop();
  }

  destroy(): void {
    this.#upstreams.stop();
    this.#carrier.destroy();
    this.#turnAway.destroy();
  }
}
