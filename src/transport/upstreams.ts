import type { Duplex } from 'node:stream';
import { TransportError } from '../errors.ts';
import type { Log } from '../log.ts';
import { byHash, byLoad, type Balance } from './balance.ts';
import type { PeerDial } from './crossing.ts';
import type { Peer } from './link.ts';
import { Upstream, type RecoveryOptions, type UpstreamServer } from './upstream.ts';

export interface UpstreamsOptions extends RecoveryOptions {
  readonly balance: Balance;
  /** Until a client has a connection, all tries together; also for a probe. Milliseconds, as all of these. */
  readonly connectTimeoutMs: number;
  /** How often a server is asked whether it lives. */
  readonly probeMs: number;
}

export const UPSTREAM_DEFAULTS: UpstreamsOptions = Object.freeze({
  balance: 'least-connections',
  // HAProxy's usual `timeout connect`: two lost SYNs (1 s and 3 s later) are survived.
  connectTimeoutMs: 5_000,
  // HAProxy checks every 2 s, AWS every 30 s. Only servers that clients heard nothing of are asked.
  probeMs: 10_000,
  firstRetryMs: 1_000,
  // A server that is away for long is asked twice a minute; clients that find no other try it all the same.
  maxRetryMs: 30_000,
});

export interface UpstreamsDependencies {
  readonly log: Log;
  /** Resolves when somebody at the other end of `stream` answers as an RTMP server does; rejects when not. */
  readonly probe: (stream: Duplex, signal: AbortSignal) => Promise<void>;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** 0 to 1. */
  readonly random?: () => number;
}

/** What one server carries. */
export interface UpstreamCounts {
  readonly name: string;
  readonly isUp: boolean;
  readonly connections: number;
  /** Connections made, ever. */
  readonly total: number;
}

/** A try with others left to come gets no less: one lost SYN is sent again after 1 s. */
const LEAST_TRY_MS = 1_500;

/** A server that closed a connection without a word is asked at once, but no more often than this. */
const SUSPICION_MS = 2_000;

/**
 * A pool of RTMP servers behind one dial. A server that cannot be reached is passed over, and its client gets the next
 * one within the same connect time-out. Servers are asked whether they live (a connection and RTMP's handshake): those
 * that are down, ever more rarely, and they come back only by an answer; those that are up only while clients hear
 * nothing of them, which is how a server that accepts but hangs is found before the next client meets it.
 */
export class Upstreams {
  readonly #upstreams: readonly Upstream[];
  readonly #options: UpstreamsOptions;
  readonly #deps: UpstreamsDependencies;
  readonly #now: () => number;
  readonly #timers = new Map<Upstream, NodeJS.Timeout>();
  readonly #probedAt = new Map<Upstream, number>();
  readonly #stopped = new AbortController();
  #choices = 0;

  constructor(servers: readonly UpstreamServer[], options: Partial<UpstreamsOptions>, deps: UpstreamsDependencies) {
    this.#options = Object.freeze({ ...UPSTREAM_DEFAULTS, ...options });
    this.#deps = deps;
    this.#now = deps.now ?? (() => performance.now());
    const random = deps.random ?? Math.random;
    this.#upstreams = servers.map((server) => new Upstream(server, this.#options, random, deps.log));
  }

  /** False when there is nobody left to try. */
  get isAvailable(): boolean {
    return this.#upstreams.some((upstream) => upstream.isWorthTrying);
  }

  counts(): UpstreamCounts[] {
    return this.#upstreams.map(({ name, isUp, connections, total }) => ({ name, isUp, connections, total }));
  }

  /** Asks everybody once, and from then on again and again. */
  start(): void {
    for (const upstream of this.#upstreams) void this.#probe(upstream);
  }

  stop(): void {
    this.#stopped.abort(new TransportError('CONNECTION_CLOSED', 'the gateway is stopping'));
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** A connection to the server whose turn it is. Rejects with `TransportError` (`NO_UPSTREAM`) when none can be had. */
  readonly dial: PeerDial = (signal, peer) => {
    const order = this.#options.balance === 'first-available' ? this.#upstreams : byLoad(this.#upstreams);
    return this.#dialFirst(order, signal, peer);
  };

  /** A connection to the server that `key` belongs to. */
  dialFor(key: string): PeerDial {
    return (signal, peer) => this.#dialFirst(byHash(this.#upstreams, key), signal, peer);
  }

  // Clients ---------------------------------------------------------------------------------------------------------

  async #dialFirst(order: readonly Upstream[], signal: AbortSignal, peer: Peer | undefined): Promise<Duplex> {
    const up = order.filter(({ isUp }) => isUp);
    // Those that are down come last: to wait for our next question would make an outage longer than it is.
    const candidates = [...up, ...order.filter(({ isUp, isWorthTrying }) => !isUp && isWorthTrying)];
    const deadline = this.#now() + this.#options.connectTimeoutMs;
    let cause: unknown;
    for (const [index, upstream] of candidates.entries()) {
      const left = deadline - this.#now();
      if (left <= 0) break;
      try {
        const limit = Math.max(left / (candidates.length - index), Math.min(left, LEAST_TRY_MS));
        return await this.#dialOne(upstream, limit, signal, peer);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        cause = error;
      }
    }
    throw new TransportError('NO_UPSTREAM', 'no upstream server can be reached', { cause });
  }

  async #dialOne(upstream: Upstream, limitMs: number, signal: AbortSignal, peer?: Peer): Promise<Duplex> {
    upstream.chosenAt = ++this.#choices;
    upstream.dialling += 1;
    try {
      const stream = await this.#within(limitMs, signal, (own) => upstream.dial(own, peer));
      upstream.carry(stream, () => this.#suspect(upstream));
      upstream.reached(this.#now());
      this.#deps.log.info({ peer: peer?.id, upstream: upstream.name }, 'bridged');
      return stream;
    } catch (error) {
      if (!signal.aborted) this.#refused(upstream, error);
      throw error;
    } finally {
      upstream.dialling -= 1;
    }
  }

  #refused(upstream: Upstream, error: unknown): void {
    if (!upstream.isUp) return;
    upstream.refused(error, this.#now());
    this.#schedule(upstream);
  }

  /** Runs `step` with a signal of its own, which is aborted with `signal`'s or when the time is up. */
  async #within<T>(limitMs: number, signal: AbortSignal, step: (own: AbortSignal) => Promise<T>): Promise<T> {
    const own = new AbortController();
    const abort = (): void => own.abort(signal.reason);
    const late = new TransportError('CONNECT_TIMEOUT', 'no answer');
    const timer = setTimeout(() => own.abort(late), limitMs);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      return await step(own.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  // Asking whether they live ----------------------------------------------------------------------------------------

  #schedule(upstream: Upstream, waitMs?: number): void {
    clearTimeout(this.#timers.get(upstream));
    if (this.#stopped.signal.aborted) return;
    const { probeMs } = this.#options;
    const wait = waitMs ?? (upstream.isUp ? upstream.spread(probeMs) : upstream.retryMs());
    this.#timers.set(
      upstream,
      setTimeout(() => void this.#ask(upstream), wait),
    );
  }

  async #ask(upstream: Upstream): Promise<void> {
    if (upstream.hasSpoken() && upstream.isUp) this.#schedule(upstream);
    else await this.#probe(upstream);
  }

  async #probe(upstream: Upstream): Promise<void> {
    this.#probedAt.set(upstream, this.#now());
    let isReachable = false;
    try {
      await this.#within(this.#options.connectTimeoutMs, this.#stopped.signal, async (signal) => {
        const stream = await upstream.dial(signal);
        isReachable = true;
        stream.on('error', () => {});
        await this.#deps.probe(stream, signal).finally(() => stream.destroy());
      });
      upstream.reached(this.#now());
    } catch (error) {
      if (!this.#stopped.signal.aborted) upstream.failedProbe(error, isReachable, this.#now());
    }
    this.#schedule(upstream);
  }

  /** It took a client and never said a word. That may be the client's doing, hence the question. */
  #suspect(upstream: Upstream): void {
    if (!upstream.isUp) return;
    const since = this.#now() - (this.#probedAt.get(upstream) ?? -Infinity);
    this.#schedule(upstream, Math.max(0, SUSPICION_MS - since));
  }
}
