import type { Rendition } from './rendition.ts';
import type { HlsStream } from './stream.ts';
import type { HlsOptions } from './options.ts';
import { mediaPlaylist, multivariantPlaylist } from './playlist.ts';
import { Waiting } from './waiting.ts';

/** How far ahead of the playlist's end a request may ask to wait (RFC 8216bis, 6.2.5.2). */
const MAX_AHEAD = 2;
/** How many target durations a request waits for what has not come (RFC 8216bis, 6.2.5.2). */
const PATIENCE = 3;

/** What a request for a file of a stream gets. */
export type Answer =
  | { readonly status: 404 | 400 | 503 }
  | { readonly status: 200; readonly playlist: string; readonly maxAge: number }
  | { readonly status: 200; readonly media: readonly Buffer[] };

export interface Reload {
  readonly sequence: number | undefined;
  readonly part: number | undefined;
  readonly skip: boolean;
}

/** A stream and those who ask for its files. */
export class Show {
  readonly stream: HlsStream;
  readonly waiting: Waiting;
  readonly #options: HlsOptions;
  /** When somebody last asked for something. */
  askedAt: number;
  /** When the publisher was last there. */
  publishedAt: number;

  constructor(stream: HlsStream, waiting: Waiting, options: HlsOptions, now: number) {
    this.stream = stream;
    this.waiting = waiting;
    this.#options = options;
    this.askedAt = now;
    this.publishedAt = now;
  }

  async multivariant(now: number): Promise<Answer> {
    if (!(await this.waiting.until(() => this.#canBegin(), now + this.#options.startMs))) return this.#nothing();
    const renditions = [...this.stream.renditions.values()].filter(({ library }) => library.tracks !== undefined);
    const hasVideo = renditions.some(({ tracks }) => tracks.video !== undefined);
    const variants = renditions.filter(({ tracks }) => !hasVideo || tracks.video !== undefined);
    const sounds = hasVideo ? renditions.filter(({ tracks }) => tracks.video === undefined) : [];
    const text = multivariantPlaylist(variants.map(variantOf), sounds.map(soundOf));
    return { status: 200, playlist: text, maxAge: 0 };
  }

  async playlist(name: string, reload: Reload, now: number): Promise<Answer> {
    const find = (): Rendition | undefined => this.stream.renditions.get(name);
    if (!(await this.#hasStarted(find, now))) return this.#nothing();
    const rendition = find()!;
    rendition.promise();
    const { library } = rendition;
    const { sequence, part, skip } = reload;
    if (sequence !== undefined && !library.ended) {
      if (sequence > library.newest + MAX_AHEAD) return { status: 400 };
      const deadline = now + PATIENCE * library.targetDuration! * 1000;
      const isThere = (): boolean => library.ended || library.has(sequence, part);
      if (!(await this.waiting.until(isThere, deadline))) return { status: 503 };
    }
    const view = library.view();
    const dateRanges = this.stream.dateRanges(view.segments[0]?.programTime ?? -Infinity);
    const playlist = mediaPlaylist(view, { prefix: name, lowLatency: this.#options.lowLatency, skip, dateRanges });
    return { status: 200, playlist, maxAge: sequence === undefined ? 0 : library.targetDuration! };
  }

  init(name: string, number: number): Answer {
    const bytes = this.stream.renditions.get(name)?.library.init(number);
    return bytes === undefined ? { status: 404 } : { status: 200, media: [bytes] };
  }

  segment(name: string, sequence: number): Answer {
    const segment = this.stream.renditions.get(name)?.library.segment(sequence);
    if (segment?.closed !== true) return { status: 404 };
    return { status: 200, media: segment.parts.map(({ bytes }) => bytes) };
  }

  /** A part that is hinted at but not there yet is waited for. */
  async part(name: string, sequence: number, index: number, now: number): Promise<Answer> {
    const library = this.stream.renditions.get(name)?.library;
    if (library === undefined) return { status: 404 };
    const { segments, nextSequence, targetDuration } = library.view();
    const last = segments.at(-1);
    const isHinted = sequence === nextSequence && index === (last?.sequence === sequence ? last.parts.length : 0);
    if (isHinted && !library.ended) {
      await this.waiting.until(
        () => library.ended || library.has(sequence, index),
        now + PATIENCE * targetDuration * 1000,
      );
    }
    const part = library.segment(sequence)?.parts[index];
    return part === undefined ? { status: 404 } : { status: 200, media: [part.bytes] };
  }

  async #hasStarted(find: () => Rendition | undefined, now: number): Promise<boolean> {
    return this.waiting.until(() => this.#isEnough(find()), now + this.#options.startMs);
  }

  /**
   * There is enough to begin with. A whole segment, though a low-latency player could do with three parts: FFmpeg and all
   * that know nothing of parts give up on a playlist without one (measured).
   */
  #isEnough(rendition: Rendition | undefined): boolean {
    return rendition?.library.hasSegment === true;
  }

  /** All tracks can begin, or one could for so long that the others seem to be stuck. */
  #canBegin(): boolean {
    const renditions = [...this.stream.renditions.values()];
    if (renditions.every((rendition) => this.#isEnough(rendition))) return renditions.length > 0;
    return renditions.some(
      ({ library }) => library.duration * 1000 > 2 * this.#options.segmentMs && library.hasSegment,
    );
  }

  /** Nothing came: because nobody sends anything, or not enough yet. */
  #nothing(): Answer {
    return { status: this.stream.publishing ? 503 : 404 };
  }
}

function codecsOf({ library }: Rendition): string[] {
  const { video, audio } = library.tracks!;
  return [video, audio].flatMap((track) => (track === undefined ? [] : [track.codecString]));
}

function variantOf(rendition: Rendition) {
  const video = rendition.library.tracks?.video;
  return {
    uri: `${rendition.name}.m3u8`,
    codecs: codecsOf(rendition),
    ...rendition.library.bandwidth(),
    size: video && { width: video.width, height: video.height },
  };
}

function soundOf(rendition: Rendition) {
  const track = rendition.name.slice(1);
  return { uri: `${rendition.name}.m3u8`, name: `Track ${track}`, codecs: codecsOf(rendition) };
}
