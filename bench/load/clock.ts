/**
 * Microseconds of the machine's monotonic clock. All processes of one machine share it, so a stamp made in one can be
 * compared in another (`performance.now()` counts from the start of each process).
 */
export function nowMicros(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}
