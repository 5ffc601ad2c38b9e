import {
  CmafOutputFormat,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  NullTarget,
  Output,
  type AudioTrackMetadata,
} from 'mediabunny';
import type { AudioConfig } from '../../media/index.ts';
import { FragmentControl } from './fragment-control.ts';
import type { Coded, Tracks } from './coded.ts';

/** What becomes one fragment. */
export interface Coding {
  readonly video: readonly Coded[];
  readonly audio: readonly Coded[];
}

/** A fragment as bytes. */
export interface Muxed {
  /** `ftyp` and `moov`. */
  readonly init: Buffer;
  /** `moof` and `mdat`. */
  readonly data: Buffer;
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
  readonly #control: FragmentControl;
  #fragment: Uint8Array[] = [];

  /** `delayMs`: how much later pictures are shown than decoded (`reorderDelay`); the same as long as parts are to follow each other. */
  static async open(tracks: Tracks, delayMs: number): Promise<FragmentMuxer> {
    const muxer = new FragmentMuxer(tracks, delayMs);
    await muxer.#output.start();
    return muxer;
  }

  private constructor({ video, audio }: Tracks, delayMs: number) {
    const keepInit = (bytes: Uint8Array) => void this.#init.push(bytes);
    const keep = (bytes: Uint8Array) => void this.#fragment.push(bytes);
    const format = new CmafOutputFormat({ onFtyp: keepInit, onMoov: keepInit, onMoof: keep, onMdat: keep });
    this.#output = new Output({ format, target: new NullTarget(), initTarget: new NullTarget() });
    this.#control = new FragmentControl(this.#output, delayMs / 1000);
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
  async mux({ video, audio }: Coding): Promise<Muxed> {
    for (const coded of video) await this.#video?.add(packet(coded));
    for (const coded of audio) await this.#audio?.add(packet(coded));
    await this.#control.cut();
    const data = Buffer.concat(this.#fragment);
    this.#fragment = [];
    return { init: Buffer.concat(this.#init), data };
  }

  /** Never rejects: what is thrown away has nothing to say. */
  async close(): Promise<void> {
    await this.#output.cancel().catch(() => {});
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
