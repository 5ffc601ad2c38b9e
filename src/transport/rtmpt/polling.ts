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
  /** The client is sending media. */
  readonly publishing: boolean;
  /** The request before it was a send. */
  readonly afterSend: boolean;
}

export interface HoldTimes {
  readonly holdMs: number;
  readonly handshakeHoldMs: number;
  readonly publisherHoldMs: number;
}

/**
 * How long a request that finds nothing to carry back may wait.
 *
 * A send never waits but for the handshake's answer: an FFmpeg publisher falls behind real time from 200 ms on
 * (measured), while red5-client and RootEncoder need S0S1S2 whole in the answer to C0C1.
 *
 * An idle waits, or librtmp would ask ten thousand times a second; but hardly at all while the client publishes. It has
 * one connection and asks one thing at a time, so until it is answered its next frame cannot be sent.
 */
export function holdTime(asking: Asking, times: HoldTimes): number {
  if (asking.kind === 'send') return asking.greeting ? times.handshakeHoldMs : 0;
  if (!asking.publishing) return times.holdMs;
  return asking.afterSend ? 0 : Math.min(times.holdMs, times.publisherHoldMs);
}

/** 16 kbit/s: below any audio, above a player's acknowledgements and pongs (a few bytes in seconds). */
const LEAK_BYTES_PER_MS = 2;
/** Half a second's worth: a burst of commands at the start is forgotten soon, a publisher's pause too. */
const FULL_BYTES = 1024;
const MAX_BYTES = 2 * FULL_BYTES;

/** Tells a publisher from a player by how much it sends: a leaking bucket. */
export class Uplink {
  #level = 0;
  #at = 0;

  /** The client sent `bytes`. */
  note(bytes: number, now: number): void {
    this.#level = Math.min(MAX_BYTES, this.#levelAt(now) + bytes);
    this.#at = now;
  }

  isBusy(now: number): boolean {
    return this.#level >= FULL_BYTES && this.#levelAt(now) >= FULL_BYTES;
  }

  #levelAt(now: number): number {
    return Math.max(0, this.#level - (now - this.#at) * LEAK_BYTES_PER_MS);
  }
}
