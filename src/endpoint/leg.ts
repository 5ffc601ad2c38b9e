import type { Duplex } from 'node:stream';
import {
  ClientSession,
  status,
  type ClientEvent,
  type ConnectRequest,
  type Message,
  type PlayRequest,
  type PublishRequest,
  type SessionSettings,
  type Status,
} from '../protocol/index.ts';
import type { Dial } from '../transport/index.ts';
import type { Crowd } from './crowd.ts';
import { Driver, now, type DriverOptions } from './driver.ts';
import type { Beater, Pulse } from './pulse.ts';

/** What a leg tells the client whose NetStream it carries. All of it is about `streamId`, the client's own. */
export interface LegOwner {
  granted(leg: Leg): void;
  refused(leg: Leg, why: Status): void;
  status(leg: Leg, what: Status): void;
  media(leg: Leg, message: Message): void;
  begin(leg: Leg): void;
  eof(leg: Leg): void;
  /** The way to the server has room again. */
  drained(): void;
  /** The server left, or what came from it made no sense. Not told after `refused`. */
  gone(leg: Leg, fault: Error | undefined): void;
}

export interface LegOptions {
  readonly session: SessionSettings;
  readonly driver: DriverOptions;
  readonly pulse: Pulse;
  /** All that there is something left of, those that are still dialled included. */
  readonly legs: Crowd<Leg>;
}

/** What may gather within a turn before it is written: four reads of a socket, as in a bridge. */
export const MAX_GATHERED_BYTES = 256 * 1024;

/** What our own session has told the client already, in its own time. */
const TOLD_BY_US: ReadonlySet<string> = new Set([
  'NetStream.Pause.Notify',
  'NetStream.Play.Reset',
  'NetStream.Play.Start',
  'NetStream.Publish.Start',
  'NetStream.Unpause.Notify',
  'NetStream.Unpublish.Success',
]);

/** One NetStream of a client, as a connection of its own to the server that its name belongs to. */
export class Leg implements Beater {
  readonly request: PublishRequest | PlayRequest;
  readonly #connect: ConnectRequest;
  readonly #owner: LegOwner;
  readonly #options: LegOptions;
  readonly #abort = new AbortController();
  #phase: 'asking' | 'granted' | 'over' = 'asking';
  #session: ClientSession | undefined;
  #driver: Driver<ClientEvent> | undefined;
  #isMarked = false;
  #gathered = 0;
  /** Said while the server was about to answer. */
  #owedBufferMs: number | undefined;
  /** The NetStream's id there. */
  #remoteId = 0;

  constructor(connect: ConnectRequest, request: PublishRequest | PlayRequest, owner: LegOwner, options: LegOptions) {
    this.request = request;
    this.#connect = connect;
    this.#owner = owner;
    this.#options = options;
  }

  /** There is no room for more media. */
  get isBlocked(): boolean {
    return this.#phase === 'granted' && this.#driver?.blocked === true;
  }

  /** Dials, connects and asks for what the client asked for. */
  start(dial: Dial): void {
    this.#options.legs.add(this);
    dial(this.#abort.signal).then(
      (stream) => this.#join(stream),
      (fault: Error) => this.#fail(fault),
    );
  }

  /** Media to the server, at the end of the turn or when there is enough of it. */
  send(message: Message): void {
    if (this.#phase !== 'granted') return;
    this.#session?.sendMessage({ ...message, streamId: this.#remoteId });
    this.#gathered += message.payload.length;
    if (this.#gathered >= MAX_GATHERED_BYTES) this.#flush();
    else this.#mark();
  }

  pause(paused: boolean, position: number): void {
    this.#tell((session) => session.pause(this.#remoteId, paused, position));
  }

  receive(kind: 'audio' | 'video', wanted: boolean): void {
    this.#tell((session) =>
      kind === 'audio' ? session.receiveAudio(this.#remoteId, wanted) : session.receiveVideo(this.#remoteId, wanted),
    );
  }

  bufferLength(ms: number): void {
    if (this.#phase === 'asking') this.#owedBufferMs = ms;
    else this.#tell((session) => session.setBufferLength(this.#remoteId, ms));
  }

  /** Whether what the server says is read. */
  flow(isFlowing: boolean): void {
    if (isFlowing) this.#driver?.resume();
    else this.#driver?.pause();
  }

  /** The client ended the NetStream: politely, and without a further word to the owner. */
  end(): void {
    if (this.#phase === 'granted') this.#session?.deleteStream(this.#remoteId);
    this.#phase = 'over';
    this.#abort.abort();
    this.#driver?.end();
  }

  destroy(): void {
    this.#phase = 'over';
    this.#abort.abort();
    this.#driver?.destroy();
  }

  beat(): void {
    this.#isMarked = false;
    this.#flush();
  }

  #flush(): void {
    this.#gathered = 0;
    this.#driver?.flush();
  }

  #mark(): void {
    if (this.#isMarked) return;
    this.#isMarked = true;
    this.#options.pulse.mark(this);
  }

  #tell(say: (session: ClientSession) => void): void {
    if (this.#phase !== 'granted' || this.#session === undefined) return;
    say(this.#session);
    this.#driver?.nudge();
  }

  #join(stream: Duplex): void {
    const { session, driver } = this.#options;
    if (this.#phase === 'over') {
      this.#options.legs.delete(this);
      stream.on('error', () => {}).destroy();
      return;
    }
    this.#session = new ClientSession(session, now());
    this.#driver = new Driver<ClientEvent>(
      stream,
      this.#session,
      {
        event: (event) => this.#event(event),
        drained: () => this.#owner.drained(),
        closed: (fault) => this.#closed(fault),
      },
      driver,
    );
    // Any server reads what it is sent; it is publishers that may not.
    this.#driver.mustDrain = true;
    const { app, tcUrl, properties, args } = this.#connect;
    this.#session.connect({ app, tcUrl, properties, args });
    this.#driver.flush();
  }

  #event(event: ClientEvent): void {
    if (this.#phase === 'over') return;
    switch (event.type) {
      case 'media':
        return this.#owner.media(this, event.message);
      case 'connected':
        return this.#ask();
      case 'published':
      case 'playing':
        return this.#granted(event.streamId);
      case 'refused':
        return this.#refuse(event.what === 'connect' ? this.#refusal(event.status.description) : event.status);
      case 'status':
        return this.#status(event.status);
      case 'begin':
        return this.#phase === 'granted' ? this.#owner.begin(this) : undefined;
      case 'eof':
        return this.#phase === 'granted' ? this.#owner.eof(this) : undefined;
      case 'leave':
        return this.#driver?.end();
    }
  }

  #ask(): void {
    const { request } = this;
    if (request.type === 'publish') this.#session?.publish(request.name, request.kind);
    else {
      const { name, start, duration, reset, bufferMs } = request;
      this.#session?.play(name, { start, duration, reset, bufferMs });
    }
  }

  #granted(remoteId: number): void {
    if (this.#phase === 'granted') return;
    this.#phase = 'granted';
    this.#remoteId = remoteId;
    if (this.#owedBufferMs !== undefined) this.bufferLength(this.#owedBufferMs);
    this.#owner.granted(this);
  }

  /** Before the answer the client is told by the answer. */
  #status(what: Status): void {
    if (this.#phase === 'granted' && !TOLD_BY_US.has(what.code)) this.#owner.status(this, what);
  }

  #refusal(why: string): Status {
    return status(this.request.type === 'publish' ? 'NetStream.Publish.Rejected' : 'NetStream.Play.Failed', why);
  }

  #refuse(why: Status): void {
    this.#phase = 'over';
    this.#owner.refused(this, why);
    this.#driver?.end();
  }

  #fail(fault: Error): void {
    this.#options.legs.delete(this);
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#owner.refused(this, this.#refusal(fault.message));
  }

  #closed(fault: Error | undefined): void {
    if (this.#phase === 'asking') return this.#fail(fault ?? new Error('the server closed the connection'));
    this.#options.legs.delete(this);
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#owner.gone(this, fault);
  }
}
