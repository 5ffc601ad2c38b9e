import {
  CmafOutputFormat,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  NullTarget,
  Output,
} from 'mediabunny';
import { UsageError } from '../../errors.ts';
import type { Coded, PartPlan, Tracks } from './plan.ts';

/** A part as bytes. */
export interface Muxed {
  /** `ftyp` and `moov`. */
  readonly init: Buffer;
  /** `moof` and `mdat`. */
  readonly data: Buffer;
}

/**
 * What mediabunny does not show in its types and yet has for callers that cut fragments themselves: by its public face it cuts at
 * keyframes only, and parts of low-latency HLS are shorter than that.
 */
interface FragmentControl {
  forceFragmentFinalization(): Promise<void>;
}

/**
 * Puts the parts of one run of equal tracks into fragmented MP4. To be made anew at a keyframe now and then: mediabunny keeps a record of
 * every fragment.
 */
export class FragmentMuxer {
  readonly #output: Output;
  readonly #video: EncodedVideoPacketSource | undefined;
  readonly #audio: EncodedAudioPacketSource | undefined;
  readonly #init: Uint8Array[] = [];
  #fragment: Uint8Array[] = [];

  static async open(tracks: Tracks): Promise<FragmentMuxer> {
    const muxer = new FragmentMuxer(tracks);
    await muxer.#output.start();
    return muxer;
  }

  private constructor({ video, audio }: Tracks) {
    const keepInit = (bytes: Uint8Array) => void this.#init.push(bytes);
    const keep = (bytes: Uint8Array) => void this.#fragment.push(bytes);
    const format = new CmafOutputFormat({ onFtyp: keepInit, onMoov: keepInit, onMoof: keep, onMdat: keep });
    this.#output = new Output({ format, target: new NullTarget(), initTarget: new NullTarget() });
    if (video !== undefined) {
      const { codec, codecString, width, height, description } = video;
      const size = { codedWidth: width, codedHeight: height };
      const decoderConfig = { codec: codecString, ...size, ...(description && { description }) };
      this.#video = new EncodedVideoPacketSource(codec);
      this.#output.addVideoTrack(this.#video, { decoderConfig });
    }
    if (audio !== undefined) {
      const { codec, codecString, sampleRate, channels: numberOfChannels, description } = audio;
      this.#audio = new EncodedAudioPacketSource(codec);
      this.#output.addAudioTrack(this.#audio, {
        decoderConfig: { codec: codecString, sampleRate, numberOfChannels, description },
      });
    }
  }

  /** Parts follow each other in time. Rejects when mediabunny refuses one. */
  async mux({ video, audio }: Pick<PartPlan, 'video' | 'audio'>): Promise<Muxed> {
    for (const coded of video) await this.#video?.add(packet(coded));
    for (const coded of audio) await this.#audio?.add(packet(coded));
    await fragmentControl(this.#output).forceFragmentFinalization();
    const data = Buffer.concat(this.#fragment);
    this.#fragment = [];
    return { init: Buffer.concat(this.#init), data };
  }

  async close(): Promise<void> {
    await this.#output.cancel();
  }
}

function packet({ data, isKeyframe, at, duration }: Coded): EncodedPacket {
  return new EncodedPacket(data, isKeyframe ? 'key' : 'delta', at / 1000, duration / 1000);
}

function fragmentControl(output: Output): FragmentControl {
  const { _muxer: muxer } = output as unknown as { readonly _muxer: Partial<FragmentControl> };
  if (typeof muxer?.forceFragmentFinalization !== 'function') {
    throw new UsageError('MUXER_CHANGED', 'this version of mediabunny cuts no fragments');
  }
  return muxer as FragmentControl;
}
