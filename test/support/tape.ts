import { seeded } from './random.ts';

/** A prime: no size or count that occurs is a multiple of it, so that bytes that moved never look right. */
const PERIOD = 1_048_573;
const LOOP = seeded(4711).bytes(PERIOD);
const TWICE = Buffer.concat([LOOP, LOOP]);

/** A running pattern without end, and a place on it: to send from, or to check against. */
export class Tape {
  position = 0;

  /** The next `length` bytes, at most a period. */
  take(length: number): Buffer {
    const bytes = this.#at(length);
    this.position += length;
    return bytes;
  }

  /** Throws unless these are the next bytes. */
  check(bytes: Buffer): void {
    if (!bytes.equals(this.#at(bytes.length))) throw new Error(this.#wrong(bytes));
    this.position += bytes.length;
  }

  #at(length: number): Buffer {
    const start = this.position % PERIOD;
    return TWICE.subarray(start, start + length);
  }

  #wrong(bytes: Buffer): string {
    const found = TWICE.indexOf(bytes.subarray(0, 32));
    const where = found < 0 ? 'are nowhere in the pattern' : `belong ${found - (this.position % PERIOD)} bytes on`;
    return `${bytes.length} bytes at ${this.position} are wrong: they ${where}`;
  }
}
