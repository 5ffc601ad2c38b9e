/** Red5 leaves the interval alone for this many empty answers in a row (`INCREASE_POLLING_DELAY_COUNT`). */
const PATIENCE = 10;
/** Red5's `MAX_POLLING_DELAY`: about half a second in units of 16 ms. */
const MAX_INTERVAL = 32;

/**
 * The interval byte: how long the client should pause before its next idle, in units of about 16 ms. With holding it is
 * always 1, since the hold itself is the pause; librtmp and FFmpeg ignore the byte anyway. Without holding it climbs
 * Red5's ladder 01, 03, 05, 09, 11, 21 (hex), one step for every empty answer after the tenth in a row. Never 0, which
 * says that the session is closing.
 */
export function intervalByte(holdMs: number, emptyInARow: number): number {
  const steps = emptyInARow - PATIENCE;
  if (holdMs > 0 || steps <= 0) return 1;
  return Math.min(MAX_INTERVAL, 2 ** steps) + 1;
}

/** What decides how long an answer may wait for data. */
export interface Asking {
  readonly kind: 'send' | 'idle';
  /** C0C1 is in, and the client has not been told anything yet. */
  readonly greeting: boolean;
}

/**
 * How long a request that finds nothing to carry back may wait. A send never waits but for the handshake's answer: an
 * FFmpeg publisher falls behind real time from 200 ms on (measured), while red5-client and RootEncoder need S0S1S2 whole
 * in the answer to C0C1.
 */
export function holdTime(asking: Asking, times: { readonly holdMs: number; readonly handshakeHoldMs: number }): number {
  if (asking.kind === 'idle') return times.holdMs;
  return asking.greeting ? times.handshakeHoldMs : 0;
}
