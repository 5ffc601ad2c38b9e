/** One piece of timed metadata. */
export interface Cue {
  /** Tells it from all others of the stream. */
  readonly id: number;
  /** Milliseconds of media time. */
  readonly at: number;
  /** A whole ID3 tag. */
  readonly tag: Buffer;
}

const SCHEME = 'https://aomedia.org/emsg/ID3';
const MILLISECONDS = 1_000;
/** ID3 tags do not say how long they hold. */
const NO_DURATION = 0xffffffff;
const HEAD_BYTES = 8;

/**
 * A cue as an event message box, version 1 (AOM, "Carriage of ID3 Timed Metadata in CMAF", 2.2; ISO/IEC 23009-1, 5.10.3.3):
 *
 *     size:32 | "emsg" | version:8 flags:24 | timescale:32 | time:64 | duration:32 | id:32 | scheme 00 | value 00 | message |
 *
 * It stands in front of a fragment, and its time is within it.
 */
export function emsgBox({ id, at, tag }: Cue): Buffer {
  const fixed = Buffer.alloc(24);
  fixed[0] = 1;
  fixed.writeUInt32BE(MILLISECONDS, 4);
  fixed.writeBigUInt64BE(BigInt(at), 8);
  fixed.writeUInt32BE(NO_DURATION, 16);
  fixed.writeUInt32BE(id, 20);
  return box('emsg', [fixed, Buffer.from(`${SCHEME}\0\0`), tag]);
}

function box(type: string, contents: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(contents.reduce((sum, { length }) => sum + length, HEAD_BYTES));
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...contents]);
}

const BRAND = Buffer.from('aid3');

/** The same initialisation (`ftyp` first), saying among its brands that there may be such boxes (AOM, 2.3). */
export function withCueBrand(init: Buffer): Buffer {
  const end = init.readUInt32BE(0);
  const result = Buffer.concat([init.subarray(0, end), BRAND, init.subarray(end)]);
  result.writeUInt32BE(end + BRAND.length);
  return result;
}
