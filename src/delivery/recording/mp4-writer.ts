import { GatewayError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import {
  audioConfig,
  packetsOf,
  soundSamples,
  videoConfig,
  type AudioConfig,
  type Frame,
  type MediaPacket,
  type VideoConfig,
} from '../../media/index.ts';
import { AudioClock } from '../fmp4/audio-clock.ts';
import { FragmentMuxer } from '../fmp4/muxer.ts';
import { costOf, type Coded, type Tracks } from '../fmp4/coded.ts';
import { reorderDelay } from '../fmp4/reorder.ts';
import type { RecordingFile, RecordingWriter } from './file.ts';

/** The recording's format cannot hold what the stream sends. */
export class RecordingError extends GatewayError {}

/** Fragments begin at keyframes, but not more often than this; what is not in a fragment yet is lost in a crash. */
const FRAGMENT_MS = 1_000;
/** Keyframes that are further apart do not keep more than this in memory. */
const MAX_FRAGMENT_MS = 15_000;
const MAX_FRAGMENT_BYTES = 32 * 1024 * 1024;
/** Without a picture for so long, sound is written alone; nobody sends pictures that far apart. */
const SOUND_ALONE_MS = 5_000;

/** mediabunny remembers every packet of a run; another run every so often bounds that. */
const FRAGMENTS_PER_RUN = 60;

/** Where a fragment's sequence number is: behind the heads of `moof` and `mfhd` (ISO/IEC 14496-12, 8.8.5). */
const SEQUENCE_AT = 20;

/** One picture or packet of sound that has not been muxed. Milliseconds. */
interface Waiting {
  readonly data: Buffer;
  readonly isKeyframe: boolean;
  readonly decodedAt: number;
  readonly at: number;
}

/** A stream's leading tracks as fragmented MP4, muxed by mediabunny: every fragment that is written can be played, whatever comes after. */
export class Mp4Writer implements RecordingWriter {
  readonly #file: RecordingFile;
  readonly #headers: readonly Frame[];
  readonly #log: Log;
  readonly #clock = new AudioClock();
  #codecs: { audio?: string; video?: string } = {};
  /** The tracks that are recorded; the first of each kind. */
  #chosen: { audio?: number; video?: number } = {};
  #video: Waiting[] = [];
  #audio: Waiting[] = [];
  #bytes = 0;
  #sequence = 0;
  #lastShown = 0;
  #lastDuration = 0;
  #muxer: FragmentMuxer | undefined;
  #fragments = 0;
  #tracks: Tracks | undefined;
  #firstComposition: number | undefined;
  /** How much later pictures are shown than decoded. */
  #delay: number | undefined;
  /** Fragments that are complete, oldest first. */
  #due: { readonly video: readonly Coded[]; readonly audio: readonly Waiting[]; readonly opens: boolean }[] = [];

  constructor(file: RecordingFile, headers: readonly Frame[], log: Log) {
    this.#file = file;
    this.#headers = headers;
    this.#log = log;
    for (const header of headers) for (const packet of packetsOf(header)) this.#choose(packet);
  }

  add(frame: Frame, at: number): void {
    for (const packet of packetsOf(frame)) {
      if (packet.role !== 'coded') continue;
      this.#choose(packet);
      if (!this.#isChosen(packet)) continue;
      if (packet.kind === 'video') this.#addVideo(packet, at);
      else this.#audio.push({ data: packet.data, isKeyframe: true, decodedAt: at, at });
      this.#bytes += costOf(packet);
      if (packet.kind === 'audio') this.#cutSound(at);
    }
  }

  async flush(): Promise<void> {
    const due = this.#due;
    this.#due = [];
    for (const { video, audio, opens } of due) await this.#mux(video, audio, opens);
  }

  async close(): Promise<void> {
    try {
      this.#cut(undefined);
      await this.flush();
    } finally {
      await this.#muxer?.close();
      await this.#file.finish();
    }
  }

  /** OBS before 29.1 sent HEVC under the id of AVC: only its configuration tells. */
  #isChosen({ kind, track, codec }: MediaPacket): boolean {
    const known = this.#codecs[kind];
    return this.#chosen[kind] === track && (known === codec || (known === 'hvc1' && codec === 'avc1'));
  }

  /** The default track, or else the first that comes. */
  #choose({ kind, track, codec, role }: MediaPacket): void {
    const chosen = this.#chosen[kind];
    if (role === 'end' || chosen === track || (chosen !== undefined && (track !== 0 || this.#tracks !== undefined)))
      return;
    this.#chosen[kind] = track;
    this.#codecs[kind] = codec;
  }

  #addVideo({ data, isKeyframe, compositionMs }: MediaPacket, decodedAt: number): void {
    const first = this.#video[0];
    const elapsed = first === undefined ? 0 : decodedAt - first.decodedAt;
    const isDue = isKeyframe ? elapsed >= FRAGMENT_MS : elapsed >= MAX_FRAGMENT_MS || this.#bytes >= MAX_FRAGMENT_BYTES;
    if (first !== undefined && isDue) this.#cut(decodedAt);
    this.#firstComposition ??= compositionMs;
    // Only where a cut had to be made between keyframes can a picture belong before it.
    const at = Math.max(this.#lastShown, decodedAt + compositionMs);
    this.#video.push({ data, isKeyframe, decodedAt, at });
  }

  /** Beside pictures, only when none has come for longer than they may be apart: a camera that is off. */
  #cutSound(at: number): void {
    const least = this.#codecs.video === undefined ? FRAGMENT_MS : SOUND_ALONE_MS;
    const last = this.#video.at(-1)?.decodedAt ?? this.#audio[0]!.decodedAt;
    if (at - last >= least || this.#bytes >= MAX_FRAGMENT_BYTES) this.#cut(undefined);
  }

  /** What waits becomes a fragment. `next`: when the next picture is decoded. */
  #cut(next: number | undefined): void {
    if (this.#video.length + this.#audio.length === 0) return;
    const opens = this.#video[0]?.isKeyframe ?? this.#codecs.video === undefined;
    this.#due.push({ video: this.#timed(next), audio: this.#audio, opens });
    this.#video = [];
    this.#audio = [];
    this.#bytes = 0;
  }

  #timed(next: number | undefined): Coded[] {
    return this.#video.map(({ data, isKeyframe, decodedAt, at }, index) => {
      const following = this.#video[index + 1]?.decodedAt ?? next;
      const duration = following === undefined ? this.#lastDuration : Math.max(0, following - decodedAt);
      this.#lastDuration = duration;
      this.#lastShown = Math.max(this.#lastShown, at);
      return { data, isKeyframe, at, duration };
    });
  }

  async #mux(video: readonly Coded[], waiting: readonly Waiting[], opens: boolean): Promise<void> {
    this.#tracks ??= this.#findTracks(video[0]?.data, waiting[0]?.data);
    if (this.#muxer !== undefined && opens && this.#fragments >= FRAGMENTS_PER_RUN) await this.#renew();
    const isFirst = this.#sequence === 0;
    this.#delay ??= reorderDelay(video, this.#firstComposition ?? 0);
    this.#muxer ??= await FragmentMuxer.open(this.#tracks, this.#delay);
    const { init, data } = await this.#muxer.mux({ video, audio: this.#placed(waiting, this.#tracks.audio) });
    this.#fragments++;
    if (data.length === 0) return;
    data.writeUInt32BE(++this.#sequence, SEQUENCE_AT);
    await this.#file.append(isFirst ? [init, data] : [data]);
  }

  async #renew(): Promise<void> {
    const former = this.#muxer;
    this.#muxer = undefined;
    this.#fragments = 0;
    await former?.close();
  }

  #placed(waiting: readonly Waiting[], config: AudioConfig | undefined): Coded[] {
    if (config === undefined) return [];
    return waiting.map(({ data, at }) => {
      const duration = (soundSamples(config, data) / config.sampleRate) * 1000;
      return { data, isKeyframe: true, at: this.#clock.place(at, duration), duration };
    });
  }

  #findTracks(keyframe: Uint8Array | undefined, sound: Buffer | undefined): Tracks {
    const { video: videoCodec, audio: audioCodec } = this.#codecs;
    const tracks = { video: this.#videoConfig(keyframe), audio: this.#audioConfig(sound) };
    const lost = [...(tracks.video ? [] : [videoCodec]), ...(tracks.audio ? [] : [audioCodec])].filter(Boolean);
    if (tracks.video === undefined && tracks.audio === undefined) {
      throw new RecordingError('RECORD_CODEC', `MP4 recordings cannot hold ${lost.join(' and ') || 'this codec'}`);
    }
    if (lost.length > 0)
      this.#log.warn({ codecs: lost }, `a recording leaves out what MP4 recordings cannot hold: ${lost.join(', ')}`);
    return tracks;
  }

  #videoConfig(keyframe: Uint8Array | undefined): VideoConfig | undefined {
    const codec = this.#codecs.video;
    return codec === undefined
      ? undefined
      : videoConfig(codec, this.#record('video'), keyframe && Buffer.from(keyframe));
  }

  #audioConfig(packet: Buffer | undefined): AudioConfig | undefined {
    const codec = this.#codecs.audio;
    return codec === undefined ? undefined : audioConfig(codec, this.#record('audio'), packet);
  }

  /** The configuration record of the chosen track. */
  #record(kind: 'audio' | 'video'): Buffer | undefined {
    const packets = this.#headers.flatMap((header) => packetsOf(header));
    return packets.find((one) => one.role === 'config' && one.kind === kind && one.track === this.#chosen[kind])?.data;
  }
}
