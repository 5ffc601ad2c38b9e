/** Our side of a conversation with a proxy, until the way is open: bytes in, bytes to say. No sockets, no clock. */
export interface Negotiation {
  /** To be said at once. */
  readonly opening: Buffer;
  /**
   * Takes what was heard, cut anyhow. Returns what to say to it, nothing yet, or that the way is open. Throws `RemoteError`
   * when the proxy refuses and `TransportError` when it fails or cannot be understood; both name it, neither its password.
   */
  receive(bytes: Buffer): Buffer | 'open' | undefined;
}
