import { Outbox, type FairShare, type Subscriber, type Subscription } from '../../hub/index.ts';
import type { Log } from '../../log.ts';
import { packetsOf, type Frame, type MediaPacket, type VideoRange } from '../../media/index.ts';
import { Keyframes } from './keyframes.ts';
import { LeftOut } from './left-out.ts';
import type { HlsOptions } from './options.ts';
import type { Tracks } from '../fmp4/coded.ts';
import { Presence } from './presence.ts';
import { ProgramClock } from './program-clock.ts';
import { Rendition } from './rendition.ts';
import { isPlayedEverywhere } from './multivariant.ts';
import { StreamTracks } from './stream-tracks.ts';
import { TimedData } from './timed-data.ts';
import { Timeline } from './timeline.ts';

/** How much is muxed before others have their turn: 4 ms of work. */
const TURN_BYTES = 1024 * 1024;
/** At first, so many portions may wait for the newest frame at hand, which tells what time it is. */
const MAX_UNTIMED = 16;
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
  readonly #program = new ProgramClock();
  readonly #presence = new Presence();
  readonly #keyframes: Keyframes;
  readonly #leftOut: LeftOut;
  /** Discontinuities so far. All renditions have the same, or players could not put sound to a picture. */
  #breaks: number;
  /** Something came since the last of them. */
  #unbroken = false;
  /** Something came since the clocks were compared. */
  #untimed = false;
  /** Tracks that did not come any more. */
  readonly #absent = new Set<string>();
  /** The sound that is in every rendition with a picture. */
  #mixed: number | undefined = undefined;

  constructor(options: HlsOptions, deps: StreamDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#breaks = deps.discontinuities;
    this.#keyframes = new Keyframes(options.segmentMs, deps.log);
    this.#leftOut = new LeftOut(deps.log);
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

  /** Discontinuities so far. */
  get discontinuities(): number {
    return this.#breaks;
  }

  /** The distance of the publisher's keyframes in milliseconds, as far as seen. */
  get keyframeMs(): number | undefined {
    return this.#keyframes.intervalMs;
  }

  /** The range of a rendition's picture. */
  range(name: string): VideoRange {
    return this.#tracks.range(Number(name.slice(1)));
  }

  /** Whether a sound is in the renditions with a picture already. */
  isMixed(name: string): boolean {
    return name === `a${this.#mixed}`;
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
    let portions = 0;
    while (!this.#closed) {
      const run = this.#runs[0]!;
      await this.#deps.turn();
      for (const frame of run.take(TURN_BYTES)) this.#take(frame);
      if (this.#program.isUnsettled && run.frames > 0 && portions++ < MAX_UNTIMED) continue;
      if (this.#untimed) this.#program.note(this.#deps.wallClock(), this.#timeline.latest);
      this.#untimed = false;
      await this.#dropGone();
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
    this.#noteRunning();
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
    if (!this.#program.isUnsettled) this.#timedData.settle((at) => this.#program.at(at));
  }

  #fail(error: unknown): void {
    this.#pumping = undefined;
    this.#deps.log.warn({ err: error }, 'a stream could not be muxed for HLS');
    this.#deps.failed();
  }

  /** Another publisher: nothing is known of what it sends. */
  #startAnew(): void {
    this.#tracks.clear();
    this.#absent.clear();
    this.#untimed = false;
    this.#timedData.interrupt();
    this.#leftOut.clear();
    this.#keyframes.startAnew();
    this.#presence.startAnew(this.#timeline.latest);
    this.#program.jump(this.#timeline.latest);
    this.#break();
  }

  /** Nothing continues what was, in no rendition. */
  #break(wanted: ReadonlyMap<string, Tracks> = NONE): void {
    this.#noteRunning();
    if (this.#unbroken) this.#breaks++;
    this.#unbroken = false;
    for (const [name, rendition] of this.#renditions) {
      rendition.interrupt(wanted.get(name) ?? rendition.tracks, this.#breaks);
    }
  }

  #noteRunning(): void {
    for (const { isRunning } of this.#renditions.values()) this.#unbroken ||= isRunning;
  }

  /** Tracks that no longer come are not shown any more: who asks for them gets 404, and players take another. */
  async #dropGone(): Promise<void> {
    for (const [name, rendition] of this.#renditions) {
      if (!this.#presence.isGone(name)) continue;
      this.#renditions.delete(name);
      this.#presence.forget(name);
      this.#deps.log.info({ track: name }, 'a track does not come any more: HLS no longer lists it');
      this.#absent.add(name);
      await rendition.close();
      this.#deps.changed();
    }
  }

  #take(frame: Frame): void {
    if (frame.kind === 'data') return this.#takeData(frame);
    const packets = packetsOf(frame);
    if (packets.length === 0) this.#leftOut.frame(frame);
    if (frame.isConfig) return this.#learn(packets);
    const placed = this.#timeline.place(frame.timestamp);
    if (placed === undefined) return;
    this.#untimed = true;
    if (placed.jumped) {
      this.#keyframes.jump();
      this.#program.jump(placed.at);
      this.#break();
    }
    this.#learn(packets);
    for (const packet of packets) if (packet.role === 'coded') this.#add(packet, placed.at);
  }

  #learn(packets: readonly MediaPacket[]): void {
    for (const packet of packets) {
      if (packet.role === 'end') this.#presence.ended(nameOf(packet));
      if (this.#tracks.learn(packet)) this.#tracksChanged();
      if (!this.#tracks.knows(packet)) this.#leftOut.packet(packet);
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
    const { kind, track, data } = packet;
    const name = nameOf(packet);
    if (this.#absent.delete(name)) this.#tracksChanged();
    if (kind === 'video') {
      const rendition = this.#renditions.get(name);
      if (rendition === undefined) return;
      this.#presence.saw(name, at);
      this.#keyframes.see(track, packet.isKeyframe, at);
      rendition.addVideo({ data, isKeyframe: packet.isKeyframe, dts: at, pts: at + packet.compositionMs });
      return;
    }
    const config = this.#tracks.audio(track);
    if (config === undefined || data.length === 0 || !this.#tracks.fits(packet)) return;
    this.#presence.saw(name, at);
    const duration = this.#tracks.durationOf(config, data);
    for (const [other, rendition] of this.#renditions) {
      const wants = other === name || (track === this.#mixed && other.startsWith('v'));
      if (wants && rendition.tracks.audio !== undefined) rendition.addAudio(data, at, duration);
    }
  }

  /** What is to be shown has changed: a rendition more, or another configuration. */
  #tracksChanged(): void {
    const wanted = this.#wanted();
    const isOther = ([name, tracks]: readonly [string, Tracks]): boolean => {
      const known = this.#renditions.get(name)?.tracks;
      return known !== undefined && (known.video !== tracks.video || known.audio !== tracks.audio);
    };
    if ([...wanted].some(isOther)) this.#break(wanted);
    for (const [name, tracks] of wanted) {
      if (!this.#renditions.has(name)) this.#open(name, tracks);
      const alone = tracks.video === undefined ? tracks.audio : undefined;
      if (alone !== undefined && !isPlayedEverywhere(alone.codec)) this.#leftOut.heardByFew(alone.codecString);
    }
  }

  /** One rendition for each picture, with the default sound in it if everybody can play that; other sounds by themselves. */
  #wanted(): ReadonlyMap<string, Tracks> {
    const [videos, sounds] = [this.#tracks.list('video'), this.#tracks.list('audio')];
    const first = sounds[0] === undefined ? undefined : this.#tracks.audio(sounds[0]);
    this.#mixed = videos.length > 0 && first !== undefined && isPlayedEverywhere(first.codec) ? sounds[0] : undefined;
    const audio = this.#mixed === undefined ? undefined : first;
    const alone = sounds.filter((id) => id !== this.#mixed);
    const all = [
      ...videos.map((id) => [`v${id}`, { video: this.#tracks.video(id), audio }] as const),
      ...alone.map((id) => [`a${id}`, { video: undefined, audio: this.#tracks.audio(id) }] as const),
    ];
    return new Map(all.filter(([name]) => !this.#absent.has(name)));
  }

  #open(name: string, tracks: Tracks): void {
    if (this.#renditions.size >= this.#options.maxRenditions) return;
    const { segmentMs, partMs, window, maxRenditionBytes: maxBytes } = this.#options;
    const birth = this.#deps.wallClock();
    const programTime = (at: number): number => this.#program.at(at);
    const options = { segmentMs, partMs, window, maxBytes, birth, discontinuities: this.#breaks, programTime };
    this.#presence.opened(name, this.#timeline.latest);
    this.#renditions.set(name, new Rendition(name, tracks, options, this.#deps.memory));
  }
}

const NONE: ReadonlyMap<string, Tracks> = new Map();

function nameOf({ kind, track }: MediaPacket): string {
  return `${kind === 'video' ? 'v' : 'a'}${track}`;
}
