import type { AudioConfig } from '../../media/index.ts';
import type { Rendition } from './rendition.ts';
import type { HlsStream } from './stream.ts';
import type { HlsOptions } from './options.ts';
import { frameRate } from './frame-rate.ts';
import { isPlayedEverywhere, multivariantPlaylist, type Sound, type Variant } from './multivariant.ts';
import { mediaPlaylist, type RenditionReport } from './playlist.ts';
import { Waiting } from './waiting.ts';

/** How far ahead of the playlist's end a request may ask to wait (RFC 8216bis, 6.2.5.2). */
const MAX_AHEAD = 2;
/** The same for parts: three seconds of them, or three. */
const PARTS_AHEAD_S = 3;
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
    const { variants, sounds } = this.#listed();
    const mixed = variants[0]?.library.tracks?.video && variants[0].library.tracks.audio;
    const all = [...(mixed ? [mixedSound(mixed)] : []), ...sounds.map(soundOf)];
    const text = multivariantPlaylist(
      variants.map((rendition) => this.#variant(rendition)),
      all,
    );
    return { status: 200, playlist: text, maxAge: 0 };
  }

  async playlist(name: string, reload: Reload, now: number): Promise<Answer> {
    const find = (): Rendition | undefined => this.stream.renditions.get(name);
    const isMissing = (): boolean => find() === undefined && this.#canBegin();
    const isDue = (): boolean => this.#isEnough(find()) || isMissing();
    if (!(await this.waiting.until(isDue, now + this.#options.startMs))) return this.#nothing();
    const rendition = find();
    if (rendition === undefined) return { status: 404 };
    rendition.promise();
    const { library } = rendition;
    const { sequence, part, skip } = reload;
    if (sequence !== undefined && !library.ended) {
      if (this.#isTooFar(rendition, sequence, part ?? 0)) return { status: 400 };
      const deadline = now + PATIENCE * library.targetDuration! * 1000;
      const isThere = (): boolean => library.ended || library.has(sequence, part) || find() !== rendition;
      if (!(await this.waiting.until(isThere, deadline))) return { status: 503 };
      // Its track does not come any more: with this answer, players take another.
      if (find() !== rendition) return { status: 404 };
    }
    const view = library.view();
    const playlist = mediaPlaylist(view, {
      ...{ prefix: name, lowLatency: this.#options.lowLatency, skip },
      dateRanges: this.stream.dateRanges(view.segments[0]?.programTime ?? -Infinity),
      reports: this.#reports(rendition),
    });
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
      await this.waiting.until(() => library.isPast(sequence, index), now + PATIENCE * targetDuration * 1000);
    }
    const part = library.segment(sequence)?.parts[index];
    return part === undefined ? { status: 404 } : { status: 200, media: [part.bytes] };
  }

  /** What the multivariant playlist names: variants, and sounds beside them. */
  #listed(): { readonly variants: readonly Rendition[]; readonly sounds: readonly Rendition[] } {
    const renditions = [...this.stream.renditions.values()].filter(({ library }) => library.tracks !== undefined);
    const videos = renditions.filter(({ tracks }) => tracks.video !== undefined);
    const sounds = renditions.filter(({ name, tracks }) => tracks.video === undefined && !this.stream.isMixed(name));
    sounds.sort((a, b) => trackOf(a) - trackOf(b));
    return videos.length > 0 ? { variants: videos, sounds } : { variants: sounds.slice(0, 1), sounds: sounds.slice(1) };
  }

  #variant(rendition: Rendition): Variant {
    const { name, library } = rendition;
    const video = library.tracks?.video;
    const rate = frameRate(library.frameRate, video?.frameRate);
    return {
      ...{ uri: `${name}.m3u8`, codecs: codecsOf(rendition), ...library.bandwidth() },
      picture: video && { width: video.width, height: video.height, frameRate: rate, range: this.stream.range(name) },
    };
  }

  /** How far the others are that the multivariant playlist names. */
  #reports(own: Rendition): RenditionReport[] {
    const { variants, sounds } = this.#listed();
    return [...variants, ...sounds].flatMap(({ name, library }) => {
      const { tip } = library;
      return name === own.name || tip === undefined ? [] : [{ uri: `${name}.m3u8`, ...tip }];
    });
  }

  /** Nobody can know of what is so far ahead (RFC 8216bis, 6.2.5.2). */
  #isTooFar({ library }: Rendition, sequence: number, part: number): boolean {
    const { partTarget } = library.view();
    const last = library.tip?.sequence === sequence ? library.tip.part : -1;
    const ahead = Math.ceil(PARTS_AHEAD_S / Math.min(1, partTarget));
    return sequence > library.newest + MAX_AHEAD || (sequence >= library.newest && part > last + ahead);
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

function trackOf({ name }: Rendition): number {
  return Number(name.slice(1));
}

/** The default sound, which is in the variants. */
function mixedSound({ codec, codecString, channels }: AudioConfig): Sound {
  const kind = { codec: codecString, channels, isPlayedEverywhere: isPlayedEverywhere(codec) };
  return { uri: undefined, name: 'Default', ...kind, peak: 0, average: 0 };
}

function soundOf(rendition: Rendition): Sound {
  const { codec, codecString, channels } = rendition.library.tracks!.audio!;
  const track = trackOf(rendition);
  return {
    ...{
      uri: `${rendition.name}.m3u8`,
      name: track === 0 ? 'Default' : `Track ${track}`,
      codec: codecString,
      channels,
    },
    ...{ ...rendition.library.bandwidth(), isPlayedEverywhere: isPlayedEverywhere(codec) },
  };
}
