/** Sections as they are published elsewhere, with what they say. */

/** ANSI/SCTE 35, 14.2: splice_insert 0x4800008F, out, 60.293 s, comes back by itself; an avail_descriptor. */
export const INSERT_OUT = '/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=';

/** ANSI/SCTE 35, 14.1: time_signal, provider placement opportunity start 0x4800008E, 307 s. */
export const OPPORTUNITY_START = '/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==';

/** ANSI/SCTE 35, 14.3: its end. */
export const OPPORTUNITY_END = '/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g=';

/** AWS Elemental Live's manual, "EXT-X-DATERANGE": splice_insert 999, out, 30 s. */
export const ELEMENTAL_OUT = 'FC302500000000000000FFF01405000003E77FEFFE0011FB9EFE002932E00001010100004D192A59';

const TABLE_ID = 0xfc;

/** A splice_info_section around a command and its descriptors (ANSI/SCTE 35, 9.6), with a checksum. */
export function section(type: number, command: Buffer, descriptors: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 0xff, 0xf0 | (command.length >> 8), command.length & 0xff, type]),
    command,
    Buffer.from([descriptors.length >> 8, descriptors.length & 0xff]),
    descriptors,
  ]);
  const length = body.length + 4;
  const whole = Buffer.concat([Buffer.from([TABLE_ID, 0x30 | (length >> 8), length & 0xff]), body]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(whole));
  return Buffer.concat([whole, crc]);
}

/** splice_insert, immediate (9.7.3). */
export function spliceInsert(
  id: number,
  { out = true, seconds = 0, returns = false, cancels = false }: Partial<Wishes> = {},
): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id);
  head[4] = cancels ? 0xff : 0x7f;
  if (cancels) return section(5, head);
  const flags = (out ? 0x80 : 0) | 0x40 | (seconds > 0 ? 0x20 : 0) | 0x1f;
  const duration = Buffer.alloc(seconds > 0 ? 5 : 0);
  if (seconds > 0) duration.writeUIntBE(seconds * 90_000, 0, 5);
  if (seconds > 0) duration[0] = duration[0]! | (returns ? 0xfe : 0x7e);
  return section(5, Buffer.concat([head, Buffer.from([flags]), duration, Buffer.from([0, 1, 0, 0])]));
}

interface Wishes {
  readonly out: boolean;
  readonly seconds: number;
  readonly returns: boolean;
  readonly cancels: boolean;
}

/** segmentation_descriptor without a UPID (10.3.3). */
export function segmentation(id: number, type: number, cancels = false): Buffer {
  const head = Buffer.alloc(11);
  head[0] = 2;
  head.write('CUEI', 2);
  head.writeUInt32BE(id, 6);
  head[10] = cancels ? 0xff : 0x7f;
  const body = cancels ? head : Buffer.concat([head, Buffer.from([0xbf, 0, 0, type, 0, 0])]);
  body[1] = body.length - 2;
  return body;
}

/** time_signal without a time (9.7.4). */
export function timeSignal(...descriptors: readonly Buffer[]): Buffer {
  return section(6, Buffer.from([0x7f]), Buffer.concat(descriptors));
}

/** CRC-32 of MPEG-2 systems, a bit at a time. */
export function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc ^ (byte << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc >= 2 ** 31 ? 0x04c11db7 : 0)) >>> 0;
  }
  return crc;
}
