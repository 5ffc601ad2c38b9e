import type { Log } from '../../log.ts';
import { codecOf, type Frame, type MediaPacket } from '../../media/index.ts';

/** FourCCs that fragmented MP4 is made of here. */
const CARRIED: readonly string[] = ['avc1', 'hvc1', 'av01', 'vp09', 'mp4a', 'Opus', 'fLaC', '.mp3', 'ac-3', 'ec-3'];
const NOUN = { audio: 'sound', video: 'picture' } as const;
const ADVICE = { audio: 'AAC or Opus', video: 'H.264, HEVC, AV1 or VP9' } as const;

/** Says what of a stream HLS cannot carry: once for each codec of each publisher. */
export class LeftOut {
  readonly #log: Log;
  readonly #said = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Another publisher. */
  clear(): void {
    this.#said.clear();
  }

  /** A frame of which nothing can be read: of an old codec, or empty. */
  frame(frame: Frame): void {
    const codec = frame.kind === 'data' ? undefined : codecOf(frame);
    if (codec !== undefined && !CARRIED.includes(codec)) this.#say(frame.kind as 'audio' | 'video', codec);
  }

  /** A packet of a track that could not be made anything of. */
  packet({ kind, codec, role }: MediaPacket): void {
    if (!CARRIED.includes(codec)) this.#say(kind, codec);
    else if (role === 'config') this.#say(kind, codec, 'a configuration of ');
  }

  /** More tracks than HLS makes playlists of one stream. */
  tracksBeyond(max: number): void {
    if (this.#said.has('')) return;
    this.#said.add('');
    this.#log.warn(
      { max },
      `a publisher has more tracks than the ${max} that HLS makes playlists of: it leaves out the others`,
    );
  }

  /** Sound that is carried, and that few can hear. */
  heardByFew(codec: string): void {
    if (this.#said.has(codec)) return;
    this.#said.add(codec);
    this.#log.warn(
      { codec },
      `a publisher's sound is ${codec}, which most browsers do not play: they show the picture without it. Set the encoder to ${ADVICE.audio}`,
    );
  }

  #say(kind: 'audio' | 'video', codec: string, what = ''): void {
    if (this.#said.has(codec)) return;
    this.#said.add(codec);
    this.#log.warn(
      { codec },
      `HLS leaves out a publisher's ${NOUN[kind]}: it cannot carry ${what}${codec}. Set the encoder to ${ADVICE[kind]}`,
    );
  }
}
