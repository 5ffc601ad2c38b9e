import { createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { TLSSocket } from 'node:tls';
import { LimitError, ProtocolError } from '../errors.ts';
import { normaliseAddress } from './address.ts';
import { admit, ALL_PROTOCOLS, type Admission, type AdmissionRules } from './admission.ts';
import { Arrival } from './arrival.ts';
import { readClientHello } from './client-hello.ts';
import type { ClientIdentity } from './client-identity.ts';
import {
  BACKLOG,
  DOOR_LIMITS,
  HANDSHAKES_PER_TURN,
  KEEP_ALIVE_MS,
  OVER_LIMIT_RESERVE,
  type DoorDependencies,
  type DoorLimits,
  type DoorOptions,
} from './door-options.ts';
import { Hints } from './hints.ts';
import { listen, type BoundAddress } from './listen.ts';
import { Opening, type Look } from './opening.ts';
import { Paced } from './paced.ts';
import { readProxyHeader, type ProxyHeader } from './proxy-header.ts';
import { HTTP_REFUSALS, refuseHttp } from './refusal.ts';
import { sniff } from './sniff.ts';
import { describeTlsFailure, failureCode, isDeparture } from './tls-failure.ts';
import { TLS_DEFAULTS, TlsServers } from './tls-server.ts';

/**
 * One listening port. It tells each connection's protocol from its first bytes, ends TLS, tells again what is inside,
 * and hands the socket over with every byte still in it. Nothing that a client does or leaves undone here can do more
 * than end its own connection.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #deps: DoorDependencies;
  readonly #rules: AdmissionRules;
  readonly #behindProxy: boolean;
  readonly #limits: DoorLimits;
  readonly #server: Server;
  readonly #tls: TlsServers | undefined;
  readonly #hints: Hints;
  readonly #handshakes = new Paced(HANDSHAKES_PER_TURN);
  readonly #sockets = new Set<Socket>();
  /** In the order of their last progress: the first one has stalled longest. */
  readonly #undecided = new Map<Socket, Arrival>();
  #overLimit = 0;

  /** Throws `ConfigError` when the TLS settings contradict each other. */
  constructor(options: DoorOptions, deps: DoorDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#behindProxy = options.proxyProtocol === 'require';
    this.#rules = {
      protocols: options.protocols ?? ALL_PROTOCOLS,
      canTls: deps.certificates !== undefined,
      behindProxy: this.#behindProxy,
    };
    this.#limits = { ...DOOR_LIMITS, ...options.limits };
    this.#hints = new Hints(deps.log);
    this.#tls = this.#createTls();
    // Half-open: an HTTP client may end its side and still wait for the answer.
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, ...keepAlive });
    this.#server.on('connection', (raw) => this.#accept(raw));
  }

  /** Resolves once clients can connect. Rejects with `ConfigError` when the address cannot be listened on. */
  async listen(): Promise<BoundAddress> {
    const { host, port } = this.#options;
    const bound = await listen(this.#server, { port, backlog: BACKLOG, ...(host !== undefined && { host }) });
    this.#server.on('error', (error) => this.#acceptFailed(error));
    return bound;
  }

  /** Closes the port; connections live on. */
  async stopAccepting(): Promise<void> {
    // The listening socket is closed within this call; Node's callback would wait for the last connection to end.
    if (this.#server.listening) this.#server.close();
  }

  /** Closes the port and every connection that came in by it, handed over or not. */
  destroy(): void {
    if (this.#server.listening) this.#server.close();
    this.#tls?.close();
    for (const raw of this.#sockets) raw.destroy();
  }

  #createTls(): TlsServers | undefined {
    const { certificates } = this.#deps;
    if (certificates === undefined) return undefined;
    const outcome = {
      secured: (raw: Socket, stream: TLSSocket, identity: ClientIdentity | undefined) =>
        this.#secured(raw, stream, identity),
      failed: (raw: Socket, error: Error) => this.#handshakeFailed(raw, error),
    };
    return new TlsServers(certificates, outcome, this.#options.tls ?? TLS_DEFAULTS, this.#limits.tlsMs);
  }

  // Coming in and going away ----------------------------------------------------------------------------------------

  #accept(raw: Socket): void {
    // A reset may come from here on, whoever owns the socket by then; 'close' follows it and does the work.
    raw.on('error', () => {});
    if (raw.remoteAddress === undefined) return void raw.destroy();
    const arrival = new Arrival(raw, normaliseAddress(raw.remoteAddress));
    if (this.#behindProxy && !this.#deps.trusted(arrival.address)) return this.#shutOut(arrival);
    arrival.settle(this.#takePlaces(arrival));
    if (arrival.overLimit && !this.#takeReserve(arrival)) return;
    this.#sockets.add(raw);
    this.#undecided.set(raw, arrival);
    raw.once('close', () => this.#closed(arrival));
    if (this.#behindProxy) this.#awaitHeader(arrival);
    else this.#open(arrival);
    this.#evictOldest();
  }

  /** Takes a place among all sockets, until it closes, and one among the newcomers, whose release is returned. */
  #takePlaces({ raw, address }: Arrival): (() => void) | undefined {
    const releaseSocket = this.#deps.sockets.acquire(address);
    if (releaseSocket === undefined) return undefined;
    raw.once('close', releaseSocket);
    return this.#deps.newcomers.acquire(address);
  }

  #takeReserve(arrival: Arrival): boolean {
    if (this.#overLimit >= Math.ceil(this.#deps.sockets.max * OVER_LIMIT_RESERVE)) {
      this.#hint('warn', 'reserve', arrival, 'too many connections: closed unseen');
      arrival.raw.destroy();
      return false;
    }
    this.#overLimit += 1;
    arrival.raw.once('close', () => (this.#overLimit -= 1));
    return true;
  }

  #evictOldest(): void {
    if (this.#undecided.size <= this.#limits.maxUndecided) return;
    const [oldest] = this.#undecided.values();
    if (oldest === undefined) return;
    this.#hint('warn', 'evicted', oldest, 'too many connections stall before they say what they speak: oldest closed');
    this.#close(oldest);
  }

  #closed(arrival: Arrival): void {
    this.#sockets.delete(arrival.raw);
    arrival.release();
    clearTimeout(arrival.timer);
    if (this.#forget(arrival)) this.#deps.log.debug(arrival.fields(), 'client left before its protocol was known');
  }

  /** Ends a connection that no handler has taken. */
  #close(arrival: Arrival): void {
    this.#forget(arrival);
    arrival.raw.destroy();
  }

  /** Ends the phase that this class watches; false when it had ended before. */
  #forget(arrival: Arrival): boolean {
    clearTimeout(arrival.timer);
    arrival.opening?.stop();
    arrival.opening = undefined;
    return this.#undecided.delete(arrival.raw);
  }

  #arm(arrival: Arrival, ms: number, expired: () => void): void {
    clearTimeout(arrival.timer);
    arrival.timer = setTimeout(expired, arrival.overLimit ? Math.min(ms, this.#limits.overLimitMs) : ms);
  }

  /** Whoever stalls longest goes first, and this one has just moved on. */
  #progressed(arrival: Arrival): void {
    this.#undecided.delete(arrival.raw);
    this.#undecided.set(arrival.raw, arrival);
  }

  #read(arrival: Arrival, what: string, look: Look, done: () => void): void {
    arrival.opening = new Opening(arrival.stream, look, {
      done,
      failed: (error) => this.#malformed(arrival, what, error),
      ended: () => this.#close(arrival),
    });
  }

  // The PROXY protocol ----------------------------------------------------------------------------------------------

  #shutOut(arrival: Arrival): void {
    const code = 'PROXY_UNTRUSTED';
    const hint = 'closed: this port is only for proxies that trustedProxies lists, and this address is not among them';
    this.#hint('info', code, arrival, hint, { code });
    arrival.raw.destroy();
  }

  #awaitHeader(arrival: Arrival): void {
    let header: ProxyHeader | undefined;
    const look = (bytes: Buffer): number | undefined => {
      const found = readProxyHeader(bytes);
      if ('need' in found) return found.need;
      header = found;
      return undefined;
    };
    this.#arm(arrival, this.#limits.sniffMs, () => this.#headerStalled(arrival));
    this.#read(arrival, 'PROXY protocol header refused', look, () => header && this.#introduced(arrival, header));
  }

  #headerStalled(arrival: Arrival): void {
    // Balancers check health by connecting, and Amazon's keep their header back until the client has spoken.
    if ((arrival.opening?.received ?? 0) === 0) return this.#silent(arrival);
    const code = 'PROXY_INCOMPLETE';
    this.#hint('info', code, arrival, 'PROXY protocol header refused: it began and did not end in time', { code });
    this.#close(arrival);
  }

  #introduced(arrival: Arrival, { length, client }: ProxyHeader): void {
    // It may have been evicted or reset since the bytes were put back.
    if (!this.#undecided.has(arrival.raw)) return;
    arrival.raw.read(length);
    if (client) arrival.introduce(client);
    if (client && !arrival.overLimit && !this.#moveToNewcomers(arrival)) return this.#close(arrival);
    this.#progressed(arrival);
    this.#open(arrival);
  }

  /** Counts it for its own address instead of the proxy's; false when there is not even room to refuse it. */
  #moveToNewcomers(arrival: Arrival): boolean {
    arrival.release();
    arrival.settle(this.#deps.newcomers.acquire(arrival.address));
    return !arrival.overLimit || this.#takeReserve(arrival);
  }

  // Telling the protocol --------------------------------------------------------------------------------------------

  #open(arrival: Arrival): void {
    this.#arm(arrival, this.#limits.sniffMs, () => this.#silent(arrival));
    const look = (bytes: Buffer): number | undefined => this.#look(arrival, bytes);
    this.#read(arrival, 'TLS handshake failed', look, () => this.#dispatch(arrival));
  }

  /** How many bytes it takes to go on, or undefined when `arrival.admission` says where to. */
  #look(arrival: Arrival, bytes: Buffer): number | undefined {
    if (arrival.admission === undefined) {
      const first = sniff(bytes);
      if (first === undefined) return bytes.length + 1;
      arrival.admission = admit(first, arrival.secure, this.#rules);
      if (arrival.admission.to === 'tls') this.#handshakeBegins(arrival);
    }
    if (arrival.admission.to !== 'tls') return undefined;
    const hello = readClientHello(bytes);
    if ('need' in hello) return hello.need;
    arrival.hello = hello;
    return undefined;
  }

  #silent(arrival: Arrival): void {
    this.#deps.log.debug(arrival.fields(), 'client did not say what it speaks in time');
    this.#close(arrival);
  }

  #malformed(arrival: Arrival, what: string, error: unknown): void {
    this.#close(arrival);
    if (!(error instanceof ProtocolError)) {
      return this.#deps.log.error({ ...arrival.fields(), err: error }, 'telling a protocol failed');
    }
    const level = error instanceof LimitError ? 'warn' : 'info';
    this.#hint(level, error.code, arrival, `${what}: ${error.message}`, { code: error.code });
  }

  #dispatch(arrival: Arrival): void {
    const { admission } = arrival;
    // The connection may have been evicted or reset since the bytes were put back.
    if (admission === undefined || !this.#undecided.has(arrival.raw)) return;
    if (admission.to === 'tls') return this.#startTls(arrival);
    this.#forget(arrival);
    if (admission.to === 'nobody') this.#refuse(arrival, admission);
    else if (arrival.overLimit) this.#turnAway(arrival, admission.to === 'http');
    else if (admission.to === 'rtmp') this.#handToRtmp(arrival);
    else this.#handToHttp(arrival, admission);
  }

  // TLS -------------------------------------------------------------------------------------------------------------

  #handshakeBegins(arrival: Arrival): void {
    this.#arm(arrival, this.#limits.tlsMs, () => this.#handshakes.do(() => this.#handshakeStalled(arrival)));
    this.#progressed(arrival);
  }

  #startTls(arrival: Arrival): void {
    arrival.opening = undefined;
    // Nobody who ends one side within a handshake will finish it; half-open, Node would wait for the deadline.
    arrival.raw.allowHalfOpen = false;
    this.#handshakes.do(() => {
      if (arrival.hello && this.#undecided.has(arrival.raw)) this.#tls?.secure(arrival.raw, arrival.hello);
    });
  }

  #secured(raw: Socket, stream: TLSSocket, identity: ClientIdentity | undefined): void {
    const arrival = this.#undecided.get(raw);
    if (arrival === undefined) return void stream.destroy();
    stream.allowHalfOpen = true;
    arrival.stream = stream;
    arrival.secure = true;
    arrival.identity = identity;
    arrival.admission = undefined;
    this.#progressed(arrival);
    this.#open(arrival);
  }

  #handshakeFailed(raw: Socket, error: Error): void {
    const arrival = this.#undecided.get(raw);
    if (arrival === undefined) return;
    this.#close(arrival);
    const code = failureCode(error);
    if (isDeparture(error))
      return this.#deps.log.debug({ ...arrival.fields(), code }, 'client left during TLS handshake');
    this.#hint('info', code, arrival, `TLS handshake failed: ${describeTlsFailure(error)}`, { code });
  }

  #handshakeStalled(arrival: Arrival): void {
    if (!this.#undecided.has(arrival.raw)) return;
    this.#close(arrival);
    const code = 'ERR_TLS_HANDSHAKE_TIMEOUT';
    this.#hint('info', code, arrival, 'TLS handshake failed: the client did not finish it in time', { code });
  }

  // Handing over ----------------------------------------------------------------------------------------------------

  #handToRtmp(arrival: Arrival): void {
    const { raw, stream, address, port, id, secure, identity } = arrival;
    const releaseClient = this.#deps.clients.acquire(address);
    if (releaseClient === undefined) return this.#turnAway(arrival, false);
    raw.once('close', releaseClient);
    arrival.release();
    const scheme = secure ? 'rtmps' : 'rtmp';
    this.#handOver(arrival, () =>
      this.#deps.rtmp(stream, { scheme, secure, address, port, id, ...(identity && { identity }) }),
    );
  }

  #handToHttp(arrival: Arrival, { tunnel, web }: Admission & { readonly to: 'http' }): void {
    const { stream, address, port, id, secure, identity, release } = arrival;
    const trusted = this.#deps.trusted(address);
    const client = {
      id,
      address,
      port,
      secure,
      trusted,
      tunnel,
      web,
      validRequest: release,
      ...(identity && { identity }),
    };
    this.#handOver(arrival, () => this.#deps.http(stream, client));
  }

  /** A handler that throws is a bug of ours; it may cost this connection, not the process. */
  #handOver(arrival: Arrival, handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.#deps.log.error({ ...arrival.fields(), err: error }, 'a connection handler failed');
      arrival.raw.destroy();
    }
  }

  #turnAway(arrival: Arrival, speaksHttp: boolean): void {
    this.#hint('warn', 'limit', arrival, 'too many connections, in all or from this address: client turned away');
    if (speaksHttp) this.#answerAndClose(arrival, HTTP_REFUSALS.overLimit);
    else arrival.raw.destroy();
  }

  #refuse(arrival: Arrival, { hint, kind }: Admission & { readonly to: 'nobody' }): void {
    this.#hint('info', `${kind} ${String(arrival.secure)}`, arrival, hint);
    if (kind === 'http') this.#answerAndClose(arrival, HTTP_REFUSALS.notHere);
    else arrival.raw.destroy();
  }

  #answerAndClose(arrival: Arrival, answer: string): void {
    this.#arm(arrival, this.#limits.lingerMs, () => arrival.raw.destroy());
    refuseHttp(arrival.stream, answer);
  }

  // Telling people --------------------------------------------------------------------------------------------------

  #hint(level: 'info' | 'warn', kind: string, arrival: Arrival, message: string, more: object = {}): void {
    this.#hints.tell(level, kind, { ...arrival.fields(), ...more }, message, performance.now());
  }

  #acceptFailed(error: Error): void {
    const code = failureCode(error);
    this.#hints.tell(
      'warn',
      'accept',
      { code },
      `a connection could not be accepted: ${error.message}`,
      performance.now(),
    );
  }
}
