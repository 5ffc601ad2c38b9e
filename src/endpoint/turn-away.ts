import type { Duplex } from 'node:stream';
import { ServerSession, status, type ServerEvent, type SessionSettings } from '../protocol/index.ts';
import type { Handler } from '../transport/index.ts';
import { Crowd } from './crowd.ts';
import { Driver, DRIVER_DEFAULTS, now, type DriverOptions } from './driver.ts';

export interface TurnAwayOptions {
  readonly session: SessionSettings;
  readonly driver?: DriverOptions;
  /** For people, in one sentence: encoders show it. */
  readonly reason: string;
}

/** Shakes hands with clients that there is no server for, tells them why with their connect, and ends. */
export class TurnAway {
  readonly #options: TurnAwayOptions;
  readonly #drivers = new Crowd<Driver<ServerEvent>>();

  constructor(options: TurnAwayOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#drivers.size;
  }

  readonly handle: Handler = (stream) => {
    this.#drivers.add(this.#drive(stream));
  };

  /** Ends every connection politely; resolves when the last one is gone. */
  async stop(): Promise<void> {
    for (const driver of this.#drivers) driver.end();
    await this.#drivers.emptied();
  }

  destroy(): void {
    for (const driver of this.#drivers) driver.destroy();
  }

  #drive(stream: Duplex): Driver<ServerEvent> {
    const { session: settings, driver: options = DRIVER_DEFAULTS, reason } = this.#options;
    const session = new ServerSession(settings, now());
    const event = (asked: ServerEvent): void => {
      if (asked.type === 'connect') session.reject(asked.id, status('NetConnection.Connect.Rejected', reason));
    };
    const driver = new Driver<ServerEvent>(
      stream,
      session,
      { event, drained: () => {}, closed: () => this.#drivers.delete(driver) },
      options,
    );
    return driver;
  }
}
