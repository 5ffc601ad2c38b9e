import type { SeededRandom } from './random.ts';

/** The buffer in consecutive pieces of random length, none empty; joined again they are the buffer. */
export function cuts(buffer: Buffer, random: SeededRandom): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  while (start < buffer.length) {
    // Mostly small pieces, now and then a large one: parsers break at both.
    const reach = random.int(4) === 0 ? buffer.length - start : Math.min(40, buffer.length - start);
    const end = start + 1 + random.int(reach);
    pieces.push(own(buffer, start, end));
    start = end;
  }
  return pieces;
}

/** The buffer as one-byte pieces. */
export function byteByByte(buffer: Buffer): Buffer[] {
  return Array.from({ length: buffer.length }, (_, i) => own(buffer, i, i + 1));
}

/** A copy, so that a parser that keeps a view of its input cannot pass by luck. */
function own(buffer: Buffer, start: number, end: number): Buffer {
  return Buffer.from(buffer.subarray(start, end));
}
