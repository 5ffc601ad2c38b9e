import type { Log } from '../log.ts';
import { Crossing, type CrossingHost, type CrossingOptions, type PeerDial } from './crossing.ts';
import { Hints } from './hints.ts';
import type { Handler, Peer } from './link.ts';
import type { Gathering, Pipe } from './pipe.ts';

export interface BridgeOptions extends CrossingOptions {
  /** How long what goes down a tunnel may be gathered. */
  readonly gatherMs: number;
}

export const BRIDGE_DEFAULTS: BridgeOptions = Object.freeze({
  // As the built-in core ends players that take nothing. Publishers take nothing either, but they speak.
  drainTimeoutMs: 30_000,
  // nginx's `proxy_timeout` for streams. A server that pings speaks once a minute; some never do while a player waits.
  idleTimeoutMs: 600_000,
  // HAProxy's advice for `timeout client-fin`: whoever still wants to speak then does so at once.
  halfClosedTimeoutMs: 30_000,
  // RTMP's handshake in the time that the built-in core gives to it over a tunnel.
  firstWordTimeoutMs: 15_000,
  // What the built-in core gives: time for a last answer to cross any real path.
  lingerMs: 2_000,
  // A message of several segments arrives within it; a poll every 20 ms hardly notices. One less than 5, for timers are late.
  gatherMs: 4,
});

export interface BridgeDependencies {
  readonly dial: PeerDial;
  /** Takes RTMP and RTMPS clients when no way out works: everything they have said is still in the stream. */
  readonly whenDown: Handler;
  readonly log: Log;
}

/** How often bridged sessions are looked at; a time-out may come this much later. */
const SWEEP_MS = 1_000;

/**
 * Brings every client to an RTMP server elsewhere, byte by byte: nothing is parsed and nothing changed, so that any
 * handshake and any message passes. Nobody is dialled for before it has said its first byte.
 */
export class Bridge {
  readonly #host: CrossingHost;
  readonly #log: Log;
  readonly #crossings = new Set<Crossing>();
  #sweeper: NodeJS.Timeout | undefined;
  #emptied: (() => void) | undefined;

  constructor({ dial, whenDown, log }: BridgeDependencies, options: Partial<BridgeOptions> = {}) {
    const settings = Object.freeze({ ...BRIDGE_DEFAULTS, ...options });
    const hints = new Hints(log);
    this.#log = log;
    this.#host = {
      options: settings,
      dial,
      whenDown,
      thisTurn: new Together((flush) => setImmediate(flush)),
      shortly: new Together((flush) => setTimeout(flush, settings.gatherMs)),
      now: () => performance.now(),
      refused: (peer, fault) => this.#refused(hints, peer, fault),
      over: (crossing) => this.#over(crossing),
    };
  }

  /** Sessions, those that still dial included. */
  get count(): number {
    return this.#crossings.size;
  }

  readonly handle: Handler = (stream, peer) => {
    this.#crossings.add(new Crossing(stream, peer, this.#host, this.#log));
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS);
  };

  /** Ends every session politely; resolves when the last one is gone. */
  async stop(): Promise<void> {
    for (const crossing of this.#crossings) crossing.end();
    if (this.#crossings.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  /** Ends every session at once. */
  destroy(): void {
    for (const crossing of this.#crossings) crossing.destroy();
  }

  #sweep(): void {
    const now = performance.now();
    for (const crossing of this.#crossings) crossing.sweep(now);
  }

  #over(crossing: Crossing): void {
    this.#crossings.delete(crossing);
    if (this.#crossings.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    this.#emptied?.();
  }

  #refused(hints: Hints, peer: Peer, fault: Error): void {
    const fields = {
      peer: peer.id,
      address: peer.address,
      scheme: peer.scheme,
      code: (fault as { code?: string }).code,
    };
    hints.tell('warn', 'refused', fields, `client turned away: ${fault.message}`, performance.now());
  }
}

/** Flushes all marked pipes together: one timer, however many sessions there are. */
class Together implements Gathering {
  readonly #schedule: (flush: () => void) => void;
  #marked: Pipe[] = [];
  readonly #flush = (): void => {
    const due = this.#marked;
    this.#marked = [];
    for (const pipe of due) pipe.flush();
  };

  constructor(schedule: (flush: () => void) => void) {
    this.#schedule = schedule;
  }

  mark(pipe: Pipe): void {
    this.#marked.push(pipe);
    if (this.#marked.length === 1) this.#schedule(this.#flush);
  }
}
