import type { Log } from '../log.ts';
import type { Frame } from '../media/index.ts';
import type { Hub, Outbox, OutboxLimits, StreamName, Subscriber, Subscription } from '../hub/index.ts';
import type { ServerSession, Status } from '../protocol/index.ts';
import { Excerpt } from './excerpt.ts';
import type { FrameRun } from './frame-run.ts';
import type { Beater, Pulse } from './pulse.ts';

type PlayerSession = Pick<ServerSession, 'outgoingChunkSize' | 'sendEncoded' | 'sendStatus' | 'endStream'>;

/** What a player needs of the connection it lives on. */
export interface PlayerConnection {
  readonly session: PlayerSession;
  readonly driver: {
    /** What is sent now would only wait. */
    readonly blocked: boolean;
    /** Writes what the session has to say. */
    flush(): void;
  };
}

/** What all players of one server share. */
export interface PlayerShared {
  readonly hub: Hub;
  readonly pulse: Pulse;
  /** The empty run: what is due to a player begins here, so that players can share it. */
  readonly nothing: FrameRun;
  readonly outbox: OutboxLimits;
}

/** How a player begins. */
export interface PlayerStart {
  /** With the last group of pictures; false waits for the next keyframe. */
  readonly gop: boolean;
  /** 0: as long as the stream lasts. */
  readonly durationMs: number;
  /** The gateways that it plays for. */
  readonly hops?: readonly string[];
}

/** The most that one beat hands to a connection: small enough that a stalled reader holds little, large enough for a key frame. */
const MAX_BEAT_BYTES = 512 * 1024;

/**
 * One playing NetStream: takes Frames from the hub, writes them in the player's own time.
 *
 * A player that keeps up needs no queue: a turn's frames are a FrameRun that it shares with all others like it. One that
 * does not gets an Outbox, and loses it again once that has run empty without dropping anything.
 */
export class Player implements Subscriber, Beater {
  readonly #name: StreamName;
  readonly #streamId: number;
  readonly #session: PlayerSession;
  readonly #driver: PlayerConnection['driver'];
  readonly #shared: PlayerShared;
  readonly #log: Log;
  /** Goes out with the next beat; empty while there is an outbox. */
  #due: FrameRun;
  #outbox: Outbox | undefined;
  #subscription: Subscription | undefined;
  #isComplete = false;
  #marked = false;
  #paused = false;
  #wantsAudio = true;
  #wantsVideo = true;
  #reportedDrops = 0;

  constructor(name: StreamName, streamId: number, connection: PlayerConnection, shared: PlayerShared, log: Log) {
    this.#name = name;
    this.#streamId = streamId;
    this.#session = connection.session;
    this.#driver = connection.driver;
    this.#shared = shared;
    this.#log = log;
    this.#due = shared.nothing;
  }

  /** Joins the stream: what a decoder needs to begin comes at once, unless the player would rather wait for less delay. */
  start({ gop, durationMs, hops = [] }: PlayerStart): void {
    const subscriber = durationMs > 0 ? new Excerpt(this, durationMs, () => this.#complete()) : this;
    this.#subscription = this.#shared.hub.subscribe(this.#name, subscriber, { gop, hops });
  }

  deliver(frame: Frame): void {
    if (this.#paused || (frame.kind === 'audio' && !this.#wantsAudio) || (frame.kind === 'video' && !this.#wantsVideo))
      return;
    if (this.#outbox === undefined) this.#due = this.#due.plus(frame);
    else this.#outbox.push(frame);
    this.#mark();
  }

  published(): void {
    this.#say('status', 'NetStream.Play.PublishNotify', 'the stream is being published');
  }

  unpublished(): void {
    this.#say('status', 'NetStream.Play.UnpublishNotify', 'the stream is no longer published');
    this.#session.endStream(this.#streamId);
    this.#driver.flush();
  }

  beat(): void {
    this.#marked = false;
    if (this.#subscription === undefined) return;
    if (this.#driver.blocked || this.#due.bytes > MAX_BEAT_BYTES) this.#fallBehind(this.#subscription);
    if (this.#outbox === undefined) this.#sendDue();
    else this.#catchUp(this.#outbox);
    if (this.#isComplete && this.#due.bytes === 0 && (this.#outbox?.frames ?? 0) === 0) this.#sayComplete();
  }

  /** The connection has room again. */
  drained(): void {
    if (this.#outbox !== undefined) this.#mark();
  }

  /** Flash's pause, already answered by the session: nothing is sent until the player comes back, and then from a keyframe. */
  pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.#clear();
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
    this.#clear();
  }

  /** What was asked for is here; it has to go out before the client is told. */
  #complete(): void {
    this.#isComplete = true;
    this.#mark();
  }

  #sayComplete(): void {
    this.stop();
    this.#say('status', 'NetStream.Play.Stop', 'this is what was asked for');
    this.#session.endStream(this.#streamId);
    this.#driver.flush();
  }

  /** From the last keyframe again; what still waits is older than that. */
  #restart(): void {
    this.#clear();
    this.#subscription?.restart();
  }

  #clear(): void {
    this.#due = this.#shared.nothing;
    this.#outbox?.clear();
  }

  #mark(): void {
    if (this.#marked) return;
    this.#marked = true;
    this.#shared.pulse.mark(this);
  }

  #sendDue(): void {
    const due = this.#due;
    this.#due = this.#shared.nothing;
    if (due.bytes > 0) this.#send(due);
  }

  #fallBehind(subscription: Subscription): void {
    this.#outbox ??= subscription.createOutbox(this.#shared.outbox);
    for (const frame of this.#due.frames()) this.#outbox.push(frame);
    this.#due = this.#shared.nothing;
  }

  #catchUp(outbox: Outbox): void {
    if (this.#driver.blocked) return;
    const { nothing } = this.#shared;
    const run = outbox.take(MAX_BEAT_BYTES).reduce((before, frame) => before.plus(frame), nothing);
    if (run.bytes > 0) this.#send(run);
    if (outbox.frames > 0) return this.#driver.blocked ? undefined : this.#mark();
    this.#reportDrops(outbox);
    if (outbox.isIdle) this.#outbox = undefined;
  }

  #send(run: FrameRun): void {
    const pieces = run.encoded(this.#streamId, this.#session.outgoingChunkSize);
    for (let i = 0; i < pieces.length; i++) this.#session.sendEncoded(pieces[i]!);
    this.#driver.flush();
  }

  #say(level: Status['level'], code: string, description: string): void {
    this.#session.sendStatus(this.#streamId, { level, code, description });
    this.#driver.flush();
  }

  #reportDrops(outbox: Outbox): void {
    const { dropped } = outbox;
    if (dropped === this.#reportedDrops) return;
    this.#log.warn({ frames: dropped - this.#reportedDrops }, 'player was too slow: frames dropped up to a keyframe');
    this.#reportedDrops = dropped;
  }
}
