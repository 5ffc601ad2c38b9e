import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import express from 'express';
import { NO_LOG, type Log } from '../../src/log.ts';
import type { Peer } from '../../src/transport/link.ts';
import { serveTunnelConnection } from '../../src/transport/rtmpt/connection.ts';
import { tunnelRouter } from '../../src/transport/rtmpt/router.ts';
import type { TunnelOptions } from '../../src/transport/rtmpt/tunnel-options.ts';
import { Tunnels, type ClientPlaces, type HttpPeer } from '../../src/transport/rtmpt/tunnels.ts';
import { WEB_DEFAULTS, WebServer } from '../../src/web/server.ts';
import { HttpProbe } from './http-probe.ts';

/** The two ways in which a tunnel request is parsed: by the tunnel's own engine, or by the web server. */
export type EngineName = 'own engine' | 'web server';
export const ENGINES: readonly EngineName[] = ['own engine', 'web server'];

export interface RigOptions {
  readonly engine?: EngineName;
  readonly tunnel?: Partial<TunnelOptions>;
  readonly core?: (stream: Duplex, peer: Peer) => void;
  readonly clients?: ClientPlaces;
  readonly peer?: Partial<HttpPeer>;
  readonly isTrusted?: (address: string) => boolean;
  readonly log?: Log;
}

/** A server that speaks the tunnel on a free port, and what happened behind it. */
export class TunnelRig {
  readonly tunnels: Tunnels;
  readonly cores: Core[] = [];
  /** The server's ends of the connections. */
  readonly sockets: Socket[] = [];
  /** What was handed to the web server. */
  readonly handedOver: Buffer[] = [];
  validRequests = 0;
  readonly #server: Server;
  readonly #probes: HttpProbe[] = [];
  #web: WebServer | undefined;
  #waiting: (() => void) | undefined;

  constructor(options: RigOptions) {
    this.tunnels = new Tunnels(options.tunnel ?? {}, {
      log: options.log ?? NO_LOG,
      clients: options.clients ?? { acquire: () => () => {} },
      ...(options.isTrusted && { isTrusted: options.isTrusted }),
      handler: (stream, peer) => {
        this.cores.push(new Core(stream, peer));
        options.core?.(stream, peer);
        this.#waiting?.();
      },
    });
    this.#server = options.engine === 'web server' ? this.#createWeb(options) : this.#createOwn(options);
    this.#server.on('connection', (socket) => this.sockets.push(socket));
  }

  static async start(options: RigOptions = {}): Promise<TunnelRig> {
    const rig = new TunnelRig(options);
    await rig.#web?.start();
    await new Promise<void>((resolve) => rig.#server.listen(0, '127.0.0.1', resolve));
    return rig;
  }

  async stop(): Promise<void> {
    for (const probe of this.#probes) probe.destroy();
    this.tunnels.destroy();
    this.#web?.destroy();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    // Whatever a test did: nothing of it may be left.
    if (this.tunnels.count !== 0) throw new Error(`${this.tunnels.count} sessions are left`);
  }

  /** A new connection. */
  async connect(options: { readonly paused?: boolean } = {}): Promise<HttpProbe> {
    const probe = await HttpProbe.connect((this.#server.address() as AddressInfo).port, options);
    this.#probes.push(probe);
    return probe;
  }

  /** Opens a session over a new connection and returns both. */
  async open(): Promise<{ readonly probe: HttpProbe; readonly id: string }> {
    const probe = await this.connect();
    const answer = await probe.post('/open/1', '\0');
    return { probe, id: answer.body.toString('latin1').trimEnd() };
  }

  /** The core of the session that sent first, or the next ones. */
  async core(index = 0): Promise<Core> {
    while (this.cores.length <= index) await new Promise<void>((resolve) => (this.#waiting = resolve));
    return this.cores[index]!;
  }

  #createOwn(options: RigOptions): Server {
    return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      serveTunnelConnection(socket, peerOf(socket, options), {
        tunnels: this.tunnels,
        log: options.log ?? NO_LOG,
        validRequest: () => (this.validRequests += 1),
        handOver: (taken) => {
          this.handedOver.push((taken.read() as Buffer | null) ?? Buffer.alloc(0));
          taken.on('error', () => {});
          taken.end('HTTP/1.1 418 Web\r\nContent-Length: 0\r\n\r\n');
        },
      });
    });
  }

  #createWeb(options: RigOptions): Server {
    const app = express();
    app.use(tunnelRouter(this.tunnels, (request) => peerOf(request.socket, options)));
    this.#web = new WebServer(app, { ...WEB_DEFAULTS, headTimeoutMs: options.tunnel?.headTimeoutMs ?? 10_000 });
    return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#web?.adopt(socket));
  }
}

function peerOf(socket: Socket, { peer }: RigOptions): HttpPeer {
  return { address: '127.0.0.1', port: socket.remotePort ?? 0, secure: false, trusted: false, ...peer };
}

/** The core's end of a session: everything that it heard, and how it ended. */
export class Core {
  readonly stream: Duplex;
  readonly peer: Peer;
  readonly heard: Buffer[] = [];
  bytes = 0;
  hasEnded = false;
  isClosed = false;
  fault: Error | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(stream: Duplex, peer: Peer) {
    this.stream = stream;
    this.peer = peer;
    const changed = (): void => this.#waiting.forEach((wake) => wake());
    stream.on('data', (bytes: Buffer) => {
      this.heard.push(Buffer.from(bytes));
      this.bytes += bytes.length;
      changed();
    });
    stream.on('end', () => {
      this.hasEnded = true;
      changed();
    });
    stream.on('error', (fault) => (this.fault = fault));
    stream.on('close', () => {
      this.isClosed = true;
      changed();
    });
  }

  get text(): string {
    return Buffer.concat(this.heard).toString('latin1');
  }

  /** Resolves when `holds` does, looking whenever something happens. */
  async until(holds: (core: Core) => boolean): Promise<this> {
    while (!holds(this)) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
    return this;
  }

  hears(text: string): Promise<this> {
    return this.until((core) => core.text === text);
  }
}
