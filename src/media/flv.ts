import type { Frame } from './frame.ts';

/**
 * FLV, version 1 (Video File Format Specification 10, annex E). A tag's body is the payload of the RTMP message of the same
 * type, so nothing is converted:
 *
 *     file   | "FLV" 01 | flags:8 | 00000009 | 00000000 | tag, back pointer | tag, back pointer | …
 *     tag    | type:8 | size:24 | time:24 | time's upper 8 bits | stream id:24, always 0 | body |
 *     back pointer  | size of the tag before it, its head included:32 |
 */
export const FLV_HEADER_BYTES = 13;
export const FLV_TAG_HEAD_BYTES = 11;
export const FLV_BACK_POINTER_BYTES = 4;

/** Where the flags stand in a file: what is in it may only be known at its end. */
export const FLV_FLAGS_AT = 4;

const HAS_AUDIO = 4;
const HAS_VIDEO = 1;
const TAG_TYPES: ReadonlySet<number> = new Set([8, 9, 15, 18]);

export interface FlvContents {
  readonly audio: boolean;
  readonly video: boolean;
}

/** Which kinds of tags a player should expect; live, where nobody knows, both. */
export function flvFlags({ audio, video }: FlvContents): number {
  return (audio ? HAS_AUDIO : 0) | (video ? HAS_VIDEO : 0);
}

/** A file's beginning, with the back pointer of the tag that is not before the first one. */
export function flvHeader(contents: FlvContents = { audio: true, video: true }): Buffer {
  return Buffer.from([0x46, 0x4c, 0x56, 1, flvFlags(contents), 0, 0, 0, 9, 0, 0, 0, 0]);
}

/** What stands before a body. `timestamp`: milliseconds, taken modulo 2^32. */
export function flvTagHead(type: number, size: number, timestamp: number): Buffer {
  const head = Buffer.alloc(FLV_TAG_HEAD_BYTES);
  head[0] = type;
  head.writeUIntBE(size, 1, 3);
  head.writeUIntBE(timestamp & 0xffffff, 4, 3);
  head[7] = timestamp >>> 24;
  return head;
}

/** What stands behind a body of `size` bytes. */
export function flvBackPointer(size: number): Buffer {
  const pointer = Buffer.alloc(FLV_BACK_POINTER_BYTES);
  pointer.writeUInt32BE(FLV_TAG_HEAD_BYTES + size);
  return pointer;
}

/** A whole tag with its back pointer, in one piece. */
export function flvTag(type: number, timestamp: number, body: Buffer): Buffer {
  return Buffer.concat([flvTagHead(type, body.length, timestamp), body, flvBackPointer(body.length)]);
}

const LIVE_TAGS = new WeakMap<Frame, Buffer>();

/** The frame's tag at its own time: made once, so that all who play the stream as FLV share one Buffer. Nobody may write to it. */
export function flvTagOf(frame: Frame): Buffer {
  let tag = LIVE_TAGS.get(frame);
  if (tag === undefined) LIVE_TAGS.set(frame, (tag = flvTag(frame.type, frame.timestamp, frame.payload)));
  return tag;
}

export interface FlvTagHead {
  readonly type: number;
  /** Of the body. */
  readonly size: number;
  /** Milliseconds, 0 to 2^32 - 1. */
  readonly timestamp: number;
}

/** Reads the head of a tag; undefined if it is cut short or is none that this gateway writes. */
export function readFlvTagHead(bytes: Buffer): FlvTagHead | undefined {
  if (bytes.length < FLV_TAG_HEAD_BYTES || !TAG_TYPES.has(bytes[0]!) || bytes.readUIntBE(8, 3) !== 0) return undefined;
  const timestamp = bytes[7]! * 0x1000000 + bytes.readUIntBE(4, 3);
  return { type: bytes[0]!, size: bytes.readUIntBE(1, 3), timestamp };
}

/** Whether a back pointer belongs to a body of `size` bytes. */
export function isFlvBackPointer(bytes: Buffer, size: number): boolean {
  return bytes.length === FLV_BACK_POINTER_BYTES && bytes.readUInt32BE(0) === FLV_TAG_HEAD_BYTES + size;
}

const ECMA_ARRAY = 8;
const OBJECT = 3;
const METADATA_NAME = Buffer.from('\x02\x00\x0aonMetaData', 'latin1');
const DURATION_KEY = Buffer.from('\x00\x08duration\x00', 'latin1');
const SECONDS_BYTES = 8;

/** Metadata for a file, and where in it the 8 bytes (big-endian double, seconds) are that its end will tell. */
export interface FileMetadata {
  readonly body: Buffer;
  readonly durationAt: number;
}

/** Metadata of a stream that sent none, or none that can hold a duration. */
export function bareMetadata(): FileMetadata {
  const empty = Buffer.from([ECMA_ARRAY, 0, 0, 0, 0, 0, 0, 9]);
  return withDuration(Buffer.concat([METADATA_NAME, empty]))!;
}

/**
 * A stream's `onMetaData` with room for the duration: in the place of the one that the encoder sent (FFmpeg and OBS send 0),
 * else as a first property of its own. Undefined for what is no `onMetaData` with an array or an object.
 * `body` is that of an AMF0 data message (type 18).
 */
export function withDuration(body: Buffer): FileMetadata | undefined {
  const at = METADATA_NAME.length;
  if (!body.subarray(0, at).equals(METADATA_NAME)) return undefined;
  const first = body[at] === ECMA_ARRAY ? at + 5 : body[at] === OBJECT ? at + 1 : 0;
  if (first === 0 || body.length < first) return undefined;
  const found = body.indexOf(DURATION_KEY, first);
  if (found >= 0 && body.length >= found + DURATION_KEY.length + SECONDS_BYTES) {
    return { body, durationAt: found + DURATION_KEY.length };
  }
  const inserted = Buffer.concat([
    body.subarray(0, first),
    DURATION_KEY,
    Buffer.alloc(SECONDS_BYTES),
    body.subarray(first),
  ]);
  if (body[at] === ECMA_ARRAY) inserted.writeUInt32BE((body.readUInt32BE(at + 1) + 1) >>> 0, at + 1);
  return { body: inserted, durationAt: first + DURATION_KEY.length };
}
