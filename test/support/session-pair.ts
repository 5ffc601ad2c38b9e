import type { ClientEvent } from '../../src/protocol/client-events.ts';
import { ClientSession } from '../../src/protocol/client-session.ts';
import type { ServerEvent } from '../../src/protocol/server-events.ts';
import { ServerSession } from '../../src/protocol/server-session.ts';
import type { Session } from '../../src/protocol/session.ts';
import type { SessionSettings } from '../../src/protocol/session-options.ts';
import { seeded } from './random.ts';

export interface PairOptions {
  readonly client?: Partial<SessionSettings>;
  readonly server?: Partial<SessionSettings>;
  /** How bytes are cut on the way: `cuts`, `byteByByte`, or not at all. */
  readonly cut?: (bytes: Buffer) => Buffer[];
  /** What the server side does with a request; accepts by default. */
  readonly decide?: (request: Extract<ServerEvent, { id: number }>, server: ServerSession, now: number) => void;
  readonly start?: number;
}

/** A client session and a server session joined in memory, on one fake clock. */
export class SessionPair {
  readonly client: ClientSession;
  readonly server: ServerSession;
  readonly clientEvents: ClientEvent[] = [];
  readonly serverEvents: ServerEvent[] = [];
  now: number;
  /** Bytes carried so far, by direction. */
  readonly carried = { toServer: 0, toClient: 0 };
  readonly #cut: (bytes: Buffer) => Buffer[];
  readonly #decide: NonNullable<PairOptions['decide']>;

  constructor(options: PairOptions = {}) {
    const random = seeded(7);
    const settings = { random: (bytes: number) => random.bytes(bytes) };
    this.now = options.start ?? 0;
    this.client = new ClientSession({ ...settings, ...options.client }, this.now);
    this.server = new ServerSession({ ...settings, ...options.server }, this.now);
    this.#cut = options.cut ?? ((bytes) => [bytes]);
    this.#decide = options.decide ?? ((request, server, now) => server.accept(request.id, now));
  }

  /** Carries bytes both ways until neither has anything to say. */
  pump(): this {
    for (let moved = true; moved;) {
      const toServer = this.#carry(this.client, this.server, (events) => this.#serverSays(events));
      const toClient = this.#carry(this.server, this.client, (events) => this.#clientSays(events));
      this.carried.toServer += toServer;
      this.carried.toClient += toClient;
      moved = toServer + toClient > 0;
    }
    return this;
  }

  /** Lets time pass: both are woken whenever they want to be, and what they say is carried. */
  wait(ms: number): this {
    const until = this.now + ms;
    this.pump();
    for (;;) {
      const at = Math.min(this.client.deadline() ?? Infinity, this.server.deadline() ?? Infinity);
      if (at > until) break;
      this.now = Math.max(this.now, at);
      if ((this.client.deadline() ?? Infinity) <= this.now) this.#clientSays(this.client.tick(this.now));
      if ((this.server.deadline() ?? Infinity) <= this.now) this.#serverSays(this.server.tick(this.now));
      this.pump();
    }
    this.now = until;
    return this;
  }

  /** Shakes hands and connects. */
  connect(app = 'live'): this {
    this.client.connect({ app, tcUrl: `rtmp://localhost/${app}` });
    return this.pump();
  }

  /** Publishes; returns the NetStream. */
  publish(name = 'key'): number {
    return this.#start('published', () => this.client.publish(name));
  }

  /** Plays; returns the NetStream. */
  play(name = 'key'): number {
    return this.#start('playing', () => this.client.play(name));
  }

  ofClient<T extends ClientEvent['type']>(type: T): Extract<ClientEvent, { type: T }>[] {
    return this.clientEvents.filter((event): event is Extract<ClientEvent, { type: T }> => event.type === type);
  }

  ofServer<T extends ServerEvent['type']>(type: T): Extract<ServerEvent, { type: T }>[] {
    return this.serverEvents.filter((event): event is Extract<ServerEvent, { type: T }> => event.type === type);
  }

  #start(answer: 'published' | 'playing', ask: () => number): number {
    const id = ask();
    this.pump();
    const event = this.ofClient(answer).find((candidate) => candidate.id === id);
    if (event === undefined) throw new Error(`not ${answer}`);
    return event.streamId;
  }

  #carry<A, B>(from: Session<A>, to: Session<B>, hear: (events: B[]) => void): number {
    let bytes = 0;
    for (const piece of from.takeOutput().flatMap((buffer) => this.#cut(buffer))) {
      hear(to.receive(piece, this.now));
      bytes += piece.length;
    }
    return bytes;
  }

  #serverSays(events: readonly ServerEvent[]): void {
    for (const event of events) {
      this.serverEvents.push(event);
      if ('id' in event) this.#decide(event, this.server, this.now);
    }
    if (this.server.deadline() === 0) this.#serverSays(this.server.tick(this.now));
  }

  #clientSays(events: readonly ClientEvent[]): void {
    this.clientEvents.push(...events);
    if (this.client.deadline() === 0) this.#clientSays(this.client.tick(this.now));
  }
}
