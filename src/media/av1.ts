import { BitReader } from './bits.ts';
import type { VideoConfig } from './video-config.ts';
import { look, readColour, type VideoLook } from './vui.ts';

const SEQUENCE_HEADER = 1;

/** av1C (AV1 in ISOBMFF, 2.3.3), with the sequence header inside it or in the first keyframe. */
export function av1Config(record: Buffer | undefined, keyframe: Buffer | undefined): VideoConfig | undefined {
  const header = (record && sequenceHeader(record.subarray(4))) ?? (keyframe && sequenceHeader(keyframe));
  if (header === undefined) return undefined;
  const { codecString, ...rest } = readSequence(header);
  const told = record && record.length >= 4 ? fromRecord(record) : codecString;
  return { codec: 'av1', codecString: told, ...rest, description: undefined };
}

/** AV1 in ISOBMFF, 5: profile, level and tier, bit depth, then whether it is monochrome and how colour is sampled. */
function fromRecord(record: Buffer): string {
  const bits = new BitReader(record.subarray(1));
  const profile = bits.read(3);
  const level = bits.read(5);
  const tier = bits.flag();
  const [high, twelve, mono] = [bits.flag(), bits.flag(), bits.read(1)];
  const sampling = `${bits.read(1)}${bits.read(1)}${bits.read(2)}`;
  return name(profile, level, tier, high ? (twelve ? 12 : 10) : 8, mono, sampling);
}

function name(profile: number, level: number, tier: boolean, depth: number, mono: number, sampling: string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const short = `av01.${profile}.${two(level)}${tier ? 'H' : 'M'}.${two(depth)}`;
  return mono === 0 && sampling.startsWith('11') ? short : `${short}.${mono}.${sampling}`;
}

/** The first sequence header among OBUs with sizes (AV1, 5.3). */
function sequenceHeader(obus: Buffer): Buffer | undefined {
  let at = 0;
  while (at < obus.length) {
    const head = obus[at]!;
    at += (head & 4) === 0 ? 1 : 2;
    let size = obus.length - at;
    if ((head & 2) !== 0) [size, at] = leb128(obus, at);
    if (((head >> 3) & 15) === SEQUENCE_HEADER) return obus.subarray(at, at + size);
    at += size;
  }
  return undefined;
}

function leb128(bytes: Buffer, start: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[start + i] ?? 0;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return [value, start + i + 1];
  }
  return [bytes.length, bytes.length];
}

/** Sequence header OBU (AV1, 5.5.1). */
function readSequence(obu: Buffer): { width: number; height: number; codecString: string } & VideoLook {
  const bits = new BitReader(obu);
  const profile = bits.read(3);
  bits.skip(1);
  const isReduced = bits.flag();
  const [level, tier] = isReduced ? reducedLevel(bits) : fullLevel(bits);
  const widthBits = bits.read(4) + 1;
  const heightBits = bits.read(4) + 1;
  const width = bits.read(widthBits) + 1;
  const height = bits.read(heightBits) + 1;
  skipTools(bits, isReduced);
  const { depth, mono, transfer } = readColourConfig(bits, profile);
  const sampling = profile === 0 ? '110' : profile === 1 ? '000' : '100';
  return {
    width,
    height,
    codecString: name(profile, level, tier, depth, mono, sampling),
    ...look(undefined, transfer),
  };
}

/** The coding tools between size and colour. */
function skipTools(bits: BitReader, isReduced: boolean): void {
  if (!isReduced && bits.flag()) bits.skip(7);
  bits.skip(3);
  if (!isReduced) {
    bits.skip(4);
    const hasOrder = bits.flag();
    if (hasOrder) bits.skip(2);
    const screen = bits.flag() ? 1 : bits.read(1);
    if (screen > 0 && !bits.flag()) bits.skip(1);
    if (hasOrder) bits.skip(3);
  }
  bits.skip(3);
}

/** AV1, 5.5.2, as far as the transfer characteristics. */
function readColourConfig(bits: BitReader, profile: number) {
  const isHigh = bits.flag();
  const isTwelve = profile === 2 && isHigh && bits.flag();
  const mono = profile === 1 ? 0 : bits.read(1);
  const transfer = bits.flag() ? readColour(bits) : undefined;
  return { depth: isTwelve ? 12 : isHigh ? 10 : 8, mono, transfer };
}

function reducedLevel(bits: BitReader): [number, boolean] {
  return [bits.read(5), false];
}

function fullLevel(bits: BitReader): [number, boolean] {
  const model = bits.flag() ? readTiming(bits) : undefined;
  const hasDelays = bits.flag();
  const points = bits.read(5) + 1;
  let first: [number, boolean] | undefined;
  for (let i = 0; i < points; i++) {
    bits.skip(12);
    const level = bits.read(5);
    const tier = level > 7 && bits.flag();
    first ??= [level, tier];
    if (model !== undefined && bits.flag()) bits.skip(2 * model + 1);
    if (hasDelays && bits.flag()) bits.skip(4);
  }
  return first ?? [0, false];
}

/** How long the delays of the decoder model are, if there is one. */
function readTiming(bits: BitReader): number | undefined {
  bits.skip(64);
  if (bits.flag()) bits.ue();
  if (!bits.flag()) return undefined;
  const delayBits = bits.read(5) + 1;
  bits.skip(42);
  return delayBits;
}
