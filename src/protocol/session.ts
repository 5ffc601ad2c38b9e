/**
 * RTMP without I/O: bytes in, events out, bytes to send. No sockets, no timers, no clock.
 *
 * The driver's duties: feed every byte, in order, to `receive`; after each call write what `takeOutput` returns, in that
 * order; wake the session with `tick` once `deadline()` has passed. All times are milliseconds of one monotonic clock.
 */
export interface Session<E> {
  /**
   * Takes received bytes (any cut) and returns what they meant. `bytes` is only read during the call.
   * Throws `ProtocolError` when the peer broke the rules; events that came before the fault are returned first, and the
   * fault is then thrown by the next call (`deadline()` is 0 so that it comes at once). A failed session stays failed.
   */
  receive(bytes: Buffer, now: number): E[];
  /** Bytes to send, in order, each Buffer ending at a message's end. Empty when there are none. */
  takeOutput(): Buffer[];
  /** When `tick` wants to be called, or undefined for never. */
  deadline(): number | undefined;
  /** Lets time pass. Throws `ProtocolError` when a deadline of the peer's has passed. */
  tick(now: number): E[];
  /** The transport is gone: no event or output comes any more. */
  end(): void;
}
