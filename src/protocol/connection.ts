/** What a session needs from outside: where its limits stand, and randomness for the handshake. */
export interface SessionOptions {
  readonly random: (bytes: number) => Buffer;
  /** Outgoing chunk size, announced once. */
  readonly chunkSize: number;
  readonly windowAckSize: number;
  readonly handshakeTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly firstMediaTimeoutMs: number;
  readonly pingAfterMs: number;
  readonly idleTimeoutMs: number;
}
/** What a caller gives: the defaults fill the rest. */
export type SessionSettings = Partial<SessionOptions> & Pick<SessionOptions, 'random'>;
