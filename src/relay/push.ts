import { DRIVER_DEFAULTS, RefusedByServer, type Beater, type Pulse, type RtmpClient } from '../endpoint/index.ts';
import { TransportError } from '../errors.ts';
import { Outbox, type OutboxLimits, type StreamName, type Subscriber, type Subscription } from '../hub/index.ts';
import { asSetDataFrame, encodingOf, isAboutPlaying, retimed, type Frame } from '../media/index.ts';
import { connect, withoutKey, type Attempt, type RelayShared, type Traffic } from './attempt.ts';
import { Progress } from './progress.ts';
import { Rebase } from './rebase.ts';
import type { Target } from './target.ts';

export interface PushOptions {
  readonly outbox: OutboxLimits;
  /** How long a server may take nothing of what it is sent, or acknowledge nothing, until it is given up. Milliseconds. */
  readonly stallMs: number;
}

/** Handed over at a time: what a connection that is about to block swallows at most. */
const MAX_BATCH_BYTES = 128 * 1024;

/** A connection that publishes. */
interface Live {
  readonly client: RtmpClient;
  readonly streamId: number;
  readonly rebase: Rebase;
  readonly progress: Progress;
  /** Ends it with a reason of ours. */
  fail(fault: Error): void;
}

/**
 * One stream on its way to one other server. It holds a place in the stream from beginning to end, through its publisher's
 * reconnects, and has one connection after the other. What comes while the first is being made waits for it; later ones
 * begin with what a new player gets, the configurations and the last group of pictures.
 */
export class Push implements Attempt, Subscriber, Beater {
  readonly choices = 1;
  readonly #name: StreamName;
  readonly #target: Target;
  readonly #shared: RelayShared;
  readonly #options: PushOptions;
  readonly #pulse: Pulse;
  readonly #now: () => number;
  #outbox: Outbox;
  readonly #subscription: Subscription;
  /** Frames are kept: for the connection that stands, or for the first one. */
  #keeps = true;
  #marked = false;
  #live: Live | undefined = undefined;
  #frames = 0;
  /** Of connections that are gone. */
  #bytesBefore = 0;
  #droppedBefore = 0;

  /** Takes its place in the stream at once. Throws `RejectedError` HUB_STOPPED. */
  constructor(
    name: StreamName,
    target: Target,
    shared: RelayShared,
    options: PushOptions,
    pulse: Pulse,
    now: () => number,
  ) {
    this.#name = name;
    this.#target = target;
    this.#shared = shared;
    this.#options = options;
    this.#pulse = pulse;
    this.#now = now;
    this.#outbox = new Outbox(options.outbox);
    this.#subscription = shared.hub.subscribe(name, this, { passive: true });
  }

  get shown(): string {
    return this.#target.shown;
  }

  get traffic(): Traffic {
    const { frames, bytes, durationMs: ms, dropped } = this.#outbox;
    const client = this.#live?.client;
    return {
      bytes: this.#bytesBefore + (client?.bytesSent ?? 0),
      unacknowledged: client && client.bytesAcknowledged > 0 ? client.bytesSent - client.bytesAcknowledged : undefined,
      frames: this.#frames,
      dropped: this.#droppedBefore + dropped,
      queued: { frames, bytes, ms },
    };
  }

  hide(text: string): string {
    return withoutKey(text, this.#target);
  }

  // ---- the stream

  deliver(frame: Frame): void {
    if (!this.#keeps || (frame.kind === 'data' && isAboutPlaying(frame.type, frame.payload))) return;
    this.#outbox.push(frame);
    this.#mark();
  }

  /** The connection stands through it: the stream's clock goes on, and configurations and a keyframe follow. */
  published(): void {}

  /** Whoever began this ends it. */
  unpublished(): void {}

  // ---- the connection

  async once(signal: AbortSignal, live: () => void): Promise<never> {
    let fault: Error | undefined;
    const { stallMs } = this.#options;
    const options = {
      driver: { ...DRIVER_DEFAULTS, drainTimeoutMs: stallMs },
      drained: () => this.#mark(),
      status: (_: number, status: RefusedByServer['status']) => {
        if (status.level === 'error') this.#live?.fail(new RefusedByServer({ what: 'publish', status }));
      },
    };
    try {
      const hops = this.#shared.hub.hopsOf(this.#name);
      const { client, stream } = await connect(this.#target, this.#shared, hops, options, signal);
      try {
        const streamId = await client.publish(this.#target.key);
        this.#begin(client, streamId, (reason) => {
          fault ??= reason;
          stream.destroy();
        });
        live();
        throw (await client.closed) ?? new TransportError('CONNECTION_CLOSED', 'the server left');
      } finally {
        stream.destroy();
        this.#bytesBefore += client.bytesSent;
      }
    } catch (error) {
      throw fault ?? error;
    } finally {
      this.#live = undefined;
      this.#keeps = false;
      this.#renewOutbox();
    }
  }

  check(now: number): void {
    const live = this.#live;
    if (live === undefined) return;
    const { bytesSent: sent, bytesAcknowledged: acknowledged } = live.client;
    if (!live.progress.isStuck({ sent, acknowledged }, now)) return;
    const seconds = this.#options.stallMs / 1000;
    live.fail(new TransportError('PEER_STALLED', `the server acknowledged nothing for ${seconds} s`));
  }

  beat(): void {
    this.#marked = false;
    const live = this.#live;
    while (live !== undefined && this.#outbox.frames > 0 && !live.client.isBlocked) {
      for (const frame of this.#outbox.take(MAX_BATCH_BYTES)) this.#send(frame, live);
      live.client.flush();
    }
  }

  async stop(): Promise<void> {
    this.#subscription.end();
    const live = this.#live;
    if (live === undefined) return;
    for (const frame of this.#outbox.take(Infinity)) this.#send(frame, live);
    live.client.closeStream(live.streamId);
    await live.client.close();
  }

  /** The first connection finds what has come so far; later ones begin anew. */
  #begin(client: RtmpClient, streamId: number, fail: Live['fail']): void {
    client.insistOnDraining();
    const progress = new Progress(this.#options.stallMs, this.#now());
    this.#live = { client, streamId, rebase: new Rebase(), progress, fail };
    if (!this.#keeps) {
      this.#keeps = true;
      this.#subscription.restart();
    }
    this.#mark();
  }

  #renewOutbox(): void {
    this.#droppedBefore += this.#outbox.dropped;
    this.#outbox = new Outbox(this.#options.outbox);
  }

  #mark(): void {
    if (this.#marked || this.#live === undefined) return;
    this.#marked = true;
    this.#pulse.mark(this);
  }

  #send(frame: Frame, { client, streamId, rebase }: Live): void {
    this.#frames++;
    const { kind, type, timestamp, payload, isConfig } = frame;
    const time = kind === 'data' || isConfig ? rebase.placeOther(timestamp) : rebase.place(timestamp);
    if (kind === 'data' && isConfig) {
      client.send({ type, streamId, timestamp: time, payload: asSetDataFrame(type, payload) });
    } else client.sendEncoded(encodingOf(retimed(frame, time), streamId, client.outgoingChunkSize));
  }
}
