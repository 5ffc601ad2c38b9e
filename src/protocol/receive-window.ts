/**
 * Counts what was received and says when the peer is to be told (Acknowledgement, RTMP 1.0, section 5.4.3).
 *
 * FMLE, Wirecast and some hardware stop sending when their window goes unacknowledged, so that it is acknowledged at half
 * of what they announced, and regularly even when they announced nothing. The total is a 32-bit number on the wire and
 * simply wraps: nginx-rtmp sets its counter back instead, and FMLE stood still for half an hour near 4 GB.
 *
 * While bytes stream in, though, nobody waits for an acknowledgement, and one may do harm: FFmpeg closes its socket as soon
 * as it has written the last frame, and what then reaches the closed socket makes its system reset the connection and throw
 * away whatever is still on the way. (Measured: a file published faster than real time lost up to a quarter.) So an
 * acknowledgement waits for a pause, unless the announced window is nearly used up or the pause does not come.
 */
export class ReceiveWindow {
  #received: number;
  #acknowledged: number;
  #every = DEFAULT_ACK_BYTES;
  #limit = Infinity;
  #pauseFrom = 0;
  #pauseSeen = false;
  #owedSince = Infinity;
  #due = false;

  constructor(receivedBefore = 0) {
    this.#received = this.#acknowledged = receivedBefore;
  }

  add(bytes: number, now: number): void {
    this.#received += bytes;
    this.#pauseFrom = now;
    this.#pauseSeen = false;
    const waiting = this.#received - this.#acknowledged;
    if (waiting < this.#every) return;
    if (this.#owedSince === Infinity) this.#owedSince = now;
    if (waiting >= this.#limit) this.#due = true;
  }

  /** The peer's Window Acknowledgement Size. */
  announced(size: number): void {
    const window = Math.min(Math.max(size, MIN_WINDOW_BYTES), MAX_WINDOW_BYTES);
    this.#every = window / 2;
    this.#limit = window * NEARLY_ALL;
  }

  /** When `tick` wants to be called next, or Infinity. */
  deadline(): number {
    if (this.#due || this.#owedSince === Infinity) return Infinity;
    return Math.min(this.#pauseFrom + ACK_PAUSE_MS, this.#owedSince + ACK_PATIENCE_MS);
  }

  /** A pause counts when it is seen twice: where we were busy ourselves, the timer comes before the bytes that wait. */
  tick(now: number): void {
    if (now < this.deadline()) return;
    if (this.#pauseSeen || now >= this.#owedSince + ACK_PATIENCE_MS) this.#due = true;
    this.#pauseSeen = true;
    this.#pauseFrom = now;
  }

  get due(): boolean {
    return this.#due;
  }

  /** Bytes received so far, modulo 2^32, the handshake's included; from here the count to the next one begins. */
  take(): number {
    this.#acknowledged = this.#received;
    this.#owedSince = Infinity;
    this.#due = false;
    return this.#received % 0x1_0000_0000;
  }
}

/** Without an announcement: half of the 2.5 MB that servers customarily use. */
export const DEFAULT_ACK_BYTES = 1_250_000;
/** A smaller window would buy an acknowledgement for every few bytes. ZLMediaKit: 32 KiB. */
export const MIN_WINDOW_BYTES = 65_536;
/** A larger one (2^31 has been seen) would mean never. ZLMediaKit: 1.25 MiB. */
export const MAX_WINDOW_BYTES = 2_500_000;
/** Less than the time between two pictures, so that a live stream has such pauses; a sender that stands still hardly notices. */
export const ACK_PAUSE_MS = 5;
/** Without a pause, a peer that announced no window hears of us this often all the same. */
export const ACK_PATIENCE_MS = 5_000;
/** The part of an announced window that may be used before the peer is told without waiting: it must not come to a stop. */
const NEARLY_ALL = 3 / 4;
