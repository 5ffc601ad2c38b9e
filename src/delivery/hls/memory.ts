/**
 * What all libraries hold together. When it is used up, those that have more than an equal share lose their oldest segments
 * as they grow: whoever fills the memory loses what is theirs.
 */
export class HlsMemory {
  readonly #maxBytes: number;
  #bytes = 0;
  #holders = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Media bytes of all libraries. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A library that had `before` bytes has `after` now. */
  change(before: number, after: number): void {
    this.#bytes += after - before;
    if (before === 0 && after > 0) this.#holders++;
    if (before > 0 && after === 0) this.#holders--;
  }

  /** Whether a library of so many bytes has to let go of some. */
  refuses(bytes: number): boolean {
    return this.#bytes > this.#maxBytes && bytes > this.#maxBytes / this.#holders;
  }
}
