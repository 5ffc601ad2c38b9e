import { gzipSync } from 'node:zlib';

/** Shorter ones fit into one packet as they are. */
const GZIP_FROM = 1_000;

/** A playlist that many ask for at once: compressed when the first of them wants it so, and for all. */
export class SharedText {
  readonly text: string;
  #gzipped: Buffer | undefined = undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Undefined where compressing would gain nothing. */
  get gzipped(): Buffer | undefined {
    if (this.text.length < GZIP_FROM) return undefined;
    return (this.#gzipped ??= gzipSync(this.text));
  }
}
