import { isHvcC, legacyCodec } from './codec-name.ts';
import { hasPacketType, MANY_TRACKS_MANY_CODECS as MANY_CODECS, skipModEx } from './codecs.ts';
import type { Frame } from './frame.ts';

/** One track's share of a message: a configuration record or one coded picture or sound, without any FLV around it. */
export interface MediaPacket {
  readonly kind: 'audio' | 'video';
  /** Enhanced RTMP track; 0 for a message without one. */
  readonly track: number;
  /** FourCC: `avc1`, `hvc1`, `av01`, `vp09`, `mp4a`, `.mp3`, `Opus`, or whatever Enhanced RTMP named. */
  readonly codec: string;
  /** `end`: the publisher says that the sequence is over. `metadata`: of colour and light (`transferOf`). */
  readonly role: 'config' | 'coded' | 'end' | 'metadata';
  readonly isKeyframe: boolean;
  /** Presentation time less decoding time, milliseconds. */
  readonly compositionMs: number;
  /** A view of the message. */
  readonly data: Buffer;
}

const ROLES = { 0: 'config', 1: 'coded', 2: 'end', 3: 'coded', 4: 'metadata' } as const;
const CODED_WITHOUT_COMPOSITION = 3;
const VIDEO_METADATA = 4;
const MULTITRACK = { video: 6, audio: 5 } as const;
/** Enhanced RTMP v2: only these have a composition time before their coded frames. */
const COMPOSED = new Set(['avc1', 'hvc1', 'vvc1']);

/**
 * What an audio or video frame carries, one entry for each of its tracks: FLV 1.0 annex E and Enhanced RTMP v1/v2. Empty for
 * data, for codecs without a FourCC and for what is cut short. Never throws.
 */
export function packetsOf(frame: Frame): readonly MediaPacket[] {
  const { kind, payload } = frame;
  if (kind === 'data' || payload.length < 2) return [];
  const enhanced = kind === 'video' ? payload[0]! >= 0x80 : payload[0]! >> 4 === 9;
  if (enhanced) return enhancedPackets(frame, kind);
  return kind === 'video' ? legacyVideo(payload, frame.isKeyframe) : legacyAudio(payload);
}

function legacyVideo(payload: Buffer, isKeyframe: boolean): MediaPacket[] {
  const id = payload[0]! & 15;
  const codec = hasPacketType(id) ? legacyCodec('video', id) : undefined;
  const role = ROLES[payload[1] as keyof typeof ROLES];
  if (codec === undefined || role === undefined || payload.length < 5 || payload[1]! >= CODED_WITHOUT_COMPOSITION)
    return [];
  const data = payload.subarray(5);
  if (role === 'coded' && data.length === 0) return [];
  // OBS before 29.1 sent HEVC as AVC.
  const real = codec === 'avc1' && role === 'config' && isHvcC(data) ? 'hvc1' : codec;
  const compositionMs = payload.readIntBE(2, 3);
  return [{ kind: 'video', track: 0, codec: real, role, isKeyframe, compositionMs, data }];
}

function legacyAudio(payload: Buffer): MediaPacket[] {
  const codec = legacyCodec('audio', payload[0]! >> 4);
  if (codec === '.mp3') return packet('audio', 0, '.mp3', 1, true, payload.subarray(1));
  if (codec !== 'mp4a' || payload[1]! > 1) return [];
  const role = payload[1] === 0 ? 'config' : 'coded';
  const data = payload.subarray(2);
  if (role === 'coded' && data.length === 0) return [];
  return [{ kind: 'audio', track: 0, codec, role, isKeyframe: true, compositionMs: 0, data }];
}

function enhancedPackets({ payload }: Frame, kind: 'audio' | 'video'): MediaPacket[] {
  const start = skipModEx(payload);
  if (start < 0) return [];
  const at = start >>> 4;
  const frameType = (payload[0]! >> 4) & 7;
  const isKey = kind === 'audio' || frameType === 1 || frameType === 4;
  if (kind === 'video' && frameType === 5 && (start & 15) !== VIDEO_METADATA) return [];
  if ((start & 15) !== MULTITRACK[kind]) {
    return packet(kind, 0, fourCc(payload, at), start & 15, isKey, payload.subarray(at + 4));
  }
  return multitrackPackets(kind, payload, at, isKey);
}

/** | mode:4 packet:4 | FourCC (unless many codecs) | for each: FourCC (many codecs) | track:8 | size:24 (unless one track) | data | */
function multitrackPackets(kind: 'audio' | 'video', payload: Buffer, start: number, isKey: boolean): MediaPacket[] {
  if (payload.length <= start) return [];
  const mode = payload[start]! >> 4;
  const type = payload[start]! & 15;
  const common = mode === MANY_CODECS ? '' : fourCc(payload, start + 1);
  let at = start + (mode === MANY_CODECS ? 1 : 5);
  if (mode === 0) return packet(kind, payload[at] ?? 0, common, type, isKey, payload.subarray(at + 1));
  const packets: MediaPacket[] = [];
  while (at < payload.length) {
    const codec = mode === MANY_CODECS ? fourCc(payload, at) : common;
    if (mode === MANY_CODECS) at += 4;
    if (payload.length < at + 4) break;
    const size = payload.readUIntBE(at + 1, 3);
    if (payload.length < at + 4 + size) break;
    packets.push(...packet(kind, payload[at]!, codec, type, isKey, payload.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return packets;
}

function packet(
  kind: 'audio' | 'video',
  track: number,
  codec: string,
  type: number,
  isKeyframe: boolean,
  body: Buffer,
): MediaPacket[] {
  const role = ROLES[type as keyof typeof ROLES];
  if (role === undefined || codec.length < 4) return [];
  if (kind === 'audio' && type >= CODED_WITHOUT_COMPOSITION) return [];
  const isComposed = kind === 'video' && type === 1 && COMPOSED.has(codec);
  if (isComposed && body.length < 3) return [];
  const compositionMs = isComposed ? body.readIntBE(0, 3) : 0;
  const data = isComposed ? body.subarray(3) : body;
  if (role === 'coded' && data.length === 0) return [];
  return [{ kind, track, codec, role, isKeyframe: isKeyframe && role === 'coded', compositionMs, data }];
}

function fourCc(payload: Buffer, at: number): string {
  return payload.toString('latin1', at, at + 4);
}
