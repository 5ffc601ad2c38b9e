import type { Flight } from './delivery.ts';

/** What the answer to a post is to be. */
export interface Answer {
  readonly status: 200 | 404 | 503;
  readonly interval: number;
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  /** To be reported to the tunnel's `landed` or `lost` when the answer has left, or could not. */
  readonly flight: Flight | undefined;
}

const NO_CHUNKS: readonly Buffer[] = Object.freeze([]);
/** By interval byte; they are given thousands of times a second. */
const BARE: readonly Answer[] = Array.from({ length: 64 }, (_, interval) => fixed(200, interval));

/** The session is over. */
export const GONE: Answer = fixed(404, 0);
/** The session is over before anybody has spoken in it: whom it was for could not be reached. */
export const UNREACHED: Answer = fixed(503, 0);

/** The interval byte alone. */
export function bare(interval = 1): Answer {
  return BARE[interval]!;
}

function fixed(status: 200 | 404 | 503, interval: number): Answer {
  return Object.freeze({ status, interval, chunks: NO_CHUNKS, bytes: 0, flight: undefined });
}
