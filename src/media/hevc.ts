import { BitReader, withoutEmulation } from './bits.ts';
import { readHevcLook } from './hevc-vui.ts';
import type { VideoConfig } from './video-config.ts';
import type { VideoLook } from './vui.ts';

const SPS = 33;

/** HEVCDecoderConfigurationRecord, ISO/IEC 14496-15, 8.3.3.1. */
export function hevcConfig(record: Buffer): VideoConfig | undefined {
  const sps = parameterSet(record, SPS);
  if (sps === undefined) return undefined;
  return { codec: 'hevc', codecString: codecString(record), ...readSps(sps), description: record };
}

function parameterSet(record: Buffer, wanted: number): Buffer | undefined {
  let at = 23;
  for (let arrays = record[22] ?? 0; arrays > 0 && at + 3 <= record.length; arrays--) {
    const type = record[at]! & 63;
    let count = record.readUInt16BE(at + 1);
    at += 3;
    for (; count > 0 && at + 2 <= record.length; count--) {
      const end = at + 2 + record.readUInt16BE(at);
      if (type === wanted && end <= record.length) return record.subarray(at + 2, end);
      at = end;
    }
  }
  return undefined;
}

/** ISO/IEC 14496-15, E.3: profile, compatibility (its bits the other way round), tier and level, constraints. */
function codecString(record: Buffer): string {
  const space = ['', 'A', 'B', 'C'][record[1]! >> 6]!;
  const tier = (record[1]! & 32) === 0 ? 'L' : 'H';
  const constraints = [...record.subarray(6, 12)].map((byte) => byte.toString(16).toUpperCase());
  while (constraints.at(-1) === '0') constraints.pop();
  const parts = [`${space}${record[1]! & 31}`, reversed(record.readUInt32BE(2)).toString(16).toUpperCase()];
  return ['hvc1', ...parts, `${tier}${record[12]!}`, ...constraints].join('.');
}

function reversed(bits: number): number {
  let result = 0;
  for (let i = 0; i < 32; i++) result = (result << 1) | ((bits >>> i) & 1);
  return result >>> 0;
}

/** Sequence parameter set, H.265, 7.3.2.2.1. */
function readSps(sps: Buffer): { readonly width: number; readonly height: number } & VideoLook {
  const bits = new BitReader(withoutEmulation(sps.subarray(2)));
  bits.skip(4);
  const subLayers = bits.read(3);
  bits.skip(1);
  skipProfile(bits, subLayers);
  bits.ue();
  const chroma = bits.ue();
  if (chroma === 3) bits.skip(1);
  const width = bits.ue();
  const height = bits.ue();
  const [left, right, top, bottom] = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = chroma === 1 ? 2 : 1;
  const size = { width: width - (left + right) * cropX, height: height - (top + bottom) * cropY };
  return { ...size, ...readHevcLook(bits, subLayers) };
}

function skipProfile(bits: BitReader, subLayers: number): void {
  bits.skip(96);
  const present = Array.from({ length: subLayers }, () => [bits.flag(), bits.flag()] as const);
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const [profile, level] of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
}
