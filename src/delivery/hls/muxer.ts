import {
  CmafOutputFormat,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  NullTarget,
  Output,
  type AudioTrackMetadata,
} from 'mediabunny';
import { UsageError } from '../../errors.ts';
import type { AudioConfig } from '../../media/index.ts';
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
  /** Records of what was written, for an index that a live stream does not have. */
  readonly finalizedChunks?: unknown[];
  readonly trackDatas?: readonly { readonly finalizedChunks?: unknown[] }[];
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
      this.#audio = new EncodedAudioPacketSource(audio.codec);
      this.#output.addAudioTrack(this.#audio, audioMetadata(audio));
    }
  }

  /** Parts follow each other in time. Rejects when mediabunny refuses one. */
  async mux({ video, audio }: Pick<PartPlan, 'video' | 'audio'>): Promise<Muxed> {
    for (const coded of video) await this.#video?.add(packet(coded));
    for (const coded of audio) await this.#audio?.add(packet(coded));
    const control = fragmentControl(this.#output);
    await control.forceFragmentFinalization();
    forgetWritten(control);
    const data = Buffer.concat(this.#fragment);
    this.#fragment = [];
    return { init: Buffer.concat(this.#init), data };
  }

  async close(): Promise<void> {
    await this.#output.cancel();
  }
}

/** mediabunny has WebCodecs' name for FLAC, not that of its sample entry, and reads the boxes of AC-3 and E-AC-3 out of a packet. */
function audioMetadata({ codec, codecString, sampleRate, channels, description }: AudioConfig): AudioTrackMetadata {
  const decoderConfig = {
    codec: codec === 'flac' ? 'flac' : codecString,
    ...{ sampleRate, numberOfChannels: channels, ...(description && { description }) },
  };
  if (codec !== 'ac3' && codec !== 'eac3') return { decoderConfig };
  return { decoderConfig, primingPacket: new EncodedPacket(description!, 'key', 0, 0) };
}

function packet({ data, isKeyframe, at, duration }: Coded): EncodedPacket {
  return new EncodedPacket(data, isKeyframe ? 'key' : 'delta', at / 1000, duration / 1000);
}

/** Where keyframes never come, one muxer goes on for ever. */
function forgetWritten({ finalizedChunks, trackDatas }: FragmentControl): void {
  finalizedChunks?.splice(0);
  for (const track of trackDatas ?? []) track.finalizedChunks?.splice(0);
}

function fragmentControl(output: Output): FragmentControl {
  const { _muxer: muxer } = output as unknown as { readonly _muxer: Partial<FragmentControl> };
  if (typeof muxer?.forceFragmentFinalization !== 'function') {
    throw new UsageError('MUXER_CHANGED', 'this version of mediabunny cuts no fragments');
  }
  return muxer as FragmentControl;
}
