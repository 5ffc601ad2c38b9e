const HEADER_BYTES = 10;
const UTF_8 = 3;

/**
 * An ID3 tag, version 2.4, with one user-defined text (id3.org, "ID3 tag version 2.4.0 – Native Frames", 4.2.6):
 *
 *     tag   | "ID3" 04 00 | flags 00 | size:28 | frame |
 *     frame | "TXXX" | size:28 | flags 00 00 | 03 (UTF-8) | description 00 | value |
 *
 * The value ends with the frame: hls.js takes a zero behind it for a part of the text. `description` has no zero in it.
 */
export function id3Text(description: string, value: string): Buffer {
  const body = Buffer.concat([Buffer.from([UTF_8]), Buffer.from(`${description}\0`), Buffer.from(value)]);
  const frame = Buffer.concat([Buffer.from('TXXX'), syncSafe(body.length), Buffer.from([0, 0]), body]);
  return Buffer.concat([Buffer.from('ID3\x04\0\0', 'latin1'), syncSafe(HEADER_BYTES + body.length), frame]);
}

/** Seven bits a byte, so that no size looks like the beginning of a packet of MPEG sound (Structure, 6.2). */
function syncSafe(size: number): Buffer {
  return Buffer.from([(size >> 21) & 0x7f, (size >> 14) & 0x7f, (size >> 7) & 0x7f, size & 0x7f]);
}
