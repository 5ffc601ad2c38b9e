import { BitReader, withoutEmulation } from './bits.ts';
import { av1Config } from './av1.ts';
import { hevcConfig } from './hevc.ts';
import { vp9Config } from './vp9.ts';

/** What a decoder of a video track has to be told, and what a playlist says of it. */
export interface VideoConfig {
  readonly codec: 'avc' | 'hevc' | 'av1' | 'vp9';
  /** RFC 6381, as in a playlist's CODECS. */
  readonly codecString: string;
  /** Pixels shown. */
  readonly width: number;
  readonly height: number;
  /** avcC or hvcC; the others need none. */
  readonly description: Uint8Array | undefined;
}

/**
 * Reads the configuration record of a video track; AV1 and VP9 may say all that is needed in their first keyframe.
 * Undefined if it is not understood, or not enough yet.
 */
export function videoConfig(fourCc: string, record: Buffer | undefined, keyframe?: Buffer): VideoConfig | undefined {
  try {
    const config = readConfig(fourCc, record, keyframe);
    return config && isSide(config.width) && isSide(config.height) ? config : undefined;
  } catch {
    // Cut short: no configuration.
    return undefined;
  }
}

function readConfig(fourCc: string, record: Buffer | undefined, keyframe?: Buffer): VideoConfig | undefined {
  if (fourCc === 'avc1') return record && avcConfig(record);
  if (fourCc === 'hvc1') return record && hevcConfig(record);
  if (fourCc === 'av01') return av1Config(record, keyframe);
  return fourCc === 'vp09' ? vp9Config(record, keyframe) : undefined;
}

/** MP4 has 16 bits for it (ISO/IEC 14496-12, 12.1.3), and no codec here goes further. */
function isSide(pixels: number): boolean {
  return pixels >= 1 && pixels <= 0xffff;
}

/** AVCDecoderConfigurationRecord, ISO/IEC 14496-15, 5.3.3.1. */
function avcConfig(record: Buffer): VideoConfig | undefined {
  if (record.length < 8 || (record[5]! & 31) === 0) return undefined;
  const sps = record.subarray(8, 8 + record.readUInt16BE(6));
  if (sps.length < 4) return undefined;
  const codecString = `avc1.${record.toString('hex', 1, 4)}`;
  return { codec: 'avc', codecString, ...avcSize(sps), description: record };
}

/** Profiles whose sequence parameter sets tell the chroma format (H.264, 7.3.2.1.1). */
const WITH_CHROMA = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

function avcSize(sps: Buffer): { width: number; height: number } {
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
  };
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
