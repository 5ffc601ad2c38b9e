/**
 * What each video message of a run carries, so that whoever receives it can tell loss, change of order, damage and delay:
 *
 *     FLV video header  mark  stream  sequence  sent (µs, double)  message length  …filling…  last byte of the sequence
 *     5 bytes           4     4       4         8                  4                          1
 */
const MARK = 0x62656e63;
const FLV_HEADER = 5;
const KEYFRAME = Buffer.from([0x17, 1, 0, 0, 0]);
const INTER_FRAME = Buffer.from([0x27, 1, 0, 0, 0]);

/** How much of a message must be seen to read its stamp. */
export const STAMP_BYTES = FLV_HEADER + 24;

/** An AVC decoder configuration (Baseline 3.0, one SPS, one PPS) in its FLV video message. */
export const AVC_CONFIGURATION = Buffer.from(
  '1700000000' + '0142001effe1' + '000a' + '6742001ef40502d0c8' + '80' + '01' + '0004' + '68ce3880',
  'hex',
);

/** A video message of `length` bytes without its stamp. */
export function frameOf(length: number, isKeyframe: boolean): Buffer {
  const frame = Buffer.alloc(Math.max(length, STAMP_BYTES + 1), 0x5a);
  (isKeyframe ? KEYFRAME : INTER_FRAME).copy(frame);
  frame.writeUInt32BE(MARK, FLV_HEADER);
  frame.writeUInt32BE(frame.length, FLV_HEADER + 20);
  return frame;
}

/** Stamps a frame that begins at `start` of `bytes` and ends at its end. */
export function stamp(bytes: Buffer, start: number, stream: number, sequence: number, micros: number): void {
  const at = start + FLV_HEADER;
  bytes.writeUInt32BE(stream, at + 4);
  bytes.writeUInt32BE(sequence, at + 8);
  bytes.writeDoubleBE(micros, at + 12);
  bytes[bytes.length - 1] = sequence & 0xff;
}

/** True when the first `STAMP_BYTES` of a message bear our mark. */
export function isStamped(head: Buffer): boolean {
  return head.readUInt32BE(FLV_HEADER) === MARK;
}

export const sequenceOf = (head: Buffer): number => head.readUInt32BE(FLV_HEADER + 8);
export const sentAt = (head: Buffer): number => head.readDoubleBE(FLV_HEADER + 12);
export const lengthOf = (head: Buffer): number => head.readUInt32BE(FLV_HEADER + 20);
