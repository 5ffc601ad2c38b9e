import type { Log } from '../log.ts';
import type { Frame } from '../media/index.ts';
import {
  Outbox,
  type Hub,
  type OutboxLimits,
  type StreamName,
  type Subscriber,
  type Subscription,
} from '../hub/index.ts';
import type { ServerSession, Status } from '../protocol/index.ts';
import type { Gatherer } from './gather.ts';
import type { Beater, Pulse } from './pulse.ts';

/** What a player needs of the connection it lives on. */
export interface PlayerConnection {
  readonly session: ServerSession;
  readonly blocked: boolean;
  flush(): void;
}

/** What all players of one server share. */
export interface PlayerShared {
  readonly hub: Hub;
  readonly pulse: Pulse;
  readonly gatherer: Gatherer;
  readonly outbox: OutboxLimits;
}

/** The most that one beat hands to a connection: small enough that a stalled reader holds little, large enough for a key frame. */
const MAX_BEAT_BYTES = 512 * 1024;

/** One playing NetStream: takes Frames from the hub, writes them in the player's own time. */
export class Player implements Subscriber, Beater {
  readonly #name: StreamName;
  readonly #streamId: number;
  readonly #connection: PlayerConnection;
  readonly #shared: PlayerShared;
  readonly #log: Log;
  readonly #outbox: Outbox;
  #subscription: Subscription | undefined;
  #marked = false;
  #paused = false;
  #wantsAudio = true;
  #wantsVideo = true;
  #reportedDrops = 0;

  constructor(name: StreamName, streamId: number, connection: PlayerConnection, shared: PlayerShared, log: Log) {
    this.#name = name;
    this.#streamId = streamId;
    this.#connection = connection;
    this.#shared = shared;
    this.#log = log;
    this.#outbox = new Outbox(shared.outbox);
  }

  /** Joins the stream: what a decoder needs to begin comes at once, unless the player would rather wait for less delay. */
  start(options: { readonly gop: boolean }): void {
    this.#subscription = this.#shared.hub.subscribe(this.#name, this, options);
  }

  deliver(frame: Frame): void {
    if (this.#paused || (frame.kind === 'audio' && !this.#wantsAudio) || (frame.kind === 'video' && !this.#wantsVideo))
      return;
    this.#outbox.push(frame);
    this.#mark();
  }

  published(): void {
    this.#say('status', 'NetStream.Play.PublishNotify', 'the stream is being published');
  }

  unpublished(): void {
    this.#say('status', 'NetStream.Play.UnpublishNotify', 'the stream is no longer published');
    this.#connection.session.endStream(this.#streamId);
    this.#connection.flush();
  }

  beat(): void {
    this.#marked = false;
    if (this.#connection.blocked || this.#subscription === undefined) return;
    const frames = this.#outbox.take(MAX_BEAT_BYTES);
    if (frames.length > 0) this.#send(frames);
    if (this.#outbox.frames > 0 && !this.#connection.blocked) this.#mark();
    this.#reportDrops();
  }

  /** The connection has room again. */
  drained(): void {
    if (this.#outbox.frames > 0) this.#mark();
  }

  /** Flash's pause, already answered by the session: nothing is sent until the player comes back, and then from a keyframe. */
  pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.#outbox.clear();
    else this.#restart();
  }

  /** receiveAudio and receiveVideo. */
  receive(kind: 'audio' | 'video', wanted: boolean): void {
    const before = kind === 'audio' ? this.#wantsAudio : this.#wantsVideo;
    if (kind === 'audio') this.#wantsAudio = wanted;
    else this.#wantsVideo = wanted;
    if (wanted && !before && !this.#paused) this.#restart();
  }

  stop(): void {
    this.#subscription?.end();
    this.#subscription = undefined;
    this.#outbox.clear();
  }

  /** From the last keyframe again; what still waits is older than that. */
  #restart(): void {
    this.#outbox.clear();
    this.#subscription?.restart();
  }

  #mark(): void {
    if (this.#marked || this.#connection.blocked) return;
    this.#marked = true;
    this.#shared.pulse.mark(this);
  }

  #send(frames: readonly Frame[]): void {
    const { session } = this.#connection;
    const pieces = this.#shared.gatherer.gather(frames, this.#streamId, session.outgoingChunkSize);
    for (const piece of pieces) session.sendEncoded(piece);
    this.#connection.flush();
  }

  #say(level: Status['level'], code: string, description: string): void {
    this.#connection.session.sendStatus(this.#streamId, { level, code, description });
    this.#connection.flush();
  }

  #reportDrops(): void {
    const dropped = this.#outbox.dropped;
    if (dropped === this.#reportedDrops || this.#outbox.frames > 0) return;
    this.#log.warn({ frames: dropped - this.#reportedDrops }, 'player was too slow: frames dropped up to a keyframe');
    this.#reportedDrops = dropped;
  }
}
