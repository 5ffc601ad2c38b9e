import { randomBytes } from 'node:crypto';
import { LimitError, ProtocolError, UsageError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ClientIdentity } from '../client-identity.ts';
import { forwardedClient } from '../forwarded.ts';
import type { ForwardedFields } from '../forwarded.ts';
import { Hints } from '../hints.ts';
import { peerFields, type Handler, type Peer } from '../link.ts';
import { nextPeerId } from '../peer-id.ts';
import { Memory } from './memory.ts';
import type { Target } from './paths.ts';
import { Post } from './post.ts';
import type { Engine, PostHead } from './post.ts';
import type { RefusalStatus, Status } from './reply.ts';
import { createSessionId, MAX_ID_LENGTH } from './session-id.ts';
import { Tunnel } from './tunnel.ts';
import type { TunnelHost } from './tunnel.ts';
import { TUNNEL_DEFAULTS, restMs } from './tunnel-options.ts';
import type { TunnelOptions } from './tunnel-options.ts';
import { Wheel } from './wheel.ts';
import type { Sleeper } from './wheel.ts';

/** Who is at the other end of an HTTP connection. */
export interface HttpPeer {
  readonly address: string;
  readonly port: number;
  readonly secure: boolean;
  /** A proxy whose word about other addresses counts. */
  readonly trusted: boolean;
  /** Who it is by its certificate. A proxy's is not its clients'. */
  readonly identity?: ClientIdentity;
}

/** Gives out places for sessions, per client address and in all. */
export interface ClientPlaces {
  /** Takes a place and returns what gives it back, or undefined when there is none left for this address. */
  acquire(address: string): (() => void) | undefined;
}

export interface TunnelDependencies {
  readonly handler: Handler;
  readonly log: Log;
  readonly clients: ClientPlaces;
  /** Whose word about other addresses counts, where a proxy names further proxies. */
  readonly isTrusted?: (address: string) => boolean;
  readonly random?: (bytes: number) => Buffer;
}

/** A request's head, whoever parsed it. */
export interface TunnelRequest {
  readonly method: string;
  readonly target: Target;
  /** Undefined: no `Content-Length`; Infinity: a chunked body. */
  readonly length: number | undefined;
  readonly persistent: boolean;
  /** Asked only when a session is opened. */
  forwarded(): ForwardedFields & { readonly proto?: string | undefined };
}

/** An answer that is known at once. */
export interface Fixed {
  readonly status: Status;
  readonly persistent: boolean;
  readonly body: string;
}

/** Something of an engine that has answers to write: called once a turn, after everything that was read. */
export interface Flushable {
  flush(now: number): void;
  destroy(): void;
}

/** Connections that end when the room is closed. */
export interface Stoppable {
  /** Close, after the answers to what is under way. */
  stop(): void;
  destroy(): void;
}

/**
 * How long a client may say nothing while the gateway stops. Whoever polls does so twice a second or more often; this
 * leaves time for a new connection. Whoever has left without a word would keep the last words here for `idleTimeoutMs`.
 */
const FAREWELL_MS = 2_000;

/**
 * The open tunnels: their ids, their number, their time-outs; and one place where a request becomes an answer, whichever
 * of the two HTTP engines parsed it. Owns the one timer that everything in this directory sleeps by.
 */
export class Tunnels implements TunnelHost {
  readonly options: TunnelOptions;
  readonly memory: Memory;
  /** How long a connection may rest between two requests. */
  readonly restMs: number;
  readonly #deps: TunnelDependencies;
  readonly #log: Log;
  readonly #hints: Hints;
  readonly #byId = new Map<string, Tunnel>();
  /** Sessions that count, with what gives their places back. */
  readonly #open = new Map<Tunnel, () => void>();
  readonly #connections = new Set<Stoppable>();
  readonly #wheel: Wheel;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #due: Flushable[] = [];
  #isDraining = false;
  #isStopped = false;
  #changed: (() => void) | undefined;

  constructor(options: Partial<TunnelOptions>, deps: TunnelDependencies) {
    this.options = Object.freeze({ ...TUNNEL_DEFAULTS, ...options });
    if (!/^[A-Za-z0-9]{0,9}$/.test(this.options.nodeTag))
      throw new UsageError('BAD_NODE_TAG', 'a node tag has at most 9 letters and digits');
    this.memory = new Memory(this.options.maxMemoryBytes);
    this.restMs = restMs(this.options);
    this.#deps = deps;
    this.#log = deps.log;
    this.#hints = new Hints(deps.log);
    this.#wheel = new Wheel(this.now());
  }

  /** Open sessions. */
  get count(): number {
    return this.#open.size;
  }

  now(): number {
    return performance.now();
  }

  /** No new session from now on (503). Those that have been used live on for as long as their clients keep asking. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    const now = this.now();
    for (const tunnel of this.#open.keys()) tunnel.hurry(FAREWELL_MS, now);
  }

  /** Drains; resolves when the last session and then the last connection is gone. */
  async stop(): Promise<void> {
    this.drain();
    await this.#until(() => this.#open.size === 0);
    this.#isStopped = true;
    for (const connection of this.#connections) connection.stop();
    await this.#until(() => this.#connections.size === 0);
    for (const tunnel of this.#byId.values()) tunnel.tick(Infinity);
  }

  /** Ends every session and every connection at once. */
  destroy(): void {
    this.drain();
    this.#isStopped = true;
    for (const tunnel of this.#open.keys()) tunnel.destroy();
    for (const connection of this.#connections) connection.destroy();
  }

  // Requests --------------------------------------------------------------------------------------------------------

  /** Takes a request: either its answer is known at once, or it is a post that will be answered in time. */
  receive(request: TunnelRequest, peer: HttpPeer, engine: Engine): Post | Fixed {
    const { target, length } = request;
    const { command } = target;
    if (request.method !== 'POST' && !(request.method === 'GET' && isIdent(target))) return refusal(405);
    if (command === 'bad') return refusal(400);
    if (length !== undefined && length !== Infinity && length > this.options.maxBodyBytes) return refusal(413);
    if (command === 'send' || command === 'idle') return this.#post(command, request, engine);
    if (command === 'open') return this.#openSession(request, peer);
    if (command === 'close') return this.#closeSession(request);
    return this.#ident(request);
  }

  #post(kind: 'send' | 'idle', { target, length, persistent }: TunnelRequest, engine: Engine): Post | Fixed {
    if (length === undefined) return refusal(411);
    const tunnel = this.#find(target.id);
    if (tunnel === undefined) return refusal(404);
    const now = this.now();
    const head: PostHead = { kind, number: target.number, length, persistent };
    const post = new Post(tunnel, head, engine, now);
    return tunnel.arrive(post, now) ? post : refusal(503);
  }

  #find(id: string): Tunnel | undefined {
    return id.length <= MAX_ID_LENGTH ? this.#byId.get(id) : undefined;
  }

  #ident({ target, persistent }: TunnelRequest): Fixed {
    const status = target.command === 'ident2' ? this.options.ident2 : 404;
    return { status, persistent, body: '' };
  }

  #closeSession({ target, persistent }: TunnelRequest): Fixed {
    const tunnel = this.#find(target.id);
    if (tunnel === undefined) return refusal(404);
    tunnel.close();
    return { status: 200, persistent, body: '\0' };
  }

  #openSession(request: TunnelRequest, httpPeer: HttpPeer): Fixed {
    let peer: Peer;
    try {
      peer = this.#peerOf(request, httpPeer);
    } catch (fault) {
      if (!(fault instanceof ProtocolError)) throw fault;
      this.complain(fault, httpPeer.address);
      return refusal(400);
    }
    const why = this.#whyNot();
    if (why !== undefined) return this.#refuseOpen(peer, why);
    const release = this.#deps.clients.acquire(peer.address);
    if (release === undefined) return this.#refuseOpen(peer, 'its address has as many sessions as it may have');
    const id = this.#createId();
    const tunnel = new Tunnel(id, peer, this);
    this.#byId.set(id, tunnel);
    this.#open.set(tunnel, release);
    this.#log.debug(peerFields(peer), 'a tunnel was opened');
    return { status: 200, persistent: request.persistent, body: `${id}\n` };
  }

  #whyNot(): string | undefined {
    if (this.#isDraining) return 'the gateway is stopping';
    if (this.#open.size >= this.options.maxSessions) return 'there are as many sessions as there may be';
    return this.memory.isFull(1) ? 'the memory for tunnels is used up' : undefined;
  }

  #refuseOpen(peer: Peer, why: string): Fixed {
    this.#hint('warn', why, peer.address, `no tunnel was opened: ${why}`);
    return refusal(503);
  }

  #peerOf(request: TunnelRequest, { address, port, secure, trusted, identity }: HttpPeer): Peer {
    const fields = trusted ? request.forwarded() : {};
    const client = forwardedClient(fields, this.#deps.isTrusted ?? (() => false));
    const isSecure = fields.proto === undefined ? secure : /^\s*(https|wss)\s*(,|$)/i.test(fields.proto);
    return {
      scheme: isSecure ? 'rtmpts' : 'rtmpt',
      secure: isSecure,
      address: client ?? address,
      // The port belongs to the connection that we see; a proxy does not tell the client's.
      port: client === undefined ? port : 0,
      id: nextPeerId('t'),
      ...(identity !== undefined && client === undefined && { identity }),
    };
  }

  #createId(): string {
    const random = this.#deps.random ?? randomBytes;
    for (;;) {
      const id = createSessionId(this.options.nodeTag, random);
      if (!this.#byId.has(id)) return id;
    }
  }

  /** Somebody's HTTP was refused: told, but never in floods. */
  complain(fault: ProtocolError, address: string): void {
    this.#hint(fault instanceof LimitError ? 'warn' : 'info', fault.code, address, fault.message, fault.code);
  }

  #hint(level: 'info' | 'warn', kind: string, address: string, message: string, code?: string): void {
    this.#hints.tell(level, kind, { address, ...(code !== undefined && { code }) }, message, this.now());
  }

  // What tunnels ask for --------------------------------------------------------------------------------------------

  start(tunnel: Tunnel): void {
    try {
      this.#deps.handler(tunnel, tunnel.peer);
    } catch (fault) {
      this.#log.error({ peer: tunnel.peer.id, err: fault }, 'the handler of a tunnel failed');
      tunnel.destroy(fault instanceof Error ? fault : undefined);
    }
  }

  ended(tunnel: Tunnel, fault: Error | undefined): void {
    const release = this.#open.get(tunnel);
    if (release === undefined) return;
    this.#open.delete(tunnel);
    release();
    this.#logEnd(tunnel, fault);
    this.#changed?.();
  }

  forget(tunnel: Tunnel): void {
    this.#byId.delete(tunnel.id);
  }

  /** Whoever spoke with it tells the same in better words, but for a limit of ours; of an unused one nobody else knows. */
  #logEnd({ peer, traffic }: Tunnel, fault: Error | undefined): void {
    const { in: bytesIn, out: bytesOut } = traffic;
    const who = { ...peerFields(peer), bytesIn, bytesOut };
    if (fault === undefined) return this.#log.debug(who, 'a tunnel ended');
    const fields = { ...who, ...('code' in fault && { code: fault.code }) };
    if (fault instanceof LimitError) return this.#log.warn(fields, `a tunnel was ended: ${fault.message}`);
    if (bytesIn > 0) return this.#log.debug(fields, `a tunnel was ended: ${fault.message}`);
    this.#hints.tell('info', 'unused', fields, `a tunnel was opened and never used: ${fault.message}`, this.now());
  }

  // Time ------------------------------------------------------------------------------------------------------------

  schedule(sleeper: Sleeper, at: number): void {
    this.#wheel.schedule(sleeper, at);
    if (at < this.#timerAt) this.#arm();
  }

  cancel(sleeper: Sleeper): void {
    this.#wheel.cancel(sleeper);
  }

  #arm(): void {
    const at = this.#wheel.next() ?? Infinity;
    if (at === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === Infinity) return;
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, Math.ceil(at - this.now())));
  }

  #tick(): void {
    this.#timerAt = Infinity;
    this.#wheel.advance(this.now());
    this.#arm();
  }

  // Turns -----------------------------------------------------------------------------------------------------------

  /**
   * Calls `flush` once, after everything that this turn of the event loop has read. Never between two reads: an answer
   * written while a reset is pending fails, and throws away what was received but not yet read (measured).
   */
  flushLater(engine: Flushable): void {
    this.#due.push(engine);
    if (this.#due.length === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const due = this.#due;
    this.#due = [];
    const now = this.now();
    for (const engine of due) {
      try {
        engine.flush(now);
      } catch (fault) {
        // A mistake of ours ends one connection, not the turn of all the others.
        this.#log.error({ err: fault }, 'writing the answers of a connection failed');
        engine.destroy();
      }
    }
  };

  // Connections -----------------------------------------------------------------------------------------------------

  enter(connection: Stoppable): void {
    this.#connections.add(connection);
    if (this.#isStopped) connection.stop();
  }

  leave(connection: Stoppable): void {
    this.#connections.delete(connection);
    this.#changed?.();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#changed = resolve));
    this.#changed = undefined;
  }
}

function isIdent({ command }: Target): boolean {
  return command === 'ident' || command === 'ident2';
}

export function refusal(status: RefusalStatus): Fixed {
  return REFUSALS.get(status)!;
}

const REFUSALS: ReadonlyMap<RefusalStatus, Fixed> = new Map(
  ([400, 404, 405, 408, 411, 413, 431, 500, 503] as const).map((status) => [
    status,
    Object.freeze({ status, persistent: false, body: '' }),
  ]),
);
