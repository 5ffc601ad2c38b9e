import type { FairShare } from '../../hub/index.ts';
import type { Log } from '../../log.ts';
import { packetsOf, type Frame, type MediaPacket, type VideoRange } from '../../media/index.ts';
import type { Tracks } from '../fmp4/coded.ts';
import { StreamClock } from '../stream-clock.ts';
import { Keyframes } from './keyframes.ts';
import { LeftOut } from './left-out.ts';
import { isPlayedEverywhere } from './multivariant.ts';
import type { HlsOptions } from './options.ts';
import { Presence } from './presence.ts';
import { ProgramClock } from './program-clock.ts';
import { Rendition } from './rendition.ts';
import { StreamTracks } from './stream-tracks.ts';
import { TimedData } from './timed-data.ts';

/**
 * Media time: with room below its beginning for pictures that are shown before the first one decoded. A step of more than 3 s, either
 * way, is not time that passed.
 */
const CLOCK = { origin: 10_000, behindMs: 3_000, aheadMs: 3_000 };

/** How far the numbers of a stream have come: whatever is shown of it later begins behind them. */
export interface Reached {
  readonly discontinuities: number;
  /** Sequence numbers from here on are free. */
  readonly sequence: number;
}

export interface PackagerDependencies {
  readonly memory: FairShare;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** How far the stream had come when it was last muxed. */
  readonly reached: Reached;
  /** Playlists are not what they were. */
  readonly changed: () => void;
}

/** What one stream's frames become: a rendition for each picture, and one for each further sound. */
export class Packager {
  readonly #options: HlsOptions;
  readonly #deps: PackagerDependencies;
  readonly #tracks = new StreamTracks();
  readonly #renditions = new Map<string, Rendition>();
  readonly #clock = new StreamClock(CLOCK);
  readonly #timedData = new TimedData();
  readonly #program = new ProgramClock();
  readonly #presence = new Presence();
  readonly #keyframes: Keyframes;
  readonly #leftOut: LeftOut;
  /** Discontinuities so far. All renditions have the same, or players could not put sound to a picture. */
  #breaks: number;
  /** Sequence numbers from here on have not been used by any rendition that is gone. */
  #sequence: number;
  /** Something came since the last discontinuity. */
  #unbroken = false;
  /** Something came since the clocks were compared. */
  #untimed = false;
  /** Tracks that did not come any more. */
  readonly #absent = new Set<string>();
  /** The sound that is in every rendition with a picture. */
  #mixed: number | undefined = undefined;

  constructor(options: HlsOptions, deps: PackagerDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#breaks = deps.reached.discontinuities;
    this.#sequence = deps.reached.sequence;
    this.#keyframes = new Keyframes(options.segmentMs, deps.log);
    this.#leftOut = new LeftOut(deps.log);
  }

  get renditions(): ReadonlyMap<string, Rendition> {
    return this.#renditions;
  }

  get reached(): Reached {
    const next = [...this.#renditions.values()].map(({ window }) => window.newest + 1);
    return { discontinuities: this.#breaks, sequence: Math.max(this.#sequence, ...next) };
  }

  /** The distance of the publisher's keyframes in milliseconds, as far as seen. */
  get keyframeMs(): number | undefined {
    return this.#keyframes.intervalMs;
  }

  /** What time it is shall be settled next: the more of what waits has been taken by then, the better. */
  get isUndated(): boolean {
    return this.#program.isUnsettled;
  }

  /** Ad markers, for every playlist that begins at `from` (milliseconds since 1970). */
  dateRanges(from: number): readonly string[] {
    return this.#timedData.dateRanges.lines(from);
  }

  /** The range of a rendition's picture. */
  range(name: string): VideoRange {
    return this.#tracks.range(Number(name.slice(1)));
  }

  /** Whether a sound is in the renditions with a picture already. */
  isMixed(name: string): boolean {
    return name === `a${this.#mixed}`;
  }

  /** Cuts; `mux` is to follow. */
  take(frame: Frame): void {
    if (frame.kind === 'data') return this.#takeData(frame);
    const packets = packetsOf(frame);
    if (packets.length === 0) this.#leftOut.frame(frame);
    if (frame.isConfig) return this.#learn(packets);
    const placed = this.#clock.place(frame.timestamp);
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

  /** Makes parts of what has been taken, and lets go of what does not come any more. */
  async mux(): Promise<void> {
    if (this.#untimed) this.#program.note(this.#deps.wallClock(), this.#clock.now);
    this.#untimed = false;
    await this.#dropGone();
    if (!this.isUndated && this.#timedData.settle((at) => this.#program.at(at))) this.#deps.changed();
    let isBusy = true;
    while (isBusy) {
      isBusy = false;
      // In turn, so that all tracks have the same to show.
      for (const rendition of this.#renditions.values()) if (await rendition.muxNext()) isBusy = true;
      if (isBusy) this.#deps.changed();
    }
  }

  /** Another publisher: nothing is known of what it sends. */
  startAnew(): void {
    this.#tracks.clear();
    this.#absent.clear();
    this.#untimed = false;
    this.#timedData.interrupt();
    this.#leftOut.clear();
    this.#keyframes.startAnew();
    this.#presence.startAnew(this.#clock.now);
    this.#program.jump(this.#clock.now);
    this.#break();
  }

  /** The publisher has left: the last parts are made of what there is. */
  async flush(): Promise<void> {
    this.#noteRunning();
    for (const rendition of this.#renditions.values()) rendition.flush();
    await this.mux();
    for (const { window } of this.#renditions.values()) window.closeOpenSegment();
    this.#deps.changed();
  }

  /** The stream is over for its players. */
  end(): void {
    for (const { window } of this.#renditions.values()) window.end();
    this.#deps.changed();
  }

  async close(): Promise<void> {
    for (const rendition of this.#renditions.values()) await rendition.close();
    this.#renditions.clear();
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
      this.#sequence = this.reached.sequence;
      this.#renditions.delete(name);
      this.#presence.forget(name);
      this.#deps.log.info({ track: name }, 'a track does not come any more: HLS no longer lists it');
      this.#absent.add(name);
      await rendition.close();
      this.#deps.changed();
    }
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
    const cue = this.#timedData.take(frame, this.#clock.placeData(frame.timestamp));
    if (cue === undefined) return;
    const all = [...this.#renditions.values()];
    const withPicture = all.filter(({ tracks }) => tracks.video !== undefined);
    for (const rendition of withPicture.length > 0 ? withPicture : all) rendition.addCue(cue);
  }

  #add(packet: MediaPacket, at: number): void {
    const name = nameOf(packet);
    if (this.#absent.delete(name)) this.#tracksChanged();
    if (packet.kind === 'video') this.#addPicture(name, packet, at);
    else this.#addSound(name, packet, at);
  }

  #addPicture(name: string, { track, isKeyframe, compositionMs, data }: MediaPacket, at: number): void {
    const rendition = this.#renditions.get(name);
    if (rendition === undefined) return;
    this.#presence.saw(name, at);
    this.#keyframes.see(track, isKeyframe, at);
    rendition.addVideo({ data, isKeyframe, dts: at, pts: at + compositionMs });
  }

  #addSound(name: string, packet: MediaPacket, at: number): void {
    const { track, data } = packet;
    const config = this.#tracks.audio(track);
    if (config === undefined || !this.#tracks.fits(packet)) return;
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
    const { segmentMs, partMs, window, maxRenditions, maxRenditionBytes: maxBytes } = this.#options;
    if (this.#renditions.size >= maxRenditions) return this.#leftOut.tracksBeyond(maxRenditions);
    const birth = Math.max(this.#deps.wallClock(), this.#sequence * 1000);
    const programTime = (at: number): number => this.#program.at(at);
    const options = { segmentMs, partMs, window, maxBytes, birth, discontinuities: this.#breaks, programTime };
    this.#presence.opened(name, this.#clock.now);
    this.#renditions.set(name, new Rendition(name, tracks, options, this.#deps.memory));
  }
}

const NONE: ReadonlyMap<string, Tracks> = new Map();

function nameOf({ kind, track }: MediaPacket): string {
  return `${kind === 'video' ? 'v' : 'a'}${track}`;
}
