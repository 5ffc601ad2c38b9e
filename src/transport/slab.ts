/*
 * Memory for what is read from a socket and written to another soon: a piece lies in a slab of its own, and a slab whose
 * piece is given back is used again. Node makes a new 64 KiB buffer for every read; collecting them costs a bridge more
 * than a quarter of its time (measured, and a sixth behind TLS), and its caches more still. Whoever keeps a piece, or
 * knows nothing of this, just keeps it: what is never given back is left to the garbage collector.
 */

export const SLAB_LIMITS = Object.freeze({
  // Sizes are powers of two, so that a piece holds less than twice its own memory, however long it waits.
  minBytes: 4 * 1024,
  // As much as libuv reads at a time.
  maxBytes: 64 * 1024,
  // Of each of the five sizes, 20 MiB in all. 500 sessions that are each brought the same 8 KiB picture find a slab for it.
  maxIdleBytes: 4 * 1024 * 1024,
});

/** Those that wait for a piece, by size; the one that came last is still in the cache, and goes first. */
const idle = new Map<number, Buffer[]>();
for (let size = SLAB_LIMITS.minBytes; size <= SLAB_LIMITS.maxBytes; size *= 2) idle.set(size, []);

/** Whose slab is whose. An entry is taken out with the first return: a slab that waited twice would serve two at once. */
const slabs = new WeakMap<Buffer, Buffer>();

/** A copy of `bytes`, in memory that nobody else has. */
export function keep(bytes: Uint8Array): Buffer {
  const size = 1 << (32 - Math.clz32(bytes.length - 1));
  const waiting = idle.get(size);
  // Node has memory for small ones, many of which share one allocation.
  if (waiting === undefined) return Buffer.from(bytes);
  const slab = waiting.pop() ?? Buffer.allocUnsafeSlow(size);
  const piece = slab.subarray(0, bytes.length);
  piece.set(bytes);
  slabs.set(piece, slab);
  return piece;
}

/** Says that nobody needs `piece` any more, nor will ever look at it. What did not come from `keep` may be given too. */
export function release(piece: Buffer): void {
  const slab = slabs.get(piece);
  if (slab === undefined) return;
  slabs.delete(piece);
  const waiting = idle.get(slab.length)!;
  if (waiting.length * slab.length < SLAB_LIMITS.maxIdleBytes) waiting.push(slab);
}
