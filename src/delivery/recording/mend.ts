import {
  FLV_BACK_POINTER_BYTES,
  FLV_FLAGS_AT,
  FLV_HEADER_BYTES,
  FLV_TAG_HEAD_BYTES,
  flvFlags,
  isFlvBackPointer,
  readFlvTagHead,
  withDuration,
} from '../../media/index.ts';

/** Reads up to `length` bytes at a place in a file; fewer at its end. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

/** How an unfinished file becomes a whole one. */
export interface Repair {
  /** Where its last whole piece ends. */
  readonly bytes: number;
  readonly patches: readonly { readonly bytes: Buffer; readonly position: number }[];
}

const AUDIO = 8;
const VIDEO = 9;
const DATA = 18;

/** Keeps whole tags and fills in what the end would have told. Undefined when no sound and no picture is in the file. */
export async function repairFlv(read: ReadAt): Promise<Repair | undefined> {
  const header = await read(0, FLV_HEADER_BYTES);
  if (header.length < FLV_HEADER_BYTES || header.toString('latin1', 0, 3) !== 'FLV') return undefined;
  const contents = { audio: false, video: false };
  let end = FLV_HEADER_BYTES;
  let lastMs = 0;
  for (;;) {
    const tag = readFlvTagHead(await read(end, FLV_TAG_HEAD_BYTES));
    if (tag === undefined) break;
    const bodyEnd = end + FLV_TAG_HEAD_BYTES + tag.size;
    if (!isFlvBackPointer(await read(bodyEnd, FLV_BACK_POINTER_BYTES), tag.size)) break;
    if (tag.type === AUDIO) contents.audio = true;
    if (tag.type === VIDEO) contents.video = true;
    lastMs = Math.max(lastMs, tag.timestamp);
    end = bodyEnd + FLV_BACK_POINTER_BYTES;
  }
  if (!contents.audio && !contents.video) return undefined;
  const flags = { bytes: Buffer.from([flvFlags(contents)]), position: FLV_FLAGS_AT };
  return { bytes: end, patches: [flags, ...(await durationPatch(read, lastMs / 1000))] };
}

/** The first tag is the metadata that this gateway wrote, with room for it. */
async function durationPatch(read: ReadAt, seconds: number): Promise<Repair['patches']> {
  const tag = readFlvTagHead(await read(FLV_HEADER_BYTES, FLV_TAG_HEAD_BYTES));
  if (tag?.type !== DATA) return [];
  const at = FLV_HEADER_BYTES + FLV_TAG_HEAD_BYTES;
  const body = await read(at, tag.size);
  const metadata = withDuration(body);
  if (metadata === undefined || metadata.body !== body) return [];
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(seconds);
  return [{ bytes, position: at + metadata.durationAt }];
}

const BOX_HEAD_BYTES = 8;
/** In place of a size: 64 bits of it follow the type. */
const LARGE = 1;

/** Keeps whole fragments. Undefined when there is not one. */
export async function repairMp4(read: ReadAt): Promise<Repair | undefined> {
  let at = 0;
  let end = 0;
  for (;;) {
    const head = await read(at, BOX_HEAD_BYTES * 2);
    if (head.length < BOX_HEAD_BYTES) break;
    const short = head.readUInt32BE(0);
    if (short === LARGE && head.length < BOX_HEAD_BYTES * 2) break;
    const size = short === LARGE ? Number(head.readBigUInt64BE(BOX_HEAD_BYTES)) : short;
    if (size < BOX_HEAD_BYTES || (await read(at + size - 1, 1)).length === 0) break;
    at += size;
    if (head.toString('latin1', 4, 8) === 'mdat') end = at;
  }
  return end === 0 ? undefined : { bytes: end, patches: [] };
}
