/**
 * Counts what was received and says when the peer is to be told (Acknowledgement, RTMP 1.0, section 5.4.3).
 *
 * FMLE, Wirecast and some hardware stop sending when their window goes unacknowledged, so that it is acknowledged at half
 * of what they announced, and regularly even when they announced nothing. The total is a 32-bit number on the wire and
 * simply wraps: nginx-rtmp sets its counter back instead, and FMLE stood still for half an hour near 4 GB.
 */
export class ReceiveWindow {
  #received: number;
  #acknowledged: number;
  #every = DEFAULT_ACK_BYTES;

  constructor(receivedBefore = 0) {
    this.#received = this.#acknowledged = receivedBefore;
  }

  add(bytes: number): void {
    this.#received += bytes;
  }

  /** The peer's Window Acknowledgement Size. */
  announced(size: number): void {
    this.#every = Math.min(Math.max(size, MIN_WINDOW_BYTES), MAX_WINDOW_BYTES) / 2;
  }

  get due(): boolean {
    return this.#received - this.#acknowledged >= this.#every;
  }

  /** Bytes received so far, modulo 2^32, the handshake's included; from here the count to the next one begins. */
  take(): number {
    this.#acknowledged = this.#received;
    return this.#received % 0x1_0000_0000;
  }
}

/** Without an announcement: half of the 2.5 MB that servers customarily use. */
export const DEFAULT_ACK_BYTES = 1_250_000;
/** A smaller window would buy an acknowledgement for every few bytes. ZLMediaKit: 32 KiB. */
export const MIN_WINDOW_BYTES = 65_536;
/** A larger one (2^31 has been seen) would mean never. ZLMediaKit: 1.25 MiB. */
export const MAX_WINDOW_BYTES = 2_500_000;
