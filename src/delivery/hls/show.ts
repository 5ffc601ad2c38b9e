import type { AudioConfig } from '../../media/index.ts';
import type { Rendition } from './rendition.ts';
import type { HlsStream } from './stream.ts';
import type { HlsOptions } from './options.ts';
import { frameRate } from './frame-rate.ts';
import { isPlayedEverywhere, multivariantPlaylist, type Sound, type Variant } from './multivariant.ts';
import { mediaPlaylist, type RenditionReport } from './playlist.ts';
import { SharedText } from './shared-text.ts';
import type { Asker, Waiting } from './waiting.ts';

/** How far ahead of the playlist's end a request may ask to wait (RFC 8216bis, 6.2.5.2). */
const MAX_AHEAD = 2;
/** The same for parts: three seconds of them, or three. */
const PARTS_AHEAD_S = 3;
/** How many target durations a request waits for what has not come (RFC 8216bis, 6.2.5.2). */
const PATIENCE = 3;
/** But less than proxies wait for an answer (nginx: 60 s), and this gateway's own `limits.httpStallTimeout`. */
const MAX_PATIENCE_MS = 50_000;

/** What a request for a file of a stream gets. */
export type Answer =
  | { readonly status: 404 | 400 | 503 }
  | { readonly status: 200; readonly playlist: SharedText; readonly maxAge: number }
  | { readonly status: 200; readonly media: readonly Buffer[] };

export interface Reload {
  readonly sequence: number | undefined;
  readonly part: number | undefined;
  readonly skip: boolean;
}

interface Written {
  /** Of the rendition, and of the stream when it was written. */
  readonly version: number;
  readonly revision: number;
  readonly playlist: SharedText;
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
  /** Playlists as they were last written, for all who ask until something is added. */
  readonly #written = new Map<string, Written>();

  constructor(stream: HlsStream, waiting: Waiting, options: HlsOptions, now: number) {
    this.stream = stream;
    this.waiting = waiting;
    this.#options = options;
    this.askedAt = now;
    this.publishedAt = now;
  }

  async multivariant(asker: Asker): Promise<Answer> {
    const canBegin = await this.waiting.until(() => this.#canBegin(), asker, this.#options.startMs);
    if (!canBegin) return this.#nothing();
    const { variants, sounds } = this.#listed();
    const mixed = variants[0]?.window.tracks?.video && variants[0].window.tracks.audio;
    const all = [...(mixed ? [mixedSound(mixed)] : []), ...sounds.map(soundOf)];
    const text = multivariantPlaylist(
      variants.map((rendition) => this.#variant(rendition)),
      all,
    );
    return { status: 200, playlist: new SharedText(text), maxAge: 0 };
  }

  async playlist(name: string, reload: Reload, asker: Asker): Promise<Answer> {
    const find = (): Rendition | undefined => this.#renditions.get(name);
    const isMissing = (): boolean => find() === undefined && this.#canBegin();
    const isDue = (): boolean => this.#isEnough(find()) || isMissing();
    if (!(await this.waiting.until(isDue, asker, this.#options.startMs))) return this.#nothing();
    const rendition = find();
    if (rendition === undefined) return { status: 404 };
    rendition.promise();
    const { window } = rendition;
    const { sequence, part, skip } = reload;
    if (sequence !== undefined && !window.ended) {
      if (this.#isTooFar(rendition, sequence, part ?? 0)) return { status: 400 };
      const isThere = (): boolean => window.ended || window.has(sequence, part) || find() !== rendition;
      if (!(await this.waiting.until(isThere, asker, patience(window.targetDuration!)))) return { status: 503 };
      // Its track does not come any more: with this answer, players take another.
      if (find() !== rendition) return { status: 404 };
    }
    const playlist = this.#write(rendition, skip);
    return { status: 200, playlist, maxAge: sequence === undefined ? 0 : window.targetDuration! };
  }

  init(name: string, number: number): Answer {
    const bytes = this.#renditions.get(name)?.window.init(number);
    return bytes === undefined ? { status: 404 } : { status: 200, media: [bytes] };
  }

  segment(name: string, sequence: number): Answer {
    const segment = this.#renditions.get(name)?.window.segment(sequence);
    if (segment?.closed !== true) return { status: 404 };
    return { status: 200, media: segment.parts.map(({ bytes }) => bytes) };
  }

  /** A part that is hinted at but not there yet is waited for. */
  async part(name: string, sequence: number, index: number, asker: Asker): Promise<Answer> {
    const window = this.#renditions.get(name)?.window;
    if (window === undefined) return { status: 404 };
    const { segments, nextSequence, targetDuration } = window.view();
    const last = segments.at(-1);
    const isHinted = sequence === nextSequence && index === (last?.sequence === sequence ? last.parts.length : 0);
    if (isHinted && !window.ended) {
      await this.waiting.until(() => window.isPast(sequence, index), asker, patience(targetDuration));
    }
    const part = window.segment(sequence)?.parts[index];
    return part === undefined ? { status: 404 } : { status: 200, media: [part.bytes] };
  }

  get #renditions(): ReadonlyMap<string, Rendition> {
    return this.stream.packager.renditions;
  }

  /** Thousands ask for the same within a few milliseconds of each part. */
  #write(rendition: Rendition, skip: boolean): SharedText {
    const { name, window } = rendition;
    const { version } = window;
    const { revision, packager } = this.stream;
    const key = skip ? `${name} skip` : name;
    const known = this.#written.get(key);
    if (known?.version === version && known.revision === revision) return known.playlist;
    const view = window.view();
    const text = mediaPlaylist(view, {
      ...{ prefix: name, lowLatency: this.#options.lowLatency, skip },
      dateRanges: packager.dateRanges(view.segments[0]?.programTime ?? -Infinity),
      reports: this.#reports(rendition),
    });
    const playlist = new SharedText(text);
    this.#written.set(key, { version, revision, playlist });
    return playlist;
  }

  /** What the multivariant playlist names: variants, and sounds beside them. */
  #listed(): { readonly variants: readonly Rendition[]; readonly sounds: readonly Rendition[] } {
    const renditions = [...this.#renditions.values()].filter(({ window }) => window.tracks !== undefined);
    const videos = renditions.filter(({ tracks }) => tracks.video !== undefined);
    const sounds = renditions.filter(
      ({ name, tracks }) => tracks.video === undefined && !this.stream.packager.isMixed(name),
    );
    sounds.sort((a, b) => trackOf(a) - trackOf(b));
    return videos.length > 0 ? { variants: videos, sounds } : { variants: sounds.slice(0, 1), sounds: sounds.slice(1) };
  }

  #variant(rendition: Rendition): Variant {
    const { name, window } = rendition;
    const video = window.tracks?.video;
    const rate = frameRate(window.frameRate, video?.frameRate);
    return {
      ...{ uri: `${name}.m3u8`, codecs: codecsOf(rendition), ...window.bandwidth() },
      picture: video && {
        width: video.width,
        height: video.height,
        frameRate: rate,
        range: this.stream.packager.range(name),
      },
    };
  }

  /** How far the others are that the multivariant playlist names. */
  #reports(own: Rendition): RenditionReport[] {
    const { variants, sounds } = this.#listed();
    return [...variants, ...sounds].flatMap(({ name, window }) => {
      const { tip } = window;
      return name === own.name || tip === undefined ? [] : [{ uri: `${name}.m3u8`, ...tip }];
    });
  }

  /** Nobody can know of what is so far ahead (RFC 8216bis, 6.2.5.2). */
  #isTooFar({ window }: Rendition, sequence: number, part: number): boolean {
    const { partTarget } = window.view();
    const last = window.tip?.sequence === sequence ? window.tip.part : -1;
    const ahead = Math.ceil(PARTS_AHEAD_S / Math.min(1, partTarget));
    return sequence > window.newest + MAX_AHEAD || (sequence >= window.newest && part > last + ahead);
  }

  /**
   * There is enough to begin with. A whole segment, though a low-latency player could do with three parts: FFmpeg and all
   * that know nothing of parts give up on a playlist without one (measured).
   */
  #isEnough(rendition: Rendition | undefined): boolean {
    return rendition?.window.hasSegment === true;
  }

  /** All tracks can begin, or one could for so long that the others seem to be stuck. */
  #canBegin(): boolean {
    const renditions = [...this.#renditions.values()];
    if (renditions.every((rendition) => this.#isEnough(rendition))) return renditions.length > 0;
    return renditions.some(({ window }) => window.duration * 1000 > 2 * this.#options.segmentMs && window.hasSegment);
  }

  /** Nothing came: because nobody sends anything, or not enough yet. */
  #nothing(): Answer {
    return { status: this.stream.publishing ? 503 : 404 };
  }
}

/** Milliseconds. */
function patience(targetDuration: number): number {
  return Math.min(PATIENCE * targetDuration * 1000, MAX_PATIENCE_MS);
}

function codecsOf({ window }: Rendition): string[] {
  const { video, audio } = window.tracks!;
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
  const { codec, codecString, channels } = rendition.window.tracks!.audio!;
  const track = trackOf(rendition);
  return {
    ...{
      uri: `${rendition.name}.m3u8`,
      name: track === 0 ? 'Default' : `Track ${track}`,
      codec: codecString,
      channels,
    },
    ...{ ...rendition.window.bandwidth(), isPlayedEverywhere: isPlayedEverywhere(codec) },
  };
}
