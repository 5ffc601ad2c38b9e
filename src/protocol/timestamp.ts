/**
 * Timestamps are milliseconds modulo 2^32 and wrap after 49.7 days (RTMP 1.0, 5.1). Which of two is later is decided by
 * serial arithmetic: the shorter way round, as a signed 32-bit difference.
 */

/** The timestamp `delta` milliseconds after `timestamp`; a negative delta goes back, also across the wrap. */
export function addTimestamp(timestamp: number, delta: number): number {
  return (timestamp + delta) >>> 0;
}

/** Milliseconds from `b` to `a`, between -2^31 and 2^31 - 1: negative when `a` is the earlier one. Sorts. */
export function compareTimestamps(a: number, b: number): number {
  return (a - b) | 0;
}
