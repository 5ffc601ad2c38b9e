import { OUTBOX_DEFAULTS, type OutboxLimits } from '../../hub/index.ts';

export interface FlvOptions {
  readonly outbox: OutboxLimits;
  /**
   * How long a request for a stream that nobody publishes yet is kept before it is 404. A relay that fetches streams on demand
   * has begun to fetch it, and a page is often opened just before the encoder is started.
   */
  readonly waitMs: number;
  /** A client that takes nothing for this long, while there is something to take, is cut off. */
  readonly stallMs: number;
}

export const FLV_DEFAULTS: FlvOptions = Object.freeze({
  outbox: OUTBOX_DEFAULTS,
  // Dialling another server, with TLS, and waiting there for its first frame takes one or two seconds.
  waitMs: 5_000,
  // What the RTMP side grants its players (`limits.drainTimeout`).
  stallMs: 30_000,
});
