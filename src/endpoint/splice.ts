import type { Duplex } from 'node:stream';
import { TransportError } from '../errors.ts';
import { redactKey, type Log } from '../log.ts';
import {
  ServerSession,
  type ConnectRequest,
  type Message,
  type PlayRequest,
  type PublishRequest,
  type ServerEvent,
  type SessionSettings,
  type Status,
} from '../protocol/index.ts';
import { peerFields, streamKey, type Handler, type Peer, type PeerDial } from '../transport/index.ts';
import { Crowd } from './crowd.ts';
import { Driver, DRIVER_DEFAULTS, now, type DriverOptions } from './driver.ts';
import { because, codeIn, logEnding } from './ending.ts';
import { Leg, MAX_GATHERED_BYTES, type LegOptions, type LegOwner } from './leg.ts';
import { Pulse, type Beater } from './pulse.ts';
import { settingsFor } from './settings-for.ts';

/** Servers, told apart by what is published and played there. */
export interface KeyedServers {
  readonly isAvailable: boolean;
  dialFor(key: string): PeerDial;
}

export interface SpliceDependencies {
  readonly servers: KeyedServers;
  /** Takes RTMP and RTMPS clients when there is no server left. */
  readonly whenDown: Handler;
  readonly log: Log;
}

export interface SpliceOptions {
  readonly session: SessionSettings;
  readonly driver?: DriverOptions;
}

/**
 * Balancing by application and stream: RTMP has to be understood before a server can be chosen. Clients are answered
 * here, and each NetStream becomes a connection to the server that its name belongs to, message by message. Media passes
 * untouched; what a server says of itself (its version, its chunk size) does not.
 */
export class Splice {
  readonly #deps: SpliceDependencies;
  readonly #options: LegOptions;
  readonly #clients = new Crowd<SplicedClient>();

  constructor(deps: SpliceDependencies, { session, driver = DRIVER_DEFAULTS }: SpliceOptions) {
    this.#deps = deps;
    this.#options = { session, driver, pulse: new Pulse(), legs: new Crowd() };
  }

  get count(): number {
    return this.#clients.size;
  }

  readonly handle: Handler = (stream, peer) => {
    const { servers, whenDown } = this.#deps;
    if (servers.isAvailable) return this.#take(stream, peer);
    this.#deps.log.debug({ peer: peer.id, address: peer.address }, 'client turned away: no upstream server is left');
    if (peer.scheme === 'rtmp' || peer.scheme === 'rtmps') return whenDown(stream, peer);
    stream.on('error', () => {});
    stream.destroy(new TransportError('NO_UPSTREAM', 'no upstream server can be reached'));
  };

  /** Ends every connection politely; resolves when the last one is gone. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.end();
    await this.#clients.emptied();
    // They may outlive their clients, but none is begun any more.
    await this.#options.legs.emptied();
  }

  destroy(): void {
    for (const client of this.#clients) client.destroy();
    for (const leg of this.#options.legs) leg.destroy();
  }

  #take(stream: Duplex, peer: Peer): void {
    const onClosed = (): void => void this.#clients.delete(client);
    const client = new SplicedClient(stream, peer, this.#deps, this.#options, onClosed);
    this.#clients.add(client);
  }
}

/** One client, and the legs of its NetStreams. */
class SplicedClient implements LegOwner, Beater {
  readonly #peer: Peer;
  readonly #servers: KeyedServers;
  readonly #options: LegOptions;
  readonly #log: Log;
  readonly #session: ServerSession;
  readonly #driver: Driver<ServerEvent>;
  readonly #legs = new Map<number, Leg>();
  readonly #onClosed: () => void;
  #connect: ConnectRequest | undefined;
  #isMarked = false;
  #gathered = 0;

  constructor(stream: Duplex, peer: Peer, deps: SpliceDependencies, options: LegOptions, onClosed: () => void) {
    this.#peer = peer;
    this.#servers = deps.servers;
    this.#options = options;
    this.#log = deps.log.child(peerFields(peer));
    this.#onClosed = onClosed;
    this.#session = new ServerSession(settingsFor(peer, options.session), now());
    this.#driver = new Driver<ServerEvent>(
      stream,
      this.#session,
      {
        event: (event) => this.#event(event),
        drained: () => this.#flowAll(true),
        closed: (fault) => this.#closed(fault),
      },
      options.driver,
    );
  }

  end(): void {
    for (const leg of this.#legs.values()) leg.end();
    this.#driver.end();
  }

  destroy(): void {
    this.#driver.destroy();
  }

  // What the client says --------------------------------------------------------------------------------------------

  #event(event: ServerEvent): void {
    switch (event.type) {
      case 'media':
        return this.#forward(event.streamId, event.message);
      case 'connect':
        this.#connect = event;
        this.#session.accept(event.id, now());
        return;
      case 'publish':
      case 'play':
        return this.#ask(event);
      case 'unpublish':
      case 'stopped':
        return this.#drop(event.streamId);
      case 'pause':
        return this.#legs.get(event.streamId)?.pause(event.paused, event.position);
      case 'receive':
        return this.#legs.get(event.streamId)?.receive(event.kind, event.wanted);
      case 'bufferLength':
        return this.#legs.get(event.streamId)?.bufferLength(event.ms);
      case 'unhandled':
        return this.#log.debug({ what: event.what }, 'ignored what the client sent');
    }
  }

  #ask(request: PublishRequest | PlayRequest): void {
    const { streamId, name } = request;
    const dial = this.#servers.dialFor(streamKey(this.#connect!.app, name));
    const leg = new Leg(this.#connect!, request, this, this.#options);
    this.#drop(streamId);
    this.#legs.set(streamId, leg);
    leg.start((signal) => dial(signal, this.#peer));
  }

  #forward(streamId: number, message: Message): void {
    const leg = this.#legs.get(streamId);
    leg?.send(message);
    if (leg?.isBlocked === true) this.#driver.pause();
  }

  #drop(streamId: number): void {
    const leg = this.#legs.get(streamId);
    this.#legs.delete(streamId);
    leg?.end();
    this.#judgeReading();
    this.drained();
  }

  /** Players read; of publishers only some do. */
  #judgeReading(): void {
    const legs = [...this.#legs.values()];
    this.#driver.mustDrain = legs.length > 0 && legs.every(({ request }) => request.type === 'play');
  }

  // What the servers say --------------------------------------------------------------------------------------------

  granted({ request }: Leg): void {
    this.#session.accept(request.id, now());
    this.#judgeReading();
    this.#driver.nudge();
    const { app } = this.#connect!;
    this.#log.info({ app, stream: redactKey(request.name) }, request.type === 'publish' ? 'publishing' : 'playing');
  }

  refused(leg: Leg, why: Status): void {
    const { request } = leg;
    if (this.#legs.get(request.streamId) === leg) this.#legs.delete(request.streamId);
    this.#session.reject(request.id, why);
    this.#driver.nudge();
    this.#log.info({ status: why.code }, `refused: ${why.description}`);
  }

  status({ request }: Leg, what: Status): void {
    this.#session.sendStatus(request.streamId, what);
    this.#mark();
  }

  media({ request }: Leg, message: Message): void {
    this.#session.sendMessage({ ...message, streamId: request.streamId });
    this.#gathered += message.payload.length;
    if (this.#gathered >= MAX_GATHERED_BYTES) this.#flush();
    else this.#mark();
  }

  begin({ request }: Leg): void {
    this.#session.beginStream(request.streamId);
    this.#mark();
  }

  eof({ request }: Leg): void {
    this.#session.endStream(request.streamId);
    this.#mark();
  }

  drained(): void {
    if (![...this.#legs.values()].some(({ isBlocked }) => isBlocked)) this.#driver.resume();
  }

  gone(leg: Leg, fault: Error | undefined): void {
    this.#legs.delete(leg.request.streamId);
    this.#log.info(codeIn(fault), `the upstream ended the connection${because(fault)}`);
    this.end();
  }

  // Room ------------------------------------------------------------------------------------------------------------

  beat(): void {
    this.#isMarked = false;
    this.#flush();
  }

  #flush(): void {
    this.#gathered = 0;
    this.#driver.flush();
    if (this.#driver.blocked) this.#flowAll(false);
  }

  #mark(): void {
    if (this.#isMarked) return;
    this.#isMarked = true;
    this.#options.pulse.mark(this);
  }

  #flowAll(isFlowing: boolean): void {
    for (const leg of this.#legs.values()) if (leg.request.type === 'play') leg.flow(isFlowing);
  }

  #closed(fault: Error | undefined): void {
    for (const leg of this.#legs.values()) leg.end();
    this.#legs.clear();
    logEnding(this.#log, fault, false);
    this.#onClosed();
  }
}
