import type { BitReader } from './bits.ts';

/** What a video bitstream says of how it is shown, as far as it says it. */
export interface VideoLook {
  /** Pictures a second. */
  readonly frameRate?: number;
  /** Transfer characteristics by their number in ITU-T H.273. */
  readonly transfer?: number;
}

const EXTENDED_SAR = 255;
/** H.273: not told. */
const UNSPECIFIED = 2;

/** Video usability information as H.264 (E.1.1) and H.265 (E.2.1) begin alike, up to the place of chroma. */
export function readTransfer(bits: BitReader): number | undefined {
  let transfer: number | undefined;
  if (bits.flag() && bits.read(8) === EXTENDED_SAR) bits.skip(32);
  if (bits.flag()) bits.skip(1);
  if (bits.flag()) {
    bits.skip(4);
    if (bits.flag()) transfer = readColour(bits);
  }
  if (bits.flag()) {
    bits.ue();
    bits.ue();
  }
  return transfer;
}

/** Primaries, transfer and matrix, eight bits each: the second of them. */
export function readColour(bits: BitReader): number | undefined {
  bits.skip(8);
  const transfer = bits.read(8);
  bits.skip(8);
  return transfer === UNSPECIFIED ? undefined : transfer;
}

/** Timing: `ticks` of its clock make one picture. */
export function readFrameRate(bits: BitReader, ticks: 1 | 2): number | undefined {
  if (!bits.flag()) return undefined;
  const [units, scale] = [bits.read(32), bits.read(32)];
  return units === 0 || scale === 0 ? undefined : scale / (units * ticks);
}

/** Leaves out what is not known. */
export function look(frameRate: number | undefined, transfer: number | undefined): VideoLook {
  return { ...(frameRate !== undefined && { frameRate }), ...(transfer !== undefined && { transfer }) };
}
