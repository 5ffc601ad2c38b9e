/** Values within an octave are told apart to 1/32: three per cent, far below the noise of any run. */
const STEPS = 32;
const OCTAVES = 40;

/** The spread of a run's delays: what half, and all but one in a hundred, stayed under. Milliseconds. */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Counts microseconds in buckets, so that adding one costs an increment and no memory. */
export class Histogram {
  readonly #buckets = new Uint32Array(STEPS * OCTAVES);
  #count = 0;
  #max = 0;

  add(micros: number): void {
    const value = Math.max(1, micros);
    const octave = Math.floor(Math.log2(value));
    const step = Math.floor((value / 2 ** octave - 1) * STEPS);
    const index = Math.min(this.#buckets.length - 1, octave * STEPS + step);
    this.#buckets[index] = this.#buckets[index]! + 1;
    this.#count += 1;
    if (value > this.#max) this.#max = value;
  }

  clear(): void {
    this.#buckets.fill(0);
    this.#count = 0;
    this.#max = 0;
  }

  spread(): Spread | undefined {
    if (this.#count === 0) return undefined;
    return {
      count: this.#count,
      p50: this.#at(0.5),
      p90: this.#at(0.9),
      p99: this.#at(0.99),
      max: round(this.#max / 1e3),
    };
  }

  #at(share: number): number {
    const wanted = Math.ceil(share * this.#count);
    let seen = 0;
    for (let index = 0; index < this.#buckets.length; index++) {
      seen += this.#buckets[index]!;
      if (seen >= wanted) return round(Math.min(this.#max, upperEdge(index)) / 1e3);
    }
    return round(this.#max / 1e3);
  }
}

function upperEdge(index: number): number {
  return 2 ** Math.floor(index / STEPS) * (1 + ((index % STEPS) + 1) / STEPS);
}

const round = (value: number) => Math.round(value * 1000) / 1000;
