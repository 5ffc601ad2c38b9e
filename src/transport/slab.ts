export const SLAB_BYTES = 128 * 1024;

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;
let newest: Buffer | undefined;

/*
 * Memory for what is read from a socket and mostly written to another at once: pieces of a slab, the newest of which can
 * be given back. Node makes a new 64 KiB buffer for every read; collecting them costs a bridge more than a quarter of
 * its time (measured), and its caches more still. Whoever keeps a piece, or knows nothing of this, just keeps it: it is
 * ordinary memory, and a slab lives as long as any of its pieces. Two reads fit into one, so that a piece that stays
 * never holds more than twice the memory it might have had by itself.
 */

/** A copy of `bytes`, of which there may be as many as fit into a slab. */
export function keep(bytes: Uint8Array): Buffer {
  const { length } = bytes;
  if (used + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  newest = slab.subarray(used, used + length);
  newest.set(bytes);
  used += length;
  return newest;
}

/** Says that nobody needs `piece` any more. Only the newest one is really taken back; anything else may be given too. */
export function release(piece: Buffer): void {
  if (piece !== newest) return;
  used -= piece.length;
  newest = undefined;
}
