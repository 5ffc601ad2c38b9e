import { av1Config } from './av1.ts';
import { avcConfig } from './avc.ts';
import { hevcConfig } from './hevc.ts';
import { vp9Config } from './vp9.ts';
import type { VideoLook } from './vui.ts';

/** What a decoder of a video track has to be told, and what a playlist says of it. */
export interface VideoConfig extends VideoLook {
  readonly codec: 'avc' | 'hevc' | 'av1' | 'vp9';
  /** RFC 6381, as in a playlist's CODECS. */
  readonly codecString: string;
  /** Pixels shown. */
  readonly width: number;
  readonly height: number;
  /** avcC or hvcC; the others need none. */
  readonly description: Uint8Array | undefined;
}

/**
 * Reads the configuration record of a video track; AV1 and VP9 may say all that is needed in their first keyframe.
 * Undefined if it is not understood, or not enough yet.
 */
export function videoConfig(fourCc: string, record: Buffer | undefined, keyframe?: Buffer): VideoConfig | undefined {
  try {
    const config = READERS.get(fourCc)?.(record, keyframe);
    return config && isSide(config.width) && isSide(config.height) ? config : undefined;
  } catch {
    // Cut short: no configuration.
    return undefined;
  }
}

type Reader = (record: Buffer | undefined, keyframe: Buffer | undefined) => VideoConfig | undefined;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['avc1', (record) => record && avcConfig(record)],
  ['hvc1', (record) => record && hevcConfig(record)],
  ['av01', av1Config],
  ['vp09', vp9Config],
]);

/** Whether `videoConfig` knows the codec at all. */
export function isKnownPicture(fourCc: string): boolean {
  return READERS.has(fourCc);
}

/** MP4 has 16 bits for it (ISO/IEC 14496-12, 12.1.3), and no codec here goes further. */
function isSide(pixels: number): boolean {
  return pixels >= 1 && pixels <= 0xffff;
}
