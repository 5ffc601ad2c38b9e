import type { Output } from 'mediabunny';
import { UsageError } from '../../errors.ts';

/**
 * What mediabunny 1.61.0 does not show in its types. By its public face it cuts at keyframes only, and parts of low-latency HLS are
 * shorter than that.
 */
interface Internals {
  /** For callers that cut fragments themselves. */
  forceFragmentFinalization(): Promise<void>;
  finalizeFragment(...rest: readonly unknown[]): Promise<void>;
  /** Records of what was written, for an index that a live stream does not have. */
  readonly finalizedChunks: unknown[];
  readonly trackDatas: readonly InternalTrack[];
}

interface InternalTrack {
  readonly type: string;
  readonly finalizedChunks: unknown[];
  readonly currentChunk: InternalChunk | null;
}

/** Seconds. */
interface InternalChunk {
  startTimestamp: number;
  readonly samples: readonly { decodeTimestamp: number }[];
}

/** Cuts fragments where it is told to. */
export class FragmentControl {
  readonly #muxer: Internals;
  #delay: number;

  /**
   * `delay`: by how many seconds pictures are decoded before mediabunny would have them. It takes the times at which pictures are shown,
   * sorted, for those at which they are decoded, so that with B-frames some would be shown before they are decoded. Chromium takes that;
   * FFmpeg moves all pictures until it fits, but not the sound. Throws `UsageError` (MUXER_CHANGED).
   */
  constructor(output: Output, delay: number) {
    this.#muxer = internalsOf(output);
    this.#delay = delay;
    const finalize = this.#muxer.finalizeFragment.bind(this.#muxer);
    this.#muxer.finalizeFragment = (...rest) => {
      this.#decodeEarlier();
      return finalize(...rest);
    };
  }

  async cut(): Promise<void> {
    await this.#muxer.forceFragmentFinalization();
    // Where keyframes never come, one muxer goes on for ever.
    this.#muxer.finalizedChunks.splice(0);
    for (const { finalizedChunks } of this.#muxer.trackDatas) finalizedChunks.splice(0);
  }

  #decodeEarlier(): void {
    for (const { type, currentChunk } of this.#muxer.trackDatas) {
      if (type !== 'video' || currentChunk === null) continue;
      // Nothing is before the beginning of time.
      this.#delay = Math.min(this.#delay, currentChunk.startTimestamp);
      currentChunk.startTimestamp -= this.#delay;
      for (const sample of currentChunk.samples) sample.decodeTimestamp -= this.#delay;
    }
  }
}

function internalsOf(output: Output): Internals {
  const { _muxer: muxer } = output as unknown as { readonly _muxer: Partial<Internals> | undefined };
  const { forceFragmentFinalization: force, finalizeFragment: finalize } = muxer ?? {};
  const isKnown = typeof force === 'function' && typeof finalize === 'function' && Array.isArray(muxer?.trackDatas);
  if (!isKnown) throw new UsageError('MUXER_CHANGED', 'this version of mediabunny cuts no fragments');
  return muxer as Internals;
}
