import { BitReader } from './bits.ts';
import type { VideoConfig } from './video-config.ts';
import { look } from './vui.ts';

const SYNC = 0x498342;
const SRGB = 7;

/** VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding, 2.2); the size is only in keyframes. */
export function vp9Config(record: Buffer | undefined, keyframe: Buffer | undefined): VideoConfig | undefined {
  const size = keyframe && readKeyframe(keyframe);
  if (size === undefined) return undefined;
  const { width, height } = size;
  const [profile, level, depth, transfer] = record === undefined ? [size.profile, 10, 8] : readRecord(record);
  const two = (value: number) => String(value).padStart(2, '0');
  const codecString = `vp09.${two(profile)}.${two(level)}.${two(depth)}`;
  return { codec: 'vp9', codecString, width, height, description: undefined, ...look(undefined, transfer) };
}

/** Some senders leave version and flags of the box before it. */
function readRecord(record: Buffer): [profile: number, level: number, depth: number, transfer: number | undefined] {
  const start = record.length >= 12 && record.readUInt32BE(0) === 0x01000000 ? 4 : 0;
  return [record[start] ?? 0, record[start + 1] || 10, (record[start + 2] ?? 0x80) >> 4, record[start + 4]];
}

/** Uncompressed header of a keyframe (VP9, 6.2). */
function readKeyframe(frame: Buffer): { width: number; height: number; profile: number } | undefined {
  const bits = new BitReader(frame);
  if (bits.read(2) !== 2) return undefined;
  const low = bits.read(1);
  const profile = low + bits.read(1) * 2;
  if (profile === 3) bits.skip(1);
  if (bits.flag() || bits.flag()) return undefined;
  bits.skip(2);
  if (bits.read(24) !== SYNC) return undefined;
  if (profile >= 2) bits.skip(1);
  if (bits.read(3) !== SRGB) bits.skip(profile === 1 || profile === 3 ? 4 : 1);
  else if (profile === 1 || profile === 3) bits.skip(1);
  return { width: bits.read(16) + 1, height: bits.read(16) + 1, profile };
}
