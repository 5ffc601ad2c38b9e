/** Reads bits from the front of each byte, as video bitstreams are written. Past the end it reads zeros. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Fewer than 32 bits as an unsigned number. */
  read(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[this.#at >> 3] ?? 0;
      value = (value << 1) | ((byte >> (7 - (this.#at & 7))) & 1);
      this.#at++;
    }
    return value >>> 0;
  }

  flag(): boolean {
    return this.read(1) === 1;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** Unsigned Exp-Golomb code (H.264, 9.1); no sane value has more than 31 leading zeros. */
  ue(): number {
    let zeros = 0;
    while (zeros < 31 && this.read(1) === 0) zeros++;
    return zeros === 0 ? 0 : 2 ** zeros - 1 + this.read(zeros);
  }

  /** Signed Exp-Golomb code (H.264, 9.1.1). */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

/** The payload of a NAL unit: without the bytes that keep start codes from appearing in it (H.264, 7.4.1.1). */
export function withoutEmulation(nal: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(nal.length);
  let length = 0;
  let zeros = 0;
  for (const byte of nal) {
    const isGuard = zeros >= 2 && byte === 3;
    zeros = byte === 0 ? zeros + 1 : 0;
    if (!isGuard) bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}
