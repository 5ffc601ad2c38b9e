/**
 * What a media payload is, read from its first few bytes: FLV 1.0 annex E tag bodies, and Enhanced RTMP v1 and v2.
 *
 * The answer is packed into one number ("traits"), because this runs once for each frame of every publisher and must not
 * allocate:
 *
 *     bit  0       keyframe of its track
 *     bits 1-3     configuration kind (see CONFIGS; 0 none)
 *     bits 4-11    track id
 *     bit  12      the message carries several tracks (`tracksOf` reads which)
 */
export type Traits = number;

/** A frame about which nothing is known but its kind: passed on, never a keyframe, never stored. */
export const OPAQUE: Traits = 0;

const KEYFRAME = 1;
const SEVERAL = 1 << 12;
const CONFIGS = ['', 'header', 'metadata', 'mpeg2ts', 'multichannel'] as const;
const HEADER = 1 << 1;
const HDR_METADATA = 2 << 1;
const MPEG2TS = 3 << 1;
const MULTICHANNEL = 4 << 1;

/**
 * How many tracks one message may list before it is taken as opaque, and how many ModEx blocks may be chained: each has a
 * cost, and the most an encoder is known to use is six renditions (OBS multitrack) and one ModEx.
 */
export const MAX_TRACKS = 32;
export const MAX_MODEX = 8;

const LEGACY_AVC = 7;
const LEGACY_HEVC = 12;
const LEGACY_AV1 = 13;
const LEGACY_AAC = 10;

const FRAME_KEY = 1;
const FRAME_GENERATED_KEY = 4;
const FRAME_COMMAND = 5;

const ENHANCED_AUDIO = 9;
const VIDEO_MULTITRACK = 6;
const AUDIO_MULTITRACK = 5;
const MODEX = 7;
const PACKET_START = 0;
const PACKET_CODED = 1;
const PACKET_CODED_X = 3;
const PACKET_VIDEO_METADATA = 4;
const PACKET_MPEG2TS_START = 5;
const PACKET_MULTICHANNEL = 4;

const ONE_TRACK = 0;
/** Multitrack: each track names its own codec. */
export const MANY_TRACKS_MANY_CODECS = 2;
const FOURCC_BYTES = 4;

export function isKeyframeOf(traits: Traits): boolean {
  return (traits & KEYFRAME) !== 0;
}

/** The track of the message; of several, the default track if it is among them, else the first. */
export function trackOf(traits: Traits): number {
  return (traits >> 4) & 0xff;
}

/** Every track of a message that carries several, else undefined. */
export function tracksOf(traits: Traits, payload: Buffer): readonly number[] | undefined {
  return (traits & SEVERAL) === 0 ? undefined : listTracks(payload);
}

/** Under which key a configuration is kept, or undefined if the payload is none. */
export function configKeyOf(
  kind: 'audio' | 'video',
  traits: Traits,
  tracks: readonly number[] | undefined,
): string | undefined {
  const config = (traits >> 1) & 7;
  if (config === 0) return undefined;
  return `${kind}:${tracks === undefined ? trackOf(traits) : tracks.join('+')}:${CONFIGS[config]}`;
}

/** Traits of a video tag body. Headers and ends of sequence carry frame type "key" too, and are no keyframes. */
export function classifyVideo(payload: Buffer): Traits {
  if (payload.length === 0) return OPAQUE;
  return payload[0]! < 0x80 ? legacyVideo(payload) : enhancedVideo(payload);
}

/** Traits of an audio tag body; an empty one is legal and means silence. */
export function classifyAudio(payload: Buffer): Traits {
  if (payload.length === 0) return OPAQUE;
  const format = payload[0]! >> 4;
  if (format === ENHANCED_AUDIO) return enhancedAudio(payload);
  return format === LEGACY_AAC && payload.length > 2 && payload[1] === 0 ? HEADER : OPAQUE;
}

/** Legacy CodecIDs whose tag body has a packet type and a composition time: 7 AVC, and by custom 12 HEVC, 13 AV1. */
export function hasPacketType(codecId: number): boolean {
  return codecId === LEGACY_AVC || codecId === LEGACY_HEVC || codecId === LEGACY_AV1;
}

/**
 *     legacy video   | type:4 codec:4 | packet type:8 | composition time:24 | data     (the middle only for 7, 12, 13)
 */
function legacyVideo(payload: Buffer): Traits {
  const frameType = payload[0]! >> 4;
  const codec = payload[0]! & 15;
  if (frameType === FRAME_COMMAND) return OPAQUE;
  const frame = isKeyType(frameType) ? KEYFRAME : OPAQUE;
  if (!hasPacketType(codec)) return payload.length > 1 ? frame : OPAQUE;
  if (payload.length <= 5) return OPAQUE;
  if (payload[1] === PACKET_START) return HEADER;
  return payload[1] === PACKET_CODED ? frame : OPAQUE;
}

/**
 *     enhanced video | 1 type:3 packet:4 | ModEx blocks | multitrack:4 packet:4 | FourCC | track | data
 */
function enhancedVideo(payload: Buffer): Traits {
  const start = skipModEx(payload);
  const frameType = (payload[0]! >> 4) & 7;
  if (start < 0 || (frameType === FRAME_COMMAND && (start & 15) !== PACKET_VIDEO_METADATA)) return OPAQUE;
  const place = locate(payload, start, VIDEO_MULTITRACK);
  if (place < 0) return OPAQUE;
  const where = place & (SEVERAL | 0xff0);
  switch (place & 15) {
    case PACKET_START:
      return where | HEADER;
    case PACKET_VIDEO_METADATA:
      return where | HDR_METADATA;
    case PACKET_MPEG2TS_START:
      return where | MPEG2TS;
    case PACKET_CODED:
    case PACKET_CODED_X:
      return where | (isKeyType(frameType) && (place & HAS_BODY) !== 0 ? KEYFRAME : 0);
    default:
      return where;
  }
}

/**
 *     enhanced audio | 9:4 packet:4 | ModEx blocks | multitrack:4 packet:4 | FourCC | track | data
 */
function enhancedAudio(payload: Buffer): Traits {
  const start = skipModEx(payload);
  const place = start < 0 ? -1 : locate(payload, start, AUDIO_MULTITRACK);
  if (place < 0) return OPAQUE;
  const where = place & (SEVERAL | 0xff0);
  if ((place & 15) === PACKET_START) return where | HEADER;
  return (place & 15) === PACKET_MULTICHANNEL ? where | MULTICHANNEL : where;
}

function isKeyType(frameType: number): boolean {
  return frameType === FRAME_KEY || frameType === FRAME_GENERATED_KEY;
}

/**
 * Steps over ModEx blocks: | size-1:8, or 255 and size-1:16 | data | ModEx type:4 next packet:4 |.
 * Returns offset << 4 | packet type, or -1 if the payload is cut short or chains too many.
 */
export function skipModEx(payload: Buffer): number {
  let packet = payload[0]! & 15;
  let at = 1;
  for (let blocks = 0; packet === MODEX; blocks++) {
    if (blocks === MAX_MODEX || payload.length < at + 3) return -1;
    let size = payload[at]! + 1;
    at += 1;
    if (size === 256) {
      size = payload.readUInt16BE(at) + 1;
      at += 2;
    }
    at += size;
    if (at >= payload.length) return -1;
    packet = payload[at]! & 15;
    at += 1;
  }
  return (at << 4) | packet;
}

/** In a place: the (default) track has at least one byte of its own. */
const HAS_BODY = 1 << 13;

/** Reads what comes before the data: packet type | track << 4 | SEVERAL | HAS_BODY, or -1 if it is not understood. */
function locate(payload: Buffer, start: number, multitrack: number): number {
  const packet = start & 15;
  let at = start >>> 4;
  if (packet !== multitrack)
    return payload.length < at + FOURCC_BYTES ? -1 : packet | bodyAfter(payload, at + FOURCC_BYTES);
  if (payload.length <= at) return -1;
  const mode = payload[at]! >> 4;
  const inner = payload[at]! & 15;
  if (inner === multitrack || inner === MODEX || mode > MANY_TRACKS_MANY_CODECS) return -1;
  at += 1;
  if (mode !== ONE_TRACK) return locateMany(payload, at, mode, inner);
  at += FOURCC_BYTES;
  return payload.length <= at ? -1 : inner | (payload[at]! << 4) | bodyAfter(payload, at + 1);
}

function bodyAfter(payload: Buffer, at: number): number {
  return payload.length > at ? HAS_BODY : 0;
}

/** Several tracks: for each | FourCC (many codecs only) | track:8 | size:24 | data |. Every track must be whole. */
function locateMany(payload: Buffer, start: number, mode: number, inner: number): number {
  const before = mode === MANY_TRACKS_MANY_CODECS ? FOURCC_BYTES : 0;
  let at = start + FOURCC_BYTES - before;
  let place = -1;
  for (let count = 0; at < payload.length; count++) {
    if (count === MAX_TRACKS || payload.length < at + before + 4) return -1;
    const track = payload[at + before]!;
    const size = payload.readUIntBE(at + before + 1, 3);
    at += before + 4 + size;
    if (at > payload.length) return -1;
    if (count === 0 || track === 0) place = (track << 4) | (size > 0 ? HAS_BODY : 0);
    if (count > 0) place |= SEVERAL;
  }
  return place < 0 ? -1 : place | inner;
}

function listTracks(payload: Buffer): number[] {
  const start = skipModEx(payload) >>> 4;
  const before = payload[start]! >> 4 === MANY_TRACKS_MANY_CODECS ? FOURCC_BYTES : 0;
  const tracks: number[] = [];
  for (let at = start + 1 + FOURCC_BYTES - before; at < payload.length;) {
    tracks.push(payload[at + before]!);
    at += before + 4 + payload.readUIntBE(at + before + 1, 3);
  }
  return tracks;
}

/** Where an enhanced payload's (first) FourCC stands, or -1 if that cannot be told. */
export function fourCcOffset(kind: 'audio' | 'video', payload: Buffer): number {
  const start = skipModEx(payload);
  if (start < 0) return -1;
  const multitrack = kind === 'video' ? VIDEO_MULTITRACK : AUDIO_MULTITRACK;
  return (start >>> 4) + ((start & 15) === multitrack ? 1 : 0);
}
