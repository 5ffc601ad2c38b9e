import type { Beater, Pulse } from '../endpoint/index.ts';
import type { Log } from '../log.ts';
import { Outbox, type OutboxLimits, type StreamName, type Subscriber, type Subscription } from '../hub/index.ts';
import { isAboutPlaying, type Frame } from '../media/index.ts';
import type { Attempt, RelayShared, Traffic } from './attempt.ts';
import { PushLine, type LineEvents, type LineOptions } from './push-line.ts';
import { Relocation, unwanted } from './relocation.ts';
import { withoutSecrets } from './secrets.ts';
import type { Target } from './target.ts';

export interface PushOptions extends LineOptions {
  readonly outbox: OutboxLimits;
}

/** Handed over at a time: what a connection that is about to block swallows at most. */
const MAX_BATCH_BYTES = 128 * 1024;

/**
 * One stream on its way to one other server. It holds a place in the stream from beginning to end, through its publisher's
 * reconnects, and has one connection after the other. What comes while the first is being made waits for it; later ones
 * begin with what a new player gets, the configurations and the last group of pictures. A server that sends us elsewhere is
 * left at a keyframe, once the other has let us publish.
 */
export class Push implements Attempt, Subscriber, Beater {
  readonly choices = 1;
  readonly #name: StreamName;
  readonly #target: Target;
  readonly #shared: RelayShared;
  readonly #options: PushOptions;
  readonly #pulse: Pulse;
  readonly #now: () => number;
  readonly #log: Log;
  readonly #relocation: Relocation;
  readonly #events: LineEvents;
  #outbox: Outbox;
  readonly #subscription: Subscription;
  /** Frames are kept: for the connection that stands, or for the first one. */
  #keeps = true;
  #marked = false;
  #line: PushLine | undefined = undefined;
  /** Where this attempt goes, or the next one. */
  #place: Target;
  /** Where the next attempt begins, if not at the rule's place: the server that sent us there did not wait for us. */
  #sentTo: Target | undefined = undefined;
  /** Every connection that stands, also one that is saying goodbye. */
  readonly #lines = new Set<PushLine>();
  #heeded: AbortSignal | undefined = undefined;
  #frames = 0;
  #leftOut: readonly string[] = [];
  readonly #toldOf = new Set<string>();
  /** Ends the attempt with what ended the connection that it used. */
  #over: (fault: Error) => void = () => {};
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
    this.#target = this.#place = target;
    this.#shared = shared;
    this.#options = options;
    this.#pulse = pulse;
    this.#now = now;
    this.#log = shared.log;
    this.#outbox = new Outbox(options.outbox);
    const open = (place: Target, signal: AbortSignal): Promise<PushLine> => this.#open(place, signal);
    this.#relocation = new Relocation({ open, hide: (text) => this.hide(text), log: this.#log, now });
    this.#events = {
      drained: () => this.#mark(),
      moved: (line, tcUrl) => void (line === this.#line && this.#relocation.ask(line, tcUrl)),
      leftOut: (codec) => this.#tellLeftOut(codec),
    };
    this.#subscription = shared.hub.subscribe(name, this, { passive: true });
  }

  get shown(): string {
    return (this.#line?.target ?? this.#place).shown;
  }

  get traffic(): Traffic {
    const { frames, bytes, durationMs: ms, dropped } = this.#outbox;
    return {
      bytes: [...this.#lines].reduce((sum, { bytesSent }) => sum + bytesSent, this.#bytesBefore),
      unacknowledged: this.#line?.unacknowledged,
      frames: this.#frames,
      dropped: this.#droppedBefore + dropped,
      queued: { frames, bytes, ms },
      leftOut: this.#line?.leftOut ?? this.#leftOut,
    };
  }

  hide(text: string): string {
    return withoutSecrets(text, [this.#target]);
  }

  // ---- the stream

  deliver(frame: Frame): void {
    // Those that follow come to the new place by way of the last group of pictures, this one first.
    const next = frame.isKeyframe && frame.track === 0 ? this.#relocation.ready : undefined;
    if (next !== undefined) return this.#switch(next);
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
    this.#heed(signal);
    try {
      const line = await this.#open(this.#place, signal);
      const over = new Promise<Error>((resolve) => (this.#over = resolve));
      this.#use(line);
      // The first connection finds what has come so far; later ones begin anew.
      if (!this.#keeps) this.#beginAnew();
      live();
      throw await over;
    } finally {
      this.#leftOut = this.#line?.leftOut ?? this.#leftOut;
      this.#line = undefined;
      this.#place = this.#sentTo ?? this.#target;
      this.#sentTo = undefined;
      this.#relocation.cancel();
      this.#keeps = false;
      this.#renewOutbox();
    }
  }

  check(now: number): void {
    this.#line?.check(now);
    if (this.#relocation.isOverdue(now)) this.#switch(this.#relocation.ready!);
  }

  beat(): void {
    this.#marked = false;
    const line = this.#line;
    while (line !== undefined && this.#outbox.frames > 0 && !line.isBlocked) {
      for (const frame of this.#outbox.take(MAX_BATCH_BYTES)) this.#send(frame, line);
      line.flush();
    }
  }

  async stop(): Promise<void> {
    this.#subscription.end();
    this.#relocation.cancel();
    const line = this.#line;
    if (line === undefined) return;
    for (const frame of this.#outbox.take(Infinity)) this.#send(frame, line);
    await line.leave();
  }

  /** The end of all connections, those too that a server sent us to, or that are saying goodbye. */
  #heed(signal: AbortSignal): void {
    if (this.#heeded === signal) return;
    this.#heeded = signal;
    const abort = (): void => {
      for (const line of this.#lines) line.fail(unwanted());
    };
    signal.addEventListener('abort', abort, { once: true });
  }

  async #open(target: Target, signal: AbortSignal): Promise<PushLine> {
    const hops = this.#shared.hub.hopsOf(this.#name);
    const line = await PushLine.open(target, this.#shared, hops, this.#options, this.#events, signal, this.#now());
    this.#lines.add(line);
    void line.ended().then(() => {
      this.#lines.delete(line);
      this.#bytesBefore += line.bytesSent;
    });
    return line;
  }

  /** Frames go to `line` from now on, until it ends. */
  #use(line: PushLine): void {
    this.#line = line;
    this.#relocation.done();
    void line.ended().then((fault) => {
      if (line === this.#line) this.#lost(fault);
    });
    line.begin();
    this.#mark();
  }

  /** A server that sent us elsewhere need not wait until we are there. */
  #lost(fault: Error): void {
    const next = this.#relocation.ready;
    if (next !== undefined) return this.#switch(next);
    this.#sentTo = this.#relocation.place;
    this.#over(fault);
  }

  #beginAnew(): void {
    this.#keeps = true;
    this.#subscription.restart();
  }

  #tellLeftOut(codec: string): void {
    if (this.#toldOf.has(codec)) return;
    this.#toldOf.add(codec);
    this.#log.warn({ server: this.shown, codec }, `left out: ${codec} is not for that server (codecs)`);
  }

  /** The frames go to another place from now on. */
  #switch(line: PushLine): void {
    const old = this.#line;
    if (old === undefined) return this.#relocation.cancel();
    for (const frame of this.#outbox.take(Infinity)) this.#send(frame, old);
    this.#renewOutbox();
    this.#log.info({ server: line.target.shown }, 'relaying, at the place that the server named');
    this.#use(line);
    void old.leave();
    this.#beginAnew();
  }

  #renewOutbox(): void {
    this.#droppedBefore += this.#outbox.dropped;
    this.#outbox = new Outbox(this.#options.outbox);
  }

  #mark(): void {
    if (this.#marked || this.#line === undefined) return;
    this.#marked = true;
    this.#pulse.mark(this);
  }

  /** Runs behind the turn of the event loop, where a throw would end the process: it ends the connection. */
  #send(frame: Frame, line: PushLine): void {
    try {
      if (line.send(frame)) this.#frames++;
    } catch (fault) {
      line.fail(fault as Error);
    }
  }
}
