import type { Log } from '../../log.ts';
import { codecOf, isKnownPicture, isKnownSound, printable, type Frame, type MediaPacket } from '../../media/index.ts';

const NOUN = { audio: 'sound', video: 'picture' } as const;
const ADVICE = { audio: 'AAC or Opus', video: 'H.264, HEVC, AV1 or VP9' } as const;

/** More codecs than any encoder has, and fewer than a publisher can invent: four bytes name one. */
const MAX_SAID = 8;

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
    const codec = codecOf(frame);
    if (frame.kind !== 'data' && codec !== undefined && !isCarried(frame.kind, codec)) this.#refuse(frame.kind, codec);
  }

  /** A packet of a track that could not be made anything of. */
  packet({ kind, codec, role }: MediaPacket): void {
    if (!isCarried(kind, codec)) this.#refuse(kind, codec);
    else if (role === 'config') this.#refuse(kind, codec, 'a configuration of ');
  }

  /** More tracks than HLS makes playlists of one stream. */
  tracksBeyond(max: number): void {
    this.#say(
      '',
      { max },
      `a publisher has more tracks than the ${max} that HLS makes playlists of: it leaves out the others`,
    );
  }

  /** Sound that is carried, and that few can hear. */
  heardByFew(codec: string): void {
    const message = `a publisher's sound is ${codec}, which most browsers do not play: they show the picture without it. Set the encoder to ${ADVICE.audio}`;
    this.#say(codec, { codec }, message);
  }

  #refuse(kind: 'audio' | 'video', fourCc: string, what = ''): void {
    const codec = printable(fourCc);
    const message = `HLS leaves out a publisher's ${NOUN[kind]}: it cannot carry ${what}${codec}. Set the encoder to ${ADVICE[kind]}`;
    this.#say(codec, { codec }, message);
  }

  #say(once: string, fields: object, message: string): void {
    if (this.#said.has(once) || this.#said.size >= MAX_SAID) return;
    this.#said.add(once);
    this.#log.warn(fields, message);
  }
}

function isCarried(kind: 'audio' | 'video', codec: string): boolean {
  return kind === 'audio' ? isKnownSound(codec) : isKnownPicture(codec);
}
