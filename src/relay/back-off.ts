import { RefusedByServer } from '../endpoint/index.ts';
import { RejectedError, RemoteError } from '../errors.ts';

/** When what failed is tried again. Milliseconds. */
export interface BackOffOptions {
  /** After the first failure on the way there; doubled with each further one. */
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  /** The same after a refusal. */
  readonly firstRefusedMs: number;
  readonly maxRefusedMs: number;
  /** A connection that lasted so long was a good one: what comes next is a first failure. */
  readonly goodAfterMs: number;
}

export const BACK_OFF_DEFAULTS: BackOffOptions = Object.freeze({
  // OBS waits two seconds, MediaMTX and nginx-rtmp five and three: nobody waits for us but the viewers.
  firstRetryMs: 1000,
  // A server that is restarted is back on the air a quarter of a minute after it is back.
  maxRetryMs: 15_000,
  // Most CDNs hold a name for 10 to 60 s after a connection that broke (BadName); a wrong key stays wrong.
  firstRefusedMs: 10_000,
  // Some platforms lock a key out that is tried too often.
  maxRefusedMs: 300_000,
  goodAfterMs: 10_000,
});

/** How far a wait is from what it ought to be, either way: many relays that fell together do not rise together. */
const JITTER = 0.25;

/** `refused`: somebody looked at what we want and said no. `network`: we did not get so far, or it broke. */
export type FaultKind = 'refused' | 'network';

/** Refusals that speak of the server's health, or of a stream that is not there yet, and not of us. */
const NOT_YET: readonly string[] = [
  'NetConnection.Connect.AppShutdown',
  'NetConnection.Proxy.NotResponding',
  'NetStream.Play.StreamNotFound',
];

/** Answers of a server or a proxy that will be the same next time; and too many wrong passwords lock an account. */
const REFUSALS: readonly string[] = [
  'AUTH_NEEDED',
  'AUTH_REFUSED',
  'CLOSED_AT_PUBLISH',
  'PROXY_AUTHENTICATION',
  'PROXY_REFUSED',
];

export function kindOf(fault: unknown): FaultKind {
  if (fault instanceof RejectedError) return 'refused';
  if (fault instanceof RemoteError && REFUSALS.includes(fault.code)) return 'refused';
  return fault instanceof RefusedByServer && !NOT_YET.includes(fault.status.code) ? 'refused' : 'network';
}

/** How long to wait after each failure. */
export class BackOff {
  readonly #options: BackOffOptions;
  readonly #random: () => number;
  #failures = 0;
  #kind: FaultKind = 'network';

  constructor(options: BackOffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** The next wait. `liveMs`: how long the attempt had worked before it failed. */
  next(kind: FaultKind, liveMs: number): number {
    if (liveMs >= this.#options.goodAfterMs || kind !== this.#kind) this.#failures = 0;
    this.#kind = kind;
    const { firstRetryMs, maxRetryMs, firstRefusedMs, maxRefusedMs } = this.#options;
    const [first, max] = kind === 'refused' ? [firstRefusedMs, maxRefusedMs] : [firstRetryMs, maxRetryMs];
    const wait = Math.min(max, first * 2 ** this.#failures);
    this.#failures++;
    return wait * (1 + JITTER * (2 * this.#random() - 1));
  }
}
