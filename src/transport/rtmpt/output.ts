import type { Memory } from './memory.ts';

/** What a core has written and no answer has taken yet. Remembers where writes ended: answers should end there, too. */
export class Output {
  readonly #memory: Memory;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#add(chunk.length);
  }

  /** Puts chunks back in front of everything. */
  unshift(chunks: readonly Buffer[]): void {
    this.#chunks.unshift(...chunks);
    for (const chunk of chunks) this.#add(chunk.length);
  }

  /**
   * Takes whole writes, at most `maxBytes` in all. With `part`, as much of the first one as fits when it is longer than
   * that alone.
   */
  take(maxBytes: number, part: boolean): Buffer[] {
    if (this.#bytes <= maxBytes) return this.clear();
    let bytes = 0;
    let count = 0;
    for (const { length } of this.#chunks) {
      if (bytes + length > maxBytes) break;
      bytes += length;
      count += 1;
    }
    const taken = this.#chunks.splice(0, count);
    if (count === 0 && part) {
      const [first] = this.#chunks;
      taken.push(first!.subarray(0, maxBytes));
      this.#chunks[0] = first!.subarray(maxBytes);
      bytes = maxBytes;
    }
    this.#add(-bytes);
    return taken;
  }

  /** Takes everything. */
  clear(): Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#add(-this.#bytes);
    return chunks;
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    this.#memory.add(bytes);
  }
}

/** Cuts `bytes` off the end of `chunks` and returns what was cut off. */
export function cutTail(chunks: Buffer[], bytes: number): Buffer[] {
  const tail: Buffer[] = [];
  let left = bytes;
  while (left > 0) {
    const last = chunks.pop();
    if (last === undefined) break;
    if (last.length > left) {
      chunks.push(last.subarray(0, last.length - left));
      tail.unshift(last.subarray(last.length - left));
      break;
    }
    tail.unshift(last);
    left -= last.length;
  }
  return tail;
}

export function lengthOf(chunks: readonly Buffer[]): number {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return bytes;
}
