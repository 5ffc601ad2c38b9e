/** What the pause before the next idle depends on: the answer that has just come. */
export interface Answered {
  readonly command: 'send' | 'idle';
  /** First byte of the answer's body; undefined when the body was empty. */
  readonly pollingByte: number | undefined;
  /** Whether RTMP bytes came with it. */
  readonly payload: boolean;
  /** From request to answer, in milliseconds. */
  readonly tookMs: number;
}

/** One step of the polling byte: Adobe's range of 0 to 4064 ms is 254 steps of 16 ms. */
const POLLING_UNIT_MS = 16;

/**
 * How long an RTMPT client should leave the server alone before it asks again with nothing to say. Pure.
 *
 * Data calls for more data at once. An empty answer names a pause; the time that the server held the answer has
 * already been part of it, so one that holds its answers (long polling) is asked again without any. A byte of 0, which
 * Red5 sends in its last answer, counts as one step: no server is to make us spin.
 *
 * @param quietMs how long to wait for something to send after an empty answer to a send
 */
export function pauseBeforeIdle(answered: Answered, quietMs: number): number {
  if (answered.payload) return 0;
  const asked = Math.max(1, answered.pollingByte ?? 1) * POLLING_UNIT_MS - answered.tookMs;
  return Math.max(0, asked, answered.command === 'send' ? quietMs : 0);
}
