import { BitReader } from './bits.ts';

/** What one splice point says; of a section with several segmentation descriptors each says its own. */
export interface SpliceMark {
  /** `out` leaves the programme for something else, `in` comes back to it, `other` does neither. */
  readonly role: 'out' | 'in' | 'other';
  /** The same for the out and the in of one pair: the event's id, and its segmentation type where it has one. */
  readonly key: string;
  /** The event with this key is not going to happen. */
  readonly cancels: boolean;
  /** Milliseconds, as planned. */
  readonly durationMs: number | undefined;
  /** It comes back when the duration is over, whether an `in` says so or not. */
  readonly returnsByItself: boolean;
}

/** A splice_info_section (ANSI/SCTE 35 2023r1, 9.6), read as far as HLS has to know. */
export interface SpliceInfo {
  /** The section itself, without what stood behind it. */
  readonly section: Buffer;
  /** None of a section that says nothing: splice_null is a heartbeat, bandwidth_reservation a filler. */
  readonly marks: readonly SpliceMark[];
}

/** Real ones have 30 to 200 bytes; the format has room for 4096, and a playlist carries each as twice its length. */
export const MAX_SPLICE_BYTES = 1024;

const TABLE_ID = 0xfc;
/** From table_id to splice_command_type, and at the end the descriptors' length and the CRC. */
const HEAD_BYTES = 14;
const LEAST_BYTES = HEAD_BYTES + 2 + 4;

const INSERT = 5;
const TIME_SIGNAL = 6;
/** splice_null and bandwidth_reservation. */
const SILENT: ReadonlySet<number> = new Set([0, 7]);
/** The length that old senders write who do not know it (9.6.1). */
const UNKNOWN_LENGTH = 0xfff;

const SEGMENTATION_TAG = 2;
const CUEI = 0x43554549;
const TICKS_PER_MS = 90;

/**
 * Segmentation types that leave the programme: breaks, advertisements, placement opportunities, promotions, blocks (Table 23).
 * Each one's end is the next higher number. Programmes, chapters and the like begin and end without anybody leaving.
 */
const OUT_TYPES: ReadonlySet<number> = new Set([0x22, 0x30, 0x32, 0x34, 0x36, 0x38, 0x3a, 0x3c, 0x3e, 0x44, 0x46]);

/** Undefined for what is no splice_info_section, or is one whose checksum is wrong, or is too long. */
export function readSplice(bytes: Buffer): SpliceInfo | undefined {
  if (bytes.length < LEAST_BYTES || bytes[0] !== TABLE_ID) return undefined;
  const length = 3 + (bytes.readUInt16BE(1) & 0xfff);
  if (length < LEAST_BYTES || length > Math.min(bytes.length, MAX_SPLICE_BYTES)) return undefined;
  const section = bytes.subarray(0, length);
  return crc32(section) === 0 ? { section, marks: marksOf(section) } : undefined;
}

function marksOf(section: Buffer): readonly SpliceMark[] {
  const isEncrypted = (section[4]! & 0x80) !== 0;
  const type = section[13]!;
  if (isEncrypted) return [plain('command')];
  if (SILENT.has(type)) return [];
  if (type === INSERT) return [insert(section)];
  const marks = type === TIME_SIGNAL ? segmentations(descriptors(section)) : [];
  return marks.length > 0 ? marks : [plain('command')];
}

function plain(key: string): SpliceMark {
  return { role: 'other', key, cancels: false, durationMs: undefined, returnsByItself: false };
}

/**
 * splice_insert (9.7.3):
 *
 *     id:32 | cancel:1 reserved:7 | out:1 program:1 has duration:1 immediate:1 reserved:4 | time or components | duration | …
 */
function insert(section: Buffer): SpliceMark {
  const bits = new BitReader(section.subarray(HEAD_BYTES));
  const key = String(read32(bits));
  const cancels = bits.flag();
  bits.skip(7);
  if (cancels) return { ...plain(key), cancels };
  const [isOut, isProgram, hasDuration, isImmediate] = [bits.flag(), bits.flag(), bits.flag(), bits.flag()];
  bits.skip(4);
  const components = isProgram ? 0 : bits.read(8);
  if (isProgram && !isImmediate) skipTime(bits);
  for (let i = 0; i < components; i++) {
    bits.skip(8);
    if (!isImmediate) skipTime(bits);
  }
  const returnsByItself = hasDuration && bits.flag();
  bits.skip(hasDuration ? 6 : 0);
  const durationMs = hasDuration ? milliseconds(read(bits, 33)) : undefined;
  return { role: isOut ? 'out' : 'in', key, cancels, durationMs, returnsByItself: isOut && returnsByItself };
}

/** splice_time (9.8.1). */
function skipTime(bits: BitReader): void {
  const isSpecified = bits.flag();
  bits.skip(isSpecified ? 6 + 33 : 7);
}

/** The descriptors of a time_signal: after its splice_time, whatever length it claims to have. */
function descriptors(section: Buffer): Buffer {
  const claimed = ((section[11]! & 0xf) << 8) | section[12]!;
  const known = section[HEAD_BYTES] !== undefined && (section[HEAD_BYTES]! & 0x80) !== 0 ? 5 : 1;
  const at = HEAD_BYTES + (claimed === UNKNOWN_LENGTH ? known : claimed);
  const end = section.length - 4;
  if (at + 2 > end) return section.subarray(0, 0);
  return section.subarray(at + 2, Math.min(end, at + 2 + section.readUInt16BE(at)));
}

function segmentations(loop: Buffer): SpliceMark[] {
  const marks: SpliceMark[] = [];
  for (let at = 0; at + 6 <= loop.length; at += 2 + loop[at + 1]!) {
    const body = loop.subarray(at + 2, at + 2 + loop[at + 1]!);
    if (loop[at] === SEGMENTATION_TAG && body.length >= 9 && body.readUInt32BE(0) === CUEI) {
      marks.push(segmentation(body.subarray(4)));
    }
  }
  return marks;
}

/**
 * segmentation_descriptor (10.3.3) behind its identifier:
 *
 *     id:32 | cancel:1 reserved:7 | program:1 has duration:1 … | components | duration:40 | upid type, length, upid | type:8 | …
 */
function segmentation(body: Buffer): SpliceMark {
  const bits = new BitReader(body);
  const id = read32(bits);
  const cancels = bits.flag();
  bits.skip(7);
  if (cancels) return { ...plain(String(id)), cancels };
  const [isProgram, hasDuration] = [bits.flag(), bits.flag()];
  bits.skip(6);
  if (!isProgram) bits.skip(bits.read(8) * 48);
  const durationMs = hasDuration ? milliseconds(read(bits, 40)) : undefined;
  bits.skip(8);
  bits.skip(bits.read(8) * 8);
  const type = bits.read(8);
  const begins = OUT_TYPES.has(type);
  const ends = OUT_TYPES.has(type - 1);
  const key = `${id}-${ends ? type - 1 : type}`;
  return { role: begins ? 'out' : ends ? 'in' : 'other', key, cancels, durationMs, returnsByItself: false };
}

function milliseconds(ticks: number): number {
  return Math.round(ticks / TICKS_PER_MS);
}

function read32(bits: BitReader): number {
  return read(bits, 32);
}

/** More bits than the reader takes at a time. */
function read(bits: BitReader, count: number): number {
  const high = bits.read(count - 24);
  return high * 0x1_00_00_00 + bits.read(24);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0);
  return value >>> 0;
});

/** CRC-32 of MPEG-2 systems (ISO/IEC 13818-1, annex A); 0 over a section that ends with its own. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = ((crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ byte) & 0xff]!) >>> 0;
  return crc;
}
