import type { EventEmitter } from 'node:events';
import type { Environment } from '../config/index.ts';

/** What a command has of the process it runs in; tests bring their own. */
export interface CommandIo {
  /** Standard output, for what was asked for. */
  out(text: string): void;
  /** Standard error, for what went wrong. */
  err(text: string): void;
  readonly env: Environment;
  /** Standard output is a terminal. */
  readonly terminal: boolean;
  /** Emits `SIGTERM`, `SIGINT` and `SIGHUP`. */
  readonly signals: Pick<EventEmitter, 'on' | 'off'>;
  /** Of this package. */
  readonly version: string;
}

/** Done; failed; wrong usage or configuration. */
export const EXIT = Object.freeze({ done: 0, failed: 1, wrong: 2 });
