import { OUTBOX_DEFAULTS, type OutboxLimits } from '../hub/index.ts';
import type { SessionOptions } from '../protocol/index.ts';
import type { DialOptions } from '../transport/index.ts';
import { BACK_OFF_DEFAULTS, type BackOffOptions } from './back-off.ts';

export interface RelayOptions {
  readonly backOff: BackOffOptions;
  readonly outbox: OutboxLimits;
  /** How long a server that we push to may take or acknowledge nothing. Milliseconds. */
  readonly stallMs: number;
  /** How long a server that we pull from may send nothing. Milliseconds. */
  readonly silenceMs: number;
  /** Streams that are fetched at once. Anybody can ask for any name. */
  readonly maxPulls: number;
  readonly dial: DialOptions;
  /** Limits and times of sessions with other servers; what is asked of clients is asked of them. */
  readonly session: Partial<SessionOptions>;
}

export const RELAY_DEFAULTS: RelayOptions = Object.freeze({
  backOff: BACK_OFF_DEFAULTS,
  // What any player may leave waiting.
  outbox: OUTBOX_DEFAULTS,
  // Longer than a mobile network's worst pause; a platform shows "reconnecting" after about as long.
  stallMs: 20_000,
  // Slow streams have a picture every few seconds; nginx-rtmp's pull gives up after 10 to 30 s.
  silenceMs: 15_000,
  // More streams than one process has bandwidth for; each asked-for name that does not exist is one of them for a while.
  maxPulls: 500,
  dial: Object.freeze({}),
  session: Object.freeze({}),
});
