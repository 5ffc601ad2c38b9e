import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { ListenOptions, Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { TUNNEL_DEFAULTS } from '../transport/index.ts';

export interface WebServerOptions {
  /** How long a connection may rest between two requests. */
  readonly keepAliveTimeoutMs: number;
  /** Time for the whole head of a request. */
  readonly headTimeoutMs: number;
  /** A request, or its answer, of which nothing moves in either direction for this long ends with its connection. */
  readonly stallTimeoutMs: number;
  /** Request line and headers together. */
  readonly maxHeadBytes: number;
}

export const WEB_DEFAULTS: WebServerOptions = Object.freeze({
  // The tunnel's own: a proxy does not know which engine it talks to.
  keepAliveTimeoutMs: TUNNEL_DEFAULTS.keepAliveMs,
  // As in the tunnel's own engine. A head is one packet or two; Apache's mod_reqtimeout grants 20 s.
  headTimeoutMs: 10_000,
  // nginx's client_body_timeout and send_timeout. A body as a whole has no limit in time: 17 MiB over a 3G uplink take
  // minutes and are welcome as long as they flow.
  stallTimeoutMs: 60_000,
  // Node's own default, and what nginx (4 × 8 KiB) and Apache (8 KiB a line) come to in practice.
  maxHeadBytes: 16 * 1024,
});

/**
 * Requests of one connection that may wait for their answers to leave. Node's parser reads all that is in a piece of
 * input, however little of the answers is fetched: 3,600 requests for a page, and 15 MiB of pages, in 64 KiB (measured).
 * The tunnel's clients, the only ones that do not wait for each answer, are 16 ahead at most.
 */
const MAX_PIPELINED = 32;

/** `llhttp`'s word for a request that changes the protocol. */
const NO_HTTP_FOLLOWS = 2;

/** Looks for head time-outs this often; Node's default of 30 s would make 10 s up to 40. */
const CHECK_INTERVAL_MS = 1_000;

/** A refused connection is read on for this long, so that the refusal is not lost to a reset. */
const LINGER_MS = 2_000;

/** What each of the parser's complaints is told to the client. Everything else is 400. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

/** The same as the tunnel's own engine sends: its clients may well be the ones that are refused here. */
const REFUSAL_FIELDS = [
  'Content-Type: application/x-fcs',
  'Connection: close',
  'Cache-Control: no-store, no-transform',
  'X-Accel-Buffering: no',
  'Content-Length: 0',
];

/**
 * The HTTP server behind the doors. It opens no port: connections that the doors have accepted, and decrypted, are given
 * to it with `adopt`. It does listen on a private local address, because a Node server that never listens does not
 * watch over its connections either: its head time-out never fires (measured on Node 20). Whoever finds
 * that address is disconnected at once.
 */
export class WebServer {
  readonly #server: Server;
  /** Every connection, with the number of its requests under way. */
  readonly #connections = new Map<Duplex, number>();
  #stopping = false;
  #emptied: (() => void) | undefined;

  constructor(app: RequestListener, options: WebServerOptions = WEB_DEFAULTS) {
    const settings = {
      // Hand-written tunnel clients forget it.
      requireHostHeader: false,
      maxHeaderSize: options.maxHeadBytes,
      headersTimeout: options.headTimeoutMs,
      // Off: a body of 17 MiB may take its time, as long as it flows; `timeout` below sees to that.
      requestTimeout: 0,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    };
    this.#server = createServer(settings, (request, response) => this.#serve(request, response, app));
    this.#server.maxRequestsPerSocket = 0;
    // A client that has said all may close its half and still wants its answer; without this Node hangs up on it.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    this.#server.timeout = options.stallTimeoutMs;
    this.#server.prependListener('connection', (socket: Socket) => this.#dropStranger(socket));
    this.#server.on('clientError', refuse);
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resolves when connections may be adopted. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(privateAddress(), () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
  }

  /**
   * Takes a connection for good. `socket` is the real `net.Socket` or `TLSSocket`, without listeners of its former
   * owner, which has put back all that it read of the next request.
   */
  adopt(socket: Socket): void {
    if (socket.destroyed) return;
    this.#connections.set(socket, 0);
    socket.once('close', () => this.#forget(socket));
    this.#server.emit('connection', socket);
    // Without this a paused socket's later bytes reach the parser before the ones put back (measured: 400).
    socket.resume();
  }

  /** Requests under way are answered, idle connections closed; resolves when the last connection is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const socket of this.#connections.keys()) this.#closeIfIdle(socket);
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
    // Only now: a closed server no longer looks after time-outs.
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Ends every connection at once. */
  destroy(): void {
    this.#stopping = true;
    for (const socket of this.#connections.keys()) socket.destroy();
    this.#server.close();
  }

  #forget(socket: Duplex): void {
    this.#connections.delete(socket);
    if (this.#connections.size === 0) this.#emptied?.();
  }

  #dropStranger(socket: Socket): void {
    if (!this.#connections.has(socket)) socket.destroy();
  }

  #serve(request: IncomingMessage, response: ServerResponse, app: RequestListener): void {
    const { socket } = request;
    if ((this.#connections.get(socket) ?? 0) >= MAX_PIPELINED) {
      stopParsing(socket);
      return void socket.destroy();
    }
    this.#follow(request, response);
    app(request, response);
  }

  #follow({ socket }: IncomingMessage, response: ServerResponse): void {
    if (this.#stopping) response.shouldKeepAlive = false;
    this.#count(socket, 1);
    response.once('close', () => {
      this.#count(socket, -1);
      if (this.#stopping) this.#closeIfIdle(socket);
    });
  }

  #count(socket: Duplex, difference: 1 | -1): void {
    const current = this.#connections.get(socket);
    if (current !== undefined) this.#connections.set(socket, current + difference);
  }

  /** Not `closeIdleConnections`: that one takes an answer for done while most of it still waits to be sent. */
  #closeIfIdle(socket: Duplex): void {
    if (this.#connections.get(socket) === 0) (socket as Socket).destroySoon();
  }
}

/** Linux has local names outside the file system; elsewhere a port of the loopback interface does. */
function privateAddress(): ListenOptions {
  if (process.platform === 'linux') return { path: `\0rtmp-gateway-web-${randomUUID()}` };
  return { host: '127.0.0.1', port: 0 };
}

/** Answers what is not HTTP, then reads on for a moment: closing over unread bytes would reset the answer away. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (socket.writableEnded) return;
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket)) return void socket.destroy();
  const status = REFUSALS.get(error.code ?? '') ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\n${REFUSAL_FIELDS.join('\r\n')}\r\n\r\n`);
  (socket as Socket).setTimeout(LINGER_MS, () => socket.destroy());
}

/**
 * The parser would go on with the piece of input that it has, for a connection that is gone: 50 ms for 64 KiB. It leaves
 * the rest when it is told that what follows is no HTTP, as Node tells it at an upgrade.
 */
function stopParsing(socket: Duplex): void {
  const { parser } = socket as Duplex & { readonly parser?: { onIncoming: () => number } | null };
  if (parser) parser.onIncoming = () => NO_HTTP_FOLLOWS;
}

/** An answer is on the line already: nothing that is added would be understood. */
function isAnswering(socket: Duplex): boolean {
  const { _httpMessage: current } = socket as Duplex & { _httpMessage?: ServerResponse | null };
  return current?.headersSent === true;
}
