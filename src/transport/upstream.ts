import type { Duplex } from 'node:stream';
import type { Log } from '../log.ts';
import type { Candidate } from './balance.ts';
import type { PeerDial } from './crossing.ts';
import { plainReason } from './plain-reason.ts';

/** One server as the configuration names it. */
export interface UpstreamServer {
  /** Scheme, host and port, for logs: never a password. */
  readonly name: string;
  readonly weight: number;
  readonly dial: PeerDial;
}

/** When a server that failed is tried again. All times in milliseconds. */
export interface RecoveryOptions {
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
}

/** What a server's end of a bridge has in common with a socket, as far as it is known. */
type Counted = Duplex & { readonly bytesRead?: number };

/** How far a wait is from what it ought to be: a quarter, either way, so that many gateways do not knock at once. */
const JITTER = 0.25;

/** What is known of one upstream: whether it lives, what it carries, and when it is asked again. No timers. */
export class Upstream implements Candidate {
  readonly name: string;
  readonly weight: number;
  readonly dial: PeerDial;
  chosenAt = 0;
  /** Connections made, ever. */
  total = 0;
  /** Connects that are under way. */
  dialling = 0;
  readonly #recovery: RecoveryOptions;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #streams = new Set<Counted>();
  #failures = 0;
  #downSince = 0;
  #isReachable = true;
  #bytesOfClosed = 0;
  #bytesSeen = 0;

  constructor(server: UpstreamServer, recovery: RecoveryOptions, random: () => number, log: Log) {
    this.name = server.name;
    this.weight = server.weight;
    this.dial = server.dial;
    this.#recovery = recovery;
    this.#random = random;
    this.#log = log;
  }

  get connections(): number {
    return this.#streams.size;
  }

  get load(): number {
    return this.#streams.size + this.dialling;
  }

  get isUp(): boolean {
    return this.#failures === 0;
  }

  /** Whether a client may try it: a server that is down and cannot even be connected to may have come back meanwhile. */
  get isWorthTrying(): boolean {
    return this.isUp || !this.#isReachable;
  }

  /** Counts a connection for as long as it is open; `mute` is told when it closed without a word from the server. */
  carry(stream: Counted, mute: () => void): void {
    this.total += 1;
    this.#streams.add(stream);
    stream.once('close', () => {
      this.#streams.delete(stream);
      this.#bytesOfClosed += stream.bytesRead ?? 0;
      if (stream.bytesRead === 0) mute();
    });
  }

  /** Whether its servers' clients have heard anything of it since the last call: then nobody needs to ask it. */
  hasSpoken(): boolean {
    let bytes = this.#bytesOfClosed;
    for (const stream of this.#streams) bytes += stream.bytesRead ?? 0;
    const spoke = bytes !== this.#bytesSeen;
    this.#bytesSeen = bytes;
    return spoke;
  }

  /** A client's connect failed. Counts once: how often clients come says nothing about the server. */
  refused(error: unknown, now: number): void {
    if (this.isUp) this.#fell(error, false, now);
  }

  /** Nobody speaks RTMP there, or nobody is there; asked by us. */
  failedProbe(error: unknown, isReachable: boolean, now: number): void {
    if (this.isUp) return this.#fell(error, isReachable, now);
    this.#failures += 1;
    this.#isReachable = isReachable;
    this.#log.debug({ upstream: this.name }, `upstream ${this.name} is still down: ${plainReason(error)}`);
  }

  /** It was reached: by a client, if connecting was what failed, or by a probe. */
  reached(now: number): void {
    if (this.isUp) return;
    this.#failures = 0;
    this.#isReachable = true;
    this.#log.info({ upstream: this.name }, `upstream ${this.name} is back after ${seconds(now - this.#downSince)}`);
  }

  /** How long until it is asked again, longer with each failure. */
  retryMs(): number {
    const { firstRetryMs, maxRetryMs } = this.#recovery;
    return this.spread(Math.min(maxRetryMs, firstRetryMs * 2 ** Math.max(0, this.#failures - 1)));
  }

  /** A time around `ms`. */
  spread(ms: number): number {
    return ms * (1 + JITTER * (2 * this.#random() - 1));
  }

  #fell(error: unknown, isReachable: boolean, now: number): void {
    this.#failures = 1;
    this.#downSince = now;
    this.#isReachable = isReachable;
    const { code } = error as { readonly code?: string };
    const fields = { upstream: this.name, ...(code !== undefined && { code }) };
    const again = seconds(this.#recovery.firstRetryMs);
    this.#log.warn(fields, `upstream ${this.name} is down: ${plainReason(error)}; trying again in ${again}`);
  }
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1000))} s`;
}
