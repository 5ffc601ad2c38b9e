import type { AudioConfig, VideoConfig } from '../../media/index.ts';

/** The tracks that are muxed together; at least one. */
export interface Tracks {
  readonly video: VideoConfig | undefined;
  readonly audio: AudioConfig | undefined;
}

/** One picture or packet of sound, in decoding order. Milliseconds of media time. */
export interface Coded {
  readonly data: Uint8Array;
  readonly isKeyframe: boolean;
  /** When it is shown. */
  readonly at: number;
  readonly duration: number;
}

/** Beside its bytes; a flood of tiny ones is one of memory too. */
const SAMPLE_BYTES = 256;

/** What a picture or a packet of sound costs in memory. */
export function costOf({ data }: { readonly data: Uint8Array }): number {
  return data.length + SAMPLE_BYTES;
}
