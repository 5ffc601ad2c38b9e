/**
 * What many of one kind hold together: the last groups of pictures of all streams, or their segments. Each has a bound of
 * its own, but there may be thousands: one address with two hundred connections of eight streams each could publish
 * groups of 25 GiB.
 *
 * When it is used up, those that hold more than an equal share let go of something as they grow. So whoever fills the
 * memory loses what is theirs, small ones live on, and the sum stays below twice the bound (what has stopped growing stays).
 */
export class FairShare {
  readonly #maxBytes: number;
  #bytes = 0;
  #holders = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What all of them hold. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One that held `before` bytes holds `after` now; whoever has 0 is not counted. */
  change(before: number, after: number): void {
    this.#bytes += after - before;
    if (before === 0 && after > 0) this.#holders++;
    if (before > 0 && after === 0) this.#holders--;
  }

  /** Whether one that holds so many bytes has to let go of some. */
  refuses(bytes: number): boolean {
    return this.#bytes > this.#maxBytes && bytes > this.#maxBytes / this.#holders;
  }
}
