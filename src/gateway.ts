import type { Socket } from 'node:net';
import { AdminServer } from './admin/index.ts';
import { LiveCertificates, type LiveOptions } from './certificates/index.ts';
import { upstreamName, type Config, type UpstreamsConfig } from './config/index.ts';
import { flvRouter, Hls, Recorder, type RecordingInfo } from './delivery/index.ts';
import { ExternalCore, now, probeRtmp, random, RtmpServer, type Core } from './endpoint/index.ts';
import { Hub, type StreamInfo } from './hub/index.ts';
import { frugal } from './log-budget.ts';
import type { Log } from './log.ts';
import { newGatewayId, Relays, type RelayInfo, type RelayRule, type RulesChanged } from './relay/index.ts';
import {
  AddressCounter,
  ALL_PROTOCOLS,
  dialer,
  Door,
  introducingDialer,
  serveTunnelConnection,
  trustList,
  tunnelRouter,
  Tunnels,
  Upstreams,
  type DoorOptions,
  type HttpArrival,
  type Protocol,
  type UpstreamCounts,
} from './transport/index.ts';
import { createWebApp, WebServer } from './web/index.ts';

/** A door that is open, and what may be spoken there. */
export interface Bound {
  readonly host: string;
  readonly port: number;
  readonly protocols: readonly Protocol[];
  /** It wants a PROXY protocol header first. */
  readonly behindProxy: boolean;
}

/** What is open at present. All zero means that nothing of any client is left. */
export interface Counts {
  readonly sockets: number;
  readonly rtmpConnections: number;
  readonly tunnels: number;
  readonly webConnections: number;
  readonly streams: number;
  /** To RTMP servers elsewhere. */
  readonly upstreamConnections: number;
  /** Streams on their way to or from other servers, those that wait for better times included. */
  readonly relays: number;
}

/**
 * Of all connections, one address may hold this part whatever it does with them: those that have served a request do not
 * count towards `connectionsPerAddress`, and a single client could take every place with one request each.
 */
const MAX_SHARE = 1 / 4;

/** How often waiting channels are looked at; a grace time may run this much longer. */
const HUB_TICK_MS = 100;

/** How long clients may take to leave once they are told. Kubernetes kills after 30 s. */
const CLOSE_TIMEOUT_MS = 5_000;

/** The composition root: makes the rooms, joins them, starts and stops them in order. */
export class Gateway {
  readonly #config: Config;
  readonly #log: Log;
  readonly #hub: Hub;
  readonly #core: Core;
  readonly #external: ExternalCore | undefined;
  readonly #upstreams: Upstreams | undefined;
  readonly #relays: Relays;
  readonly #admin: AdminServer | undefined;
  readonly #tunnels: Tunnels;
  readonly #hls: Hls | undefined;
  readonly #recorder: Recorder;
  readonly #web: WebServer;
  readonly #trusted: (address: string) => boolean;
  readonly #clients: AddressCounter;
  readonly #newcomers: AddressCounter;
  readonly #sockets: AddressCounter;
  /** Who is at the other end of a connection that the web server has. */
  readonly #arrivals = new WeakMap<Socket, HttpArrival>();
  #certificates: LiveCertificates | undefined;
  #doors: readonly Door[] = [];
  #bound: readonly Bound[] = [];
  #ticker: NodeJS.Timeout | undefined;
  #draining = false;
  #adminPort: number | undefined;

  constructor(config: Config, unbounded: Log) {
    const { core, limits } = config;
    const log = frugal(unbounded, now);
    this.#config = config;
    this.#log = log;
    this.#trusted = trustList(config.trustedProxies);
    const perAddress = { maxPerAddress: limits.connectionsPerAddress, exempt: this.#trusted };
    this.#clients = new AddressCounter({ max: limits.connections + config.tunnel.maxSessions, ...perAddress });
    this.#newcomers = new AddressCounter({ max: limits.connections, ...perAddress });
    const share = Math.max(limits.connectionsPerAddress, Math.ceil(limits.connections * MAX_SHARE));
    this.#sockets = new AddressCounter({ max: limits.connections, maxPerAddress: share, exempt: this.#trusted });
    this.#hub = new Hub(core.hub, log);
    const session = { ...core.session, random };
    const gatewayId = newGatewayId();
    if (config.upstreams.servers.length > 0) {
      const byStream = config.upstreams.options.balance === 'hash';
      this.#upstreams = createUpstreams(config.upstreams, log);
      this.#external = new ExternalCore(this.#upstreams, { byStream, session, driver: core.driver }, log);
    }
    this.#core = this.#external ?? new RtmpServer(this.#hub, { ...core, session, gatewayId }, log);
    const relaying = { outbox: core.outbox, session: core.session };
    this.#relays = new Relays(config.relay, { hub: this.#hub, log, gatewayId }, relaying);
    if (config.admin !== null) this.#admin = new AdminServer(config.admin, { relays: this.#relays, log });
    this.#tunnels = new Tunnels(config.tunnel, {
      handler: this.#core.handle,
      log,
      clients: this.#clients,
      isTrusted: this.#trusted,
    });
    if (config.hls.enabled && this.#external === undefined) {
      const wallClock = () => Date.now();
      const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
      this.#hls = new Hls(config.hls, { hub: this.#hub, log, now, wallClock, turn });
    }
    this.#recorder = new Recorder(config.record, { hub: this.#hub, log, wallClock: () => Date.now() });
    this.#web = new WebServer(this.#createApp(), config.web.server);
  }

  /**
   * Opens all doors, or none. Rejects with `ConfigError` when an address cannot be listened on or a certificate cannot
   * be used.
   */
  async start(): Promise<readonly Bound[]> {
    const certificates = await LiveCertificates.open(this.#config.tls, this.#log);
    this.#certificates = certificates;
    this.#doors = this.#config.listen.map((options) => this.#createDoor(options, certificates));
    try {
      await this.#web.start();
      this.#adminPort = await this.#admin?.start();
      this.#bound = await Promise.all(this.#doors.map((door, index) => this.#open(door, index)));
    } catch (error) {
      this.destroy();
      throw error;
    }
    certificates.watch();
    this.#external?.start();
    this.#relays.start();
    this.#recorder.start();
    this.#ticker = setInterval(() => {
      this.#hub.tick(now());
      this.#hls?.tick();
      this.#recorder.tick(now());
    }, HUB_TICK_MS);
    return this.#bound;
  }

  /**
   * Reads certificates and authorities again, perhaps from other places; false when they are of no use and the old ones
   * go on. Connections that stand are not touched.
   */
  async reloadCertificates(options: LiveOptions): Promise<boolean> {
    return (await this.#certificates?.reload(options)) ?? false;
  }

  /** Takes other rules for relays; what is in both goes on. Throws `ConfigError`, and then nothing has changed. */
  reloadRelays(rules: readonly RelayRule[]): RulesChanged {
    return this.#relays.replace(rules);
  }

  /** What is going on, one entry for each stream that has a publisher or a player. */
  streams(): StreamInfo[] {
    return [...this.#hub.streams()];
  }

  /** The servers that clients are brought to; empty when RTMP ends here. */
  upstreams(): UpstreamCounts[] {
    return this.#upstreams?.counts() ?? [];
  }

  /** Where the admin listener is, if there is one. */
  get adminPort(): number | undefined {
    return this.#adminPort;
  }

  /** Which streams go to other servers and come from them, and how that is going. */
  relays(): RelayInfo[] {
    return this.#relays.list();
  }

  /** What is being recorded, and to which files. */
  recordings(): RecordingInfo[] {
    return this.#recorder.list();
  }

  counts(): Counts {
    return {
      sockets: this.#sockets.count,
      rtmpConnections: this.#core.count,
      tunnels: this.#tunnels.count,
      webConnections: this.#web.connections,
      streams: this.streams().length,
      upstreamConnections: this.upstreams().reduce((sum, { connections }) => sum + connections, 0),
      relays: this.#relays.count,
    };
  }

  /** Takes nothing new, ends everybody politely, and after `CLOSE_TIMEOUT_MS` not so politely. Resolves when nothing is left. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#tunnels.drain();
    const impatience = setTimeout(() => this.destroy(), CLOSE_TIMEOUT_MS);
    await Promise.all(this.#doors.map((door) => door.stopAccepting()));
    await Promise.all([this.#relays.stop(), this.#core.stop()]);
    // Players over HTTP are still there, and are told that it is over.
    await this.#hls?.stop();
    this.#hub.stop();
    await this.#recorder.stop();
    await this.#tunnels.stop();
    await this.#web.stop();
    clearTimeout(impatience);
    this.destroy();
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#draining = true;
    clearInterval(this.#ticker);
    this.#certificates?.close();
    this.#admin?.destroy();
    this.#relays.destroy();
    void this.#hls?.stop();
    this.#core.destroy();
    this.#hub.stop();
    this.#tunnels.destroy();
    this.#web.destroy();
    for (const door of this.#doors) door.destroy();
  }

  async #open(door: Door, index: number): Promise<Bound> {
    const { host, port } = await door.listen();
    const { protocols = ALL_PROTOCOLS, proxyProtocol } = this.#config.listen[index]!;
    return { host, port, protocols, behindProxy: proxyProtocol === 'require' };
  }

  #createDoor(options: DoorOptions, certificates: LiveCertificates): Door {
    return new Door(options, {
      rtmp: this.#core.handle,
      http: (socket, arrival) => this.#serveHttp(socket, arrival),
      certificates,
      clients: this.#clients,
      newcomers: this.#newcomers,
      sockets: this.#sockets,
      trusted: this.#trusted,
      log: this.#log,
    });
  }

  /** A door that allows no tunnel gives its HTTP connections to the web server straight away. */
  #serveHttp(socket: Socket, arrival: HttpArrival): void {
    this.#arrivals.set(socket, arrival);
    const handOver = (to: Socket) => this.#web.adopt(to);
    if (!arrival.tunnel) return handOver(socket);
    const validRequest = () => arrival.validRequest();
    serveTunnelConnection(socket, arrival, { tunnels: this.#tunnels, log: this.#log, handOver, validRequest });
  }

  #createApp(): ReturnType<typeof createWebApp> {
    return createWebApp(this.#config.web.app, {
      tunnels: tunnelRouter(this.#tunnels, ({ socket }) => this.#arrivalOf(socket)),
      delivery: this.#delivery(),
      draining: () => this.#draining,
      doors: () => this.#bound,
      hls: this.#hls?.router,
      log: this.#log,
      accessOf: ({ socket }) => this.#arrivalOf(socket),
    });
  }

  /** What is published here for devices and pages; nothing where streams only pass through. */
  #delivery(): ReturnType<typeof flvRouter>[] {
    const { outbox, driver } = this.#config.core;
    if (this.#external !== undefined) return [];
    const addressOf = ({ socket }: { socket: Socket }) => this.#arrivalOf(socket).address;
    return [flvRouter(this.#hub, { outbox, stallMs: driver.drainTimeoutMs }, this.#log, addressOf)];
  }

  #arrivalOf(socket: Socket): HttpArrival {
    const arrival = this.#arrivals.get(socket)!;
    arrival.validRequest();
    return arrival;
  }
}

function createUpstreams({ servers, options }: UpstreamsConfig, log: Log): Upstreams {
  const { connectTimeoutMs } = options;
  const pool = servers.map((server) => {
    const { url, weight, proxyProtocol, verify } = server;
    const how = { connectTimeoutMs, tls: { rejectUnauthorized: verify } };
    const dial = proxyProtocol === 'off' ? dialer(url, how) : introducingDialer(url, proxyProtocol, how);
    return { name: upstreamName(server), weight, dial };
  });
  return new Upstreams(pool, options, { log, probe: probeRtmp });
}
