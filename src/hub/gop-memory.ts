/**
 * What the groups of pictures of all streams hold together. Each has a bound of its own, but one connection may publish
 * eight streams and one address has two hundred connections: at those bounds 25 GiB.
 *
 * When it is used up, groups larger than an equal share are let go as they grow, until their next keyframe. So whoever
 * fills the memory loses what is theirs, small groups of others live on, and the sum stays below twice the bound (a group
 * that has stopped growing keeps what it has).
 */
export class GopMemory {
  readonly #maxBytes: number;
  #bytes = 0;
  #groups = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Payload bytes of all groups. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A group that had `before` bytes has `after` now; 0 is no group. */
  change(before: number, after: number): void {
    this.#bytes += after - before;
    if (before === 0 && after > 0) this.#groups++;
    if (before > 0 && after === 0) this.#groups--;
  }

  /** Whether a group of so many bytes has to go. */
  refuses(bytes: number): boolean {
    return this.#bytes > this.#maxBytes && bytes > this.#maxBytes / this.#groups;
  }
}
