import { fourCcOffset } from './codecs.ts';
import type { Frame } from './frame.ts';

/** Codecs of Enhanced RTMP v2. */
export const FOUR_CCS = Object.freeze({
  video: ['avc1', 'hvc1', 'vvc1', 'av01', 'vp09', 'vp08'] as readonly string[],
  audio: ['mp4a', 'Opus', 'fLaC', 'ac-3', 'ec-3', '.mp3'] as readonly string[],
});

/** FLV 1.0 annex E ids by the names Enhanced RTMP (or common use) has for them; 12 to 14 are the custom of cameras and CDNs. */
const LEGACY_VIDEO: Readonly<Record<number, string>> = {
  2: 'h263',
  3: 'screen',
  4: 'vp6',
  5: 'vp6a',
  6: 'screen2',
  7: 'avc1',
  12: 'hvc1',
  13: 'av01',
};
const LEGACY_AUDIO: Readonly<Record<number, string>> = {
  0: 'pcm',
  1: 'adpcm',
  2: '.mp3',
  3: 'pcm',
  4: 'nellymoser',
  5: 'nellymoser',
  6: 'nellymoser',
  7: 'pcma',
  8: 'pcmu',
  10: 'mp4a',
  11: 'speex',
  14: '.mp3',
};

/** The codec that has this number in FLV, under the same name as in Enhanced RTMP if it has one there. */
export function legacyCodec(kind: 'audio' | 'video', id: number): string | undefined {
  return (kind === 'video' ? LEGACY_VIDEO : LEGACY_AUDIO)[id];
}

/**
 * The codec of an audio or video frame as a FourCC (`avc1`, `mp4a`, …) or an old name, for people to read; undefined if it
 * is not understood. Of several tracks with several codecs, the first.
 */
export function codecOf(frame: Frame): string | undefined {
  const { kind, payload } = frame;
  if (kind === 'data' || payload.length === 0) return undefined;
  if (kind === 'audio') return payload[0]! >> 4 === 9 ? fourCc(kind, payload) : legacyCodec(kind, payload[0]! >> 4);
  if (payload[0]! >= 0x80) return fourCc(kind, payload);
  const codec = payload[0]! & 15;
  return codec === 7 && frame.isConfig && isHvcC(payload.subarray(5)) ? 'hvc1' : legacyCodec(kind, codec);
}

function fourCc(kind: 'audio' | 'video', payload: Buffer): string | undefined {
  const at = fourCcOffset(kind, payload);
  if (at < 0 || payload.length < at + 4) return undefined;
  return printable(payload.toString('latin1', at, at + 4));
}

/** A FourCC as logs and terminals can show it: a publisher may put anything into its four bytes. */
export function printable(fourCc: string): string {
  return fourCc.replace(/[^\x20-\x7e]/g, '?');
}

/**
 * OBS before 29.1 sent HEVC under the id of AVC. The two records differ in their reserved bits, which are all ones
 * (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1): avcC has six of them at byte 4, hvcC four at 13, six at 15 and 16, five at 17 and 18.
 */
export function isHvcC(record: Buffer): boolean {
  if (record.length < 23 || (record[4]! & 0xfc) === 0xfc) return false;
  const has = (at: number, ones: number): boolean => (record[at]! & ones) === ones;
  return has(13, 0xf0) && has(15, 0xfc) && has(16, 0xfc) && has(17, 0xf8) && has(18, 0xf8);
}
