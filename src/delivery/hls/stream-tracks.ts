import { MAX_CONFIG_BYTES } from '../../hub/index.ts';
import {
  audioConfig,
  isSelfDescribing,
  MAX_TRACKS,
  soundSamples,
  transferOf,
  videoConfig,
  videoRange,
  type AudioConfig,
  type MediaPacket,
  type VideoConfig,
  type VideoRange,
} from '../../media/index.ts';

/** One track as far as its publisher has described it. */
interface Described {
  codec: string;
  record: Buffer | undefined;
  config: VideoConfig | AudioConfig | undefined;
}

/** The configurations of a stream's tracks, and whether a packet changed one. */
export class StreamTracks {
  readonly #video = new Map<number, Described>();
  readonly #audio = new Map<number, Described>();
  /** Transfer characteristics of pictures as the publisher tells them beside the bitstream. */
  readonly #transfers = new Map<number, number>();

  /** Takes a configuration, or a packet that tells what the configuration left open. True: a track has changed. */
  learn(packet: MediaPacket): boolean {
    const tracks = packet.kind === 'video' ? this.#video : this.#audio;
    const known = tracks.get(packet.track);
    // Of each kind as many are followed as one message may have.
    if (known === undefined && tracks.size >= MAX_TRACKS) return false;
    if (packet.role === 'config') return this.#configure(tracks, packet, known);
    if (packet.role === 'metadata') this.#note(packet);
    if (packet.role !== 'coded' || !packet.isKeyframe) return false;
    if (isSelfDescribing(packet.codec)) return this.#set(tracks, packet, packet.codec, undefined);
    const isOpen = known === undefined || known.config === undefined || OPEN.has(known.codec);
    return isOpen && this.#set(tracks, packet, known?.codec ?? packet.codec, known?.record);
  }

  /** Whether the packet is of the codec that its track was described with. */
  fits({ kind, track, codec }: MediaPacket): boolean {
    return kind === 'video' || this.#audio.get(track)?.codec === codec;
  }

  /** Whether a packet can be made something of, now or with what is still to come. */
  knows({ kind, track, codec, role }: MediaPacket): boolean {
    if (role === 'end' || role === 'metadata') return true;
    const known = (kind === 'video' ? this.#video : this.#audio).get(track);
    return known?.config !== undefined || (role === 'config' && OPEN.has(codec));
  }

  range(track: number): VideoRange {
    return videoRange(this.#transfers.get(track) ?? this.video(track)?.transfer);
  }

  video(track: number): VideoConfig | undefined {
    return this.#video.get(track)?.config as VideoConfig | undefined;
  }

  audio(track: number): AudioConfig | undefined {
    return this.#audio.get(track)?.config as AudioConfig | undefined;
  }

  /** Ids of the tracks that can be shown, lowest first. */
  list(kind: 'audio' | 'video'): number[] {
    const tracks = kind === 'video' ? this.#video : this.#audio;
    const usable = [...tracks].filter(([, { config }]) => config !== undefined);
    return usable.map(([id]) => id).sort((a, b) => a - b);
  }

  /** Milliseconds that a packet of sound lasts. */
  durationOf(config: AudioConfig, data: Buffer): number {
    return (soundSamples(config, data) * 1000) / config.sampleRate;
  }

  clear(): void {
    this.#video.clear();
    this.#audio.clear();
    this.#transfers.clear();
  }

  /** Each replaces the one before (Enhanced RTMP v2, "Metadata Frame"). */
  #note({ track, data }: MediaPacket): void {
    const transfer = transferOf(data);
    if (transfer === undefined) this.#transfers.delete(track);
    else this.#transfers.set(track, transfer);
  }

  #configure(tracks: Map<number, Described>, packet: MediaPacket, known: Described | undefined): boolean {
    const { codec, data } = packet;
    if (data.length > MAX_CONFIG_BYTES) return false;
    if (known?.codec === codec && known.record?.equals(data) === true) return false;
    return this.#set(tracks, packet, codec, Buffer.from(data));
  }

  #set(tracks: Map<number, Described>, packet: MediaPacket, codec: string, record: Buffer | undefined): boolean {
    const coded = packet.role === 'coded' ? packet.data : undefined;
    const config = packet.kind === 'video' ? videoConfig(codec, record, coded) : audioConfig(codec, record, coded);
    // A damaged packet does not take its track away.
    if (config === undefined && isSelfDescribing(codec) && tracks.get(packet.track)?.codec === codec) return false;
    const former = tracks.get(packet.track)?.config;
    tracks.set(packet.track, { codec, record, config: isSame(former, config) ? former : config });
    return !isSame(former, config);
  }
}

/** Codecs whose keyframes may tell of another size than before, or tell it at all. */
const OPEN = new Set(['av01', 'vp09']);

function isSame(a: VideoConfig | AudioConfig | undefined, b: VideoConfig | AudioConfig | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const { description: left, ...rest } = a;
  const { description: right, ...other } = b;
  if (JSON.stringify(rest) !== JSON.stringify(other)) return false;
  // Heads of sync frames differ from one to the next.
  return a.codec === 'ac3' || a.codec === 'eac3' || Buffer.compare(left ?? NOTHING, right ?? NOTHING) === 0;
}

const NOTHING = Buffer.alloc(0);
