import type { Duplex } from 'node:stream';
import { RejectedError } from '../errors.ts';
import {
  OUTBOX_DEFAULTS,
  streamName,
  type Hub,
  type OutboxLimits,
  type Publication,
  type StreamName,
} from '../hub/index.ts';
import { NO_LOG, redactKey, type Log } from '../log.ts';
import { frameFromMessage } from '../media/index.ts';
import { ServerSession, type Message, type ServerEvent, type SessionSettings } from '../protocol/index.ts';
import { peerFields, type Handler, type Peer } from '../transport/index.ts';
import { Crowd } from './crowd.ts';
import { Driver, DRIVER_DEFAULTS, now, type DriverOptions } from './driver.ts';
import { because, codeIn, logEnding } from './ending.ts';
import { FrameRun } from './frame-run.ts';
import { playDuration } from './excerpt.ts';
import { loopIn, readHops } from './hops.ts';
import { Player, type PlayerShared } from './player.ts';
import { Pulse } from './pulse.ts';
import { settingsFor } from './settings-for.ts';
import { secondsBetween, Tally } from './tally.ts';

export interface RtmpServerOptions {
  readonly session: SessionSettings;
  readonly outbox?: OutboxLimits;
  readonly driver?: DriverOptions;
  /** By which this gateway knows its own relays when they come back to it. */
  readonly gatewayId?: string;
}

/** `?gop=0` behind the name: begin at the next keyframe, for less delay than the last group of pictures brings. */
const DECLINES_GOP = /[?&]gop=0(?:&|$)/;

/** The built-in RTMP core: publish and play, over whatever Duplex a door brings. */
export class RtmpServer {
  readonly #options: RtmpServerOptions;
  readonly #shared: PlayerShared;
  readonly #log: Log;
  readonly #connections = new Crowd<ServerConnection>();

  constructor(hub: Hub, options: RtmpServerOptions, log: Log = NO_LOG) {
    const nothing = new FrameRun();
    this.#options = options;
    const outbox = options.outbox ?? OUTBOX_DEFAULTS;
    this.#shared = { hub, nothing, outbox, pulse: new Pulse(() => nothing.forget()) };
    this.#log = log;
  }

  /** Open connections. */
  get count(): number {
    return this.#connections.size;
  }

  readonly handle: Handler = (stream, peer) => {
    const onClosed = (): void => void this.#connections.delete(connection);
    const connection = new ServerConnection(stream, peer, this.#shared, this.#options, this.#log, onClosed);
    this.#connections.add(connection);
  };

  /** Ends every connection politely, publishers and players told why; resolves when the last one is gone. */
  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.shutDown();
    await this.#connections.emptied();
  }

  /** Ends every connection at once. */
  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}

/** A stream that a client publishes or plays, with what the log is to say of it. */
interface Publishing {
  readonly publication: Publication;
  readonly tally: Tally;
  readonly log: Log;
}

interface Playing {
  readonly player: Player;
  readonly since: number;
  readonly log: Log;
}

type StreamRequest = Extract<ServerEvent, { type: 'publish' | 'play' }>;

/** One client of the built-in core: turns its session's events into the hub's words and back. */
class ServerConnection {
  readonly session: ServerSession;
  readonly driver: Driver<ServerEvent>;
  readonly #shared: PlayerShared;
  readonly #log: Log;
  readonly #publications = new Map<number, Publishing>();
  readonly #players = new Map<number, Playing>();
  readonly #onClosed: () => void;
  readonly #gatewayId: string | undefined;
  #app = '';
  #hops: readonly string[] = [];

  constructor(
    stream: Duplex,
    peer: Peer,
    shared: PlayerShared,
    options: RtmpServerOptions,
    log: Log,
    onClosed: () => void,
  ) {
    this.#shared = shared;
    this.#log = log.child(peerFields(peer));
    this.#onClosed = onClosed;
    this.#gatewayId = options.gatewayId;
    this.session = new ServerSession(settingsFor(peer, options.session), now());
    this.driver = new Driver(
      stream,
      this.session,
      {
        event: (event) => this.#event(event),
        drained: () => this.#drained(),
        closed: (fault) => this.#closed(fault),
      },
      options.driver ?? DRIVER_DEFAULTS,
    );
  }

  shutDown(): void {
    for (const id of this.#publications.keys()) this.#unpublish(id);
    for (const [id, { player }] of this.#players) {
      player.unpublished();
      this.#stopPlayer(id);
    }
    this.driver.end();
  }

  destroy(): void {
    this.driver.destroy();
  }

  #event(event: ServerEvent): void {
    switch (event.type) {
      case 'connect':
        return this.#connect(event);
      case 'media':
        return this.#media(event.streamId, event.message);
      case 'publish':
        return this.#publish(event);
      case 'play':
        return this.#play(event);
      case 'unpublish':
        return this.#unpublish(event.streamId);
      case 'stopped':
        return this.#stopPlayer(event.streamId);
      case 'pause':
        return this.#players.get(event.streamId)?.player.pause(event.paused);
      case 'receive':
        return this.#players.get(event.streamId)?.player.receive(event.kind, event.wanted);
      case 'unhandled':
        return this.#log.debug({ what: event.what }, 'ignored what the client sent');
    }
  }

  #connect({ id, app, tcUrl, properties }: Extract<ServerEvent, { type: 'connect' }>): void {
    this.#app = app;
    this.#hops = readHops(properties);
    const loop = loopIn(this.#hops, this.#gatewayId);
    if (loop !== undefined) {
      this.#log.warn({ app }, `connect refused: ${loop}`);
      this.session.reject(id, { level: 'error', code: 'NetConnection.Connect.Rejected', description: loop });
      return;
    }
    this.#log.debug({ app, tcUrl }, 'connected');
    this.session.accept(id, now());
  }

  #media(streamId: number, message: Message): void {
    const publishing = this.#publications.get(streamId);
    if (publishing === undefined) return;
    const frame = frameFromMessage(message);
    publishing.tally.count(frame);
    publishing.publication.write(frame, now());
  }

  #publish(event: Extract<ServerEvent, { type: 'publish' }>): void {
    this.#guard(event, 'NetStream.Publish.BadName', () => {
      const name = streamName(this.#app, event.name);
      const publisher = { hops: this.#hops, end: (reason: string) => this.#revoke(event.streamId, reason) };
      const publication = this.#shared.hub.publish(name, publisher, now());
      const log = this.#log.child(shown(name));
      this.#publications.set(event.streamId, { publication, tally: new Tally(now()), log });
      this.#judgeReading();
      this.session.accept(event.id, now());
      log.info({}, 'publishing');
    });
  }

  #play(event: Extract<ServerEvent, { type: 'play' }>): void {
    this.#guard(event, 'NetStream.Play.StreamNotFound', () => {
      const name = streamName(this.#app, event.name);
      this.#stopPlayer(event.streamId);
      const log = this.#log.child(shown(name));
      const player = new Player(name, event.streamId, this, this.#shared, log);
      this.session.accept(event.id, now());
      this.#players.set(event.streamId, { player, since: now(), log });
      this.#judgeReading();
      const durationMs = playDuration(event.duration);
      player.start({ gop: !DECLINES_GOP.test(event.name), durationMs, hops: this.#hops });
      log.info({}, 'playing');
    });
  }

  /** Runs a request; what policy refuses is told to the client on its NetStream, and the connection goes on. */
  #guard(event: StreamRequest, code: string, request: () => void): void {
    try {
      request();
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      this.session.reject(event.id, { level: 'error', code, description: error.message });
      const what = { app: this.#app, stream: redactKey(event.name), code: error.code };
      this.#log.info(what, `${event.type} refused: ${error.message}`);
    }
  }

  #unpublish(streamId: number, fault?: Error): void {
    const publishing = this.#publications.get(streamId);
    if (publishing === undefined) return;
    this.#publications.delete(streamId);
    publishing.publication.end(now());
    this.#judgeReading();
    publishing.log.info({ ...publishing.tally.fields(now()), ...codeIn(fault) }, `publishing ended${because(fault)}`);
  }

  /** Players read; of publishers only some do. */
  #judgeReading(): void {
    this.driver.mustDrain = this.#publications.size === 0 && this.#players.size > 0;
  }

  /** The name was taken over, or the hub is stopping: this publisher may not go on. */
  #revoke(streamId: number, reason: string): void {
    const publishing = this.#publications.get(streamId);
    this.#publications.delete(streamId);
    this.session.sendStatus(streamId, { level: 'error', code: 'NetStream.Publish.BadName', description: reason });
    publishing?.log.info(publishing.tally.fields(now()), `publishing ended: ${reason}`);
    this.driver.end();
  }

  #stopPlayer(streamId: number, fault?: Error): void {
    const playing = this.#players.get(streamId);
    if (playing === undefined) return;
    this.#players.delete(streamId);
    playing.player.stop();
    const seconds = secondsBetween(playing.since, now());
    playing.log.info({ seconds, ...codeIn(fault) }, `playing ended${because(fault)}`);
  }

  #drained(): void {
    for (const { player } of this.#players.values()) player.drained();
  }

  #closed(fault: Error | undefined): void {
    const isTold = this.#publications.size + this.#players.size > 0;
    for (const id of this.#publications.keys()) this.#unpublish(id, fault);
    for (const id of this.#players.keys()) this.#stopPlayer(id, fault);
    logEnding(this.#log, fault, isTold);
    this.#onClosed();
  }
}

function shown(name: StreamName): { app: string; stream: string } {
  return { app: name.app, stream: redactKey(name.key) };
}
