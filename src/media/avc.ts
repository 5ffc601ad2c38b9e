import { BitReader, withoutEmulation } from './bits.ts';
import type { VideoConfig } from './video-config.ts';
import { look, readFrameRate, readTransfer, type VideoLook } from './vui.ts';

/** AVCDecoderConfigurationRecord, ISO/IEC 14496-15, 5.3.3.1. */
export function avcConfig(record: Buffer): VideoConfig | undefined {
  if (record.length < 8 || (record[5]! & 31) === 0) return undefined;
  const sps = record.subarray(8, 8 + record.readUInt16BE(6));
  if (sps.length < 4) return undefined;
  const codecString = `avc1.${record.toString('hex', 1, 4)}`;
  return { codec: 'avc', codecString, ...readSps(sps), description: record };
}

/** Profiles whose sequence parameter sets tell the chroma format (H.264, 7.3.2.1.1). */
const WITH_CHROMA = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Sequence parameter set, H.264, 7.3.2.1.1. */
function readSps(sps: Buffer): { readonly width: number; readonly height: number } & VideoLook {
  const bits = new BitReader(withoutEmulation(sps.subarray(1)));
  const profile = bits.read(8);
  bits.skip(16);
  bits.ue();
  const chroma = WITH_CHROMA.has(profile) ? readChroma(bits) : 1;
  bits.ue();
  skipPictureOrder(bits);
  bits.ue();
  bits.skip(1);
  const widthInBlocks = bits.ue() + 1;
  const heightInUnits = bits.ue() + 1;
  const fields = bits.flag() ? 1 : 2;
  if (fields === 2) bits.skip(1);
  bits.skip(1);
  const [left, right, top, bottom] = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = (chroma === 1 ? 2 : 1) * fields;
  return {
    width: widthInBlocks * 16 - (left + right) * cropX,
    height: heightInUnits * 16 * fields - (top + bottom) * cropY,
    ...(bits.flag() && readLook(bits)),
  };
}

function readLook(bits: BitReader): VideoLook {
  const transfer = readTransfer(bits);
  // A tick is a field.
  return look(readFrameRate(bits, 2), transfer);
}

function readChroma(bits: BitReader): number {
  const chroma = bits.ue();
  if (chroma === 3) bits.skip(1);
  bits.ue();
  bits.ue();
  bits.skip(1);
  if (bits.flag())
    for (let i = 0; i < (chroma === 3 ? 12 : 8); i++) if (bits.flag()) skipScaling(bits, i < 6 ? 16 : 64);
  return chroma;
}

function skipScaling(bits: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i++) {
    if (next !== 0) next = (last + bits.se() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.ue();
  if (type === 0) bits.ue();
  if (type !== 1) return;
  bits.skip(1);
  bits.se();
  bits.se();
  const count = Math.min(bits.ue(), 255);
  for (let i = 0; i < count; i++) bits.se();
}
