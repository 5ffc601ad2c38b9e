import { Outbox, type FairShare, type Subscriber, type Subscription } from '../../hub/index.ts';
import type { Log } from '../../log.ts';
import { packetsOf, type Frame, type MediaPacket } from '../../media/index.ts';
import type { HlsOptions } from './options.ts';
import type { Tracks } from './plan.ts';
import { Rendition } from './rendition.ts';
import { StreamTracks } from './stream-tracks.ts';
import { TimedData } from './timed-data.ts';
import { Timeline } from './timeline.ts';

/** How much is muxed before others have their turn: 4 ms of work. */
const TURN_BYTES = 1024 * 1024;
/** Publishers that came one after another before the muxer had time; more are taken as one. */
const MAX_RUNS = 8;

export interface StreamDependencies {
  readonly memory: FairShare;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** How many discontinuities the stream had when it was last muxed. */
  readonly discontinuities: number;
  /** Resolves when everything else that waits has had its turn. */
  readonly turn: () => Promise<void>;
  /** A part is there, or the stream has ended. */
  readonly changed: () => void;
  /** It cannot go on. */
  readonly failed: () => void;
}

/** One stream being muxed: a subscriber whose frames wait in a bounded queue until it is their turn. */
export class HlsStream implements Subscriber {
  readonly #options: HlsOptions;
  readonly #deps: StreamDependencies;
  readonly #tracks = new StreamTracks();
  readonly #renditions = new Map<string, Rendition>();
  readonly #timeline = new Timeline();
  readonly #timedData = new TimedData();
  /** What waits, one queue for each publisher. */
  #runs: Outbox[] = [new Outbox()];
  #pumping: Promise<void> | undefined = undefined;
  #subscription: Subscription | undefined = undefined;
  #leaving = false;
  #closed = false;
  /** The wall clock less media time. */
  #lead: number | undefined = undefined;

  constructor(options: HlsOptions, deps: StreamDependencies) {
    this.#options = options;
    this.#deps = deps;
  }

  /** To be told once, right after subscribing. */
  attach(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  get publishing(): boolean {
    return this.#subscription?.publishing ?? false;
  }

  /** Ad markers, for every playlist that begins at `from` (milliseconds since 1970). */
  dateRanges(from: number): readonly string[] {
    return this.#timedData.dateRanges.lines(from);
  }

  get renditions(): ReadonlyMap<string, Rendition> {
    return this.#renditions;
  }

  /** Media bytes kept. */
  get bytes(): number {
    let bytes = 0;
    for (const { library } of this.#renditions.values()) bytes += library.bytes;
    return bytes;
  }

  /** Discontinuities so far: the most of any rendition. */
  get discontinuities(): number {
    const counts = [...this.#renditions.values()].map(({ library }) => library.discontinuities);
    return Math.max(this.#deps.discontinuities, ...counts);
  }

  deliver(frame: Frame): void {
    if (frame.kind === 'data' && frame.isConfig) return;
    this.#runs.at(-1)!.push(frame);
    this.#pump();
  }

  published(): void {
    this.#leaving = false;
    if (this.#runs.length < MAX_RUNS) this.#runs.push(new Outbox());
    this.#pump();
  }

  unpublished(): void {
    this.#leaving = true;
    this.#pump();
  }

  /** The stream is over for its players. */
  end(): void {
    for (const { library } of this.#renditions.values()) library.end();
    this.#deps.changed();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#subscription?.end();
    await this.#pumping;
    for (const rendition of this.#renditions.values()) await rendition.close();
    this.#renditions.clear();
  }

  #pump(): void {
    this.#pumping ??= this.#work().then(
      () => this.#rest(),
      (error: unknown) => this.#fail(error),
    );
  }

  #rest(): void {
    this.#pumping = undefined;
    if (!this.#closed && (this.#runs[0]!.frames > 0 || this.#runs.length > 1)) this.#pump();
  }

  async #work(): Promise<void> {
    while (!this.#closed) {
      const run = this.#runs[0]!;
      await this.#deps.turn();
      for (const frame of run.take(TURN_BYTES)) this.#take(frame);
      await this.#mux();
      if (run.frames > 0) continue;
      if (this.#runs.length === 1) break;
      this.#runs.shift();
      this.#startAnew();
    }
    if (this.#leaving) await this.#leave();
  }

  async #leave(): Promise<void> {
    this.#leaving = false;
    for (const rendition of this.#renditions.values()) rendition.flush();
    await this.#mux();
    for (const { library } of this.#renditions.values()) library.closeOpenSegment();
    this.#deps.changed();
  }

  async #mux(): Promise<void> {
    let isBusy = true;
    while (isBusy) {
      isBusy = false;
      // In turn, so that all tracks have the same to show.
      for (const rendition of this.#renditions.values()) if (await rendition.muxNext()) isBusy = true;
      if (isBusy) this.#deps.changed();
    }
    if (this.#lead !== undefined) this.#timedData.settle((at) => this.#programTime(at));
  }

  #fail(error: unknown): void {
    this.#pumping = undefined;
    this.#deps.log.warn({ err: error }, 'a stream could not be muxed for HLS');
    this.#deps.failed();
  }

  /** Another publisher: nothing is known of what it sends. */
  #startAnew(): void {
    this.#tracks.clear();
    this.#timedData.interrupt();
    for (const rendition of this.#renditions.values()) rendition.interrupt(rendition.tracks);
    this.#lead = undefined;
  }

  #take(frame: Frame): void {
    if (frame.kind === 'data') return this.#takeData(frame);
    if (frame.isConfig) {
      for (const packet of packetsOf(frame)) if (this.#tracks.learn(packet)) this.#tracksChanged();
      return;
    }
    const placed = this.#timeline.place(frame.timestamp);
    if (placed === undefined) return;
    if (placed.jumped) for (const rendition of this.#renditions.values()) rendition.interrupt(rendition.tracks);
    for (const packet of packetsOf(frame)) {
      if (this.#tracks.learn(packet)) this.#tracksChanged();
      if (packet.role === 'coded') this.#add(packet, placed.at);
    }
  }

  /** Into the playlists that players choose one of; a further sound track, played beside it, would say everything twice. */
  #takeData(frame: Frame): void {
    const cue = this.#timedData.take(frame, this.#timeline.placeData(frame.timestamp));
    if (cue === undefined) return;
    const all = [...this.#renditions.values()];
    const withPicture = all.filter(({ tracks }) => tracks.video !== undefined);
    for (const rendition of withPicture.length > 0 ? withPicture : all) rendition.addCue(cue);
  }

  #add(packet: MediaPacket, at: number): void {
    if (packet.kind === 'video') {
      const { data, isKeyframe, compositionMs } = packet;
      this.#renditions.get(`v${packet.track}`)?.addVideo({ data, isKeyframe, dts: at, pts: at + compositionMs });
      return;
    }
    const config = this.#tracks.audio(packet.track);
    if (config === undefined || packet.data.length === 0) return;
    const duration = this.#tracks.durationOf(config, packet.data);
    const isDefault = packet.track === this.#tracks.list('audio')[0];
    for (const [name, rendition] of this.#renditions) {
      const wants = name === `a${packet.track}` || (isDefault && name.startsWith('v'));
      if (wants && rendition.tracks.audio !== undefined) rendition.addAudio(packet.data, at, duration);
    }
  }

  /** One rendition for each video track, with the default sound in it; further sound by itself. */
  #tracksChanged(): void {
    const [firstSound, ...furtherSounds] = this.#tracks.list('audio');
    const sound = firstSound === undefined ? undefined : this.#tracks.audio(firstSound);
    const videos = this.#tracks.list('video');
    for (const id of videos) this.#rendition(`v${id}`, { video: this.#tracks.video(id), audio: sound });
    const alone = videos.length === 0 && firstSound !== undefined ? [firstSound] : furtherSounds;
    for (const id of alone) this.#rendition(`a${id}`, { video: undefined, audio: this.#tracks.audio(id) });
  }

  #rendition(name: string, tracks: Tracks): void {
    const known = this.#renditions.get(name);
    if (known !== undefined) {
      if (known.tracks.video !== tracks.video || known.tracks.audio !== tracks.audio) known.interrupt(tracks);
      return;
    }
    if (this.#renditions.size >= this.#options.maxRenditions) return;
    const { segmentMs, partMs, window, maxRenditionBytes: maxBytes } = this.#options;
    const birth = this.#deps.wallClock();
    const { discontinuities } = this.#deps;
    const programTime = (at: number): number => this.#programTime(at);
    const options = { segmentMs, partMs, window, maxBytes, birth, discontinuities, programTime };
    this.#renditions.set(name, new Rendition(name, tracks, options, this.#deps.memory));
  }

  /** The wall clock's time of a media time, settled with the first part: the newest frame at hand came just now. */
  #programTime(at: number): number {
    this.#lead ??= this.#deps.wallClock() - this.#timeline.latest;
    return this.#lead + at;
  }
}
