import {
  audioConfig,
  opusSamples,
  videoConfig,
  type AudioConfig,
  type MediaPacket,
  type VideoConfig,
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

  /** Takes a configuration, or a keyframe that tells what the configuration left open. True: a track has changed. */
  learn(packet: MediaPacket): boolean {
    const tracks = packet.kind === 'video' ? this.#video : this.#audio;
    const known = tracks.get(packet.track);
    if (packet.role === 'config') return this.#configure(tracks, packet, known);
    const isOpen = known === undefined || known.config === undefined || OPEN.has(known.codec);
    if (packet.role !== 'coded' || !packet.isKeyframe || !isOpen) return false;
    return this.#set(tracks, packet, known?.codec ?? packet.codec, known?.record);
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
    const samples = config.packetSamples === 0 ? opusSamples(data) : config.packetSamples;
    return (samples * 1000) / config.sampleRate;
  }

  clear(): void {
    this.#video.clear();
    this.#audio.clear();
  }

  #configure(tracks: Map<number, Described>, packet: MediaPacket, known: Described | undefined): boolean {
    const { codec, data } = packet;
    if (known?.codec === codec && known.record?.equals(data) === true) return false;
    return this.#set(tracks, packet, codec, Buffer.from(data));
  }

  #set(tracks: Map<number, Described>, packet: MediaPacket, codec: string, record: Buffer | undefined): boolean {
    const keyframe = packet.role === 'coded' ? packet.data : undefined;
    const config = packet.kind === 'video' ? videoConfig(codec, record, keyframe) : audioConfig(codec, record);
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
  return JSON.stringify(rest) === JSON.stringify(other) && Buffer.compare(left ?? NOTHING, right ?? NOTHING) === 0;
}

const NOTHING = Buffer.alloc(0);
