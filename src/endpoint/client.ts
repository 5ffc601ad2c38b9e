import type { Duplex } from 'node:stream';
import { RemoteError, TransportError } from '../errors.ts';
import {
  ClientSession,
  type AmfValue,
  type ClientEvent,
  type ConnectParameters,
  type Message,
  type PlayOptions,
  type RefusedEvent,
  type SessionSettings,
  type Status,
} from '../protocol/index.ts';
import { Driver, DRIVER_DEFAULTS, now, random, type DriverOptions } from './driver.ts';

export interface RtmpClientOptions {
  readonly session?: Partial<SessionSettings>;
  readonly driver?: DriverOptions;
  /** There is room again after `isBlocked`. */
  readonly drained?: () => void;
  /** Every onStatus; those that answer a request, before their promise settles. Stream id 0: the connection's own. */
  readonly status?: (streamId: number, status: Status, info: AmfValue) => void;
}

/** The server said no, and how. */
export class RefusedByServer extends RemoteError {
  readonly what: RefusedEvent['what'];
  readonly status: Status;

  constructor({ what, status }: Pick<RefusedEvent, 'what' | 'status'>) {
    super('REFUSED_BY_SERVER', `the server refused: ${status.code}: ${status.description}`);
    this.what = what;
    this.status = status;
  }
}

/** What a playing stream brings. `ended` comes once: the server said so, or the connection went. */
export interface PlayListener {
  message(message: Message): void;
  ended?(reason: string): void;
}

/** Somebody who waits for an answer, and for what comes behind it. */
interface Pending {
  resolve(streamId: number): void;
  reject(error: Error): void;
  readonly listener: PlayListener | undefined;
}

/** The asking side of RTMP over any Duplex: connect, publish and play as promises. */
export class RtmpClient {
  readonly #session: ClientSession;
  readonly #driver: Driver<ClientEvent>;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<number, PlayListener>();
  readonly #closed: Promise<Error | undefined>;
  readonly #options: RtmpClientOptions;
  #info: AmfValue = undefined;
  #resolveClosed!: (fault: Error | undefined) => void;
  #awaitingRoom: (() => void)[] = [];

  private constructor(stream: Duplex, options: RtmpClientOptions) {
    this.#options = options;
    this.#closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#session = new ClientSession({ random, ...options.session }, now());
    this.#driver = new Driver(
      stream,
      this.#session,
      {
        event: (event) => this.#event(event),
        drained: () => this.#tellRoom(),
        closed: (fault) => this.#close(fault),
      },
      options.driver ?? DRIVER_DEFAULTS,
    );
  }

  /**
   * Shakes hands and connects to an application.
   * Rejects with `RemoteError` when the server refuses, with `ProtocolError` or `TransportError` when it cannot be talked to.
   */
  static async connect(stream: Duplex, to: ConnectParameters, options: RtmpClientOptions = {}): Promise<RtmpClient> {
    const client = new RtmpClient(stream, options);
    await client.#ask(() => client.#session.connect(to));
    return client;
  }

  /** Resolves when the connection is gone, with what ended it or undefined for an ordinary end. */
  get closed(): Promise<Error | undefined> {
    return this.#closed;
  }

  /** What is sent now would only wait. */
  get isBlocked(): boolean {
    return this.#driver.blocked;
  }

  get outgoingChunkSize(): number {
    return this.#session.outgoingChunkSize;
  }

  /** What the server answered to connect: its status, and what it can do (`readCapabilities`). */
  get info(): AmfValue {
    return this.#info;
  }

  /** Given to the transport, handshake and commands included. */
  get bytesSent(): number {
    return this.#session.bytesSent;
  }

  /** Of these, what the server says it has; 0 for a server that never says so. */
  get bytesAcknowledged(): number {
    return this.#session.bytesAcknowledged;
  }

  /** From now on a server that takes nothing for `drainTimeoutMs` is given up. */
  insistOnDraining(): void {
    this.#driver.mustDrain = true;
  }

  /** Starts publishing; resolves with the message stream id that media goes to. */
  publish(name: string): Promise<number> {
    return this.#ask(() => this.#session.publish(name));
  }

  /** Starts playing; the listener hears every audio, video and data message. Resolves with the message stream id. */
  play(name: string, listener: PlayListener, options: PlayOptions = {}): Promise<number> {
    return this.#ask(() => this.#session.play(name, options), listener);
  }

  /** Sends media on a NetStream. False: the way out is full, wait for `drained()`. */
  send(message: Message): boolean {
    this.#session.sendMessage(message);
    this.#driver.flush();
    return !this.#driver.blocked;
  }

  /** Whole chunks, already encoded for `outgoingChunkSize` and a NetStream; they leave with the next `flush`. */
  sendEncoded(bytes: Buffer): void {
    this.#session.sendEncoded(bytes);
  }

  flush(): void {
    this.#driver.flush();
  }

  /** Resolves when there is room again. */
  async drained(): Promise<void> {
    if (this.#driver.blocked) await new Promise<void>((resolve) => this.#awaitingRoom.push(resolve));
  }

  /** Ends a NetStream and leaves the connection open. */
  closeStream(streamId: number): void {
    this.#session.deleteStream(streamId);
    this.#driver.flush();
  }

  /** Ends the connection once everything has been sent. */
  async close(): Promise<void> {
    this.#driver.end();
    await this.#closed;
  }

  destroy(): void {
    this.#driver.destroy();
  }

  #ask(call: () => number, listener?: PlayListener): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#pending.set(call(), { resolve, reject, listener });
      this.#driver.flush();
    });
  }

  #event(event: ClientEvent): void {
    switch (event.type) {
      case 'connected':
        this.#info = event.info;
        return this.#settle(event.id, 0);
      case 'published':
      case 'playing':
        return this.#settle(event.id, event.streamId);
      case 'refused':
        return this.#refuse(event);
      case 'status':
        return this.#options.status?.(event.streamId, event.status, event.info);
      case 'media':
        return this.#listeners.get(event.streamId)?.message(event.message);
      case 'eof':
        return this.#ended(event.streamId);
      case 'leave':
        return this.#driver.end();
    }
  }

  /** At once, and not when the promise is heard: media may come in the same bytes as the answer. */
  #settle(id: number, streamId: number): void {
    const pending = this.#pending.get(id);
    if (pending?.listener !== undefined) this.#listeners.set(streamId, pending.listener);
    pending?.resolve(streamId);
    this.#pending.delete(id);
  }

  #ended(streamId: number): void {
    const listener = this.#listeners.get(streamId);
    this.#listeners.delete(streamId);
    listener?.ended?.('the stream ended');
  }

  #tellRoom(): void {
    this.#options.drained?.();
    for (const resolve of this.#awaitingRoom.splice(0)) resolve();
  }

  #refuse(event: RefusedEvent): void {
    this.#pending.get(event.id)?.reject(new RefusedByServer(event));
    this.#pending.delete(event.id);
  }

  #close(fault: Error | undefined): void {
    const reason = fault ?? new TransportError('CONNECTION_CLOSED', 'the server closed the connection');
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    this.#tellRoom();
    for (const listener of this.#listeners.values()) listener.ended?.(reason.message);
    this.#listeners.clear();
    this.#resolveClosed(fault);
  }
}
