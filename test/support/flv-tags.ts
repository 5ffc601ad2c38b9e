import { FLV_HEADER_BYTES, FLV_TAG_HEAD_BYTES, readFlvTagHead } from '../../src/media/index.ts';

export interface ReadTag {
  readonly type: number;
  readonly timestamp: number;
  readonly payload: Buffer;
}

/** The tags of an FLV file; throws at the first that is none. What is cut short at the end is left out. */
export function flvTagsIn(file: Buffer): ReadTag[] {
  const tags: ReadTag[] = [];
  for (let at = FLV_HEADER_BYTES; at + FLV_TAG_HEAD_BYTES <= file.length;) {
    const head = readFlvTagHead(file.subarray(at));
    if (head === undefined) throw new Error(`no tag at ${at}`);
    const { type, size, timestamp } = head;
    const start = at + FLV_TAG_HEAD_BYTES;
    if (start + size > file.length) break;
    tags.push({ type, timestamp, payload: file.subarray(start, start + size) });
    at = start + size + 4;
  }
  return tags;
}
