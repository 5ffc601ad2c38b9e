import { randomBytes } from 'node:crypto';
import { GatewayError, TransportError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Attempt, Traffic } from './attempt.ts';
import { BackOff, kindOf, type BackOffOptions, type FaultKind } from './back-off.ts';

/** What a relay is doing at present. `waiting`: until it tries again. */
export type RelayState = 'connecting' | 'live' | 'waiting' | 'ended';

/** Why an attempt failed. */
export interface RelayFault {
  readonly kind: FaultKind;
  readonly code: string;
  readonly message: string;
  readonly agoMs: number;
}

/** One stream's relay to or from another server, for people and programs. No keys in it. */
export interface RelayStatus {
  readonly state: RelayState;
  /** The other server. */
  readonly server: string;
  readonly liveMs: number | undefined;
  /** Connections tried, this one included. */
  readonly attempts: number;
  readonly retryInMs: number | undefined;
  /** Stays after a later attempt worked. */
  readonly lastError: RelayFault | undefined;
  readonly traffic: Traffic;
}

export interface RelayDependencies {
  readonly log: Log;
  readonly now: () => number;
}

/** How often a connection is looked at. */
const CHECK_MS = 1000;

/** Words for drops, so seldom: a server that is too slow drops something every second. */
const DROPS_TOLD_EVERY_MS = 10_000;

/** Keeps one relay alive: an attempt, a pause, another attempt, until it is stopped. The timers of this room are here. */
export class Relay {
  readonly #attempt: Attempt;
  readonly #backOff: BackOff;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  #state: RelayState = 'connecting';
  #attempts = 0;
  #liveSince: number | undefined = undefined;
  #retryAt: number | undefined = undefined;
  #lastError:
    { readonly at: number; readonly kind: FaultKind; readonly code: string; readonly message: string } | undefined;
  #failedInRound = 0;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  #release: NodeJS.Timeout | undefined = undefined;
  #wake: () => void = () => {};
  #dropsTold = 0;
  #dropsToldAt = -Infinity;

  constructor(attempt: Attempt, backOff: BackOffOptions, { log, now }: RelayDependencies) {
    this.#attempt = attempt;
    this.#backOff = new BackOff(backOff, random);
    this.#log = log;
    this.#now = now;
  }

  /** Begins once `before` is over: another relay's polite end, say, that holds the name over there. */
  start(before: Promise<unknown> = Promise.resolve()): void {
    this.#running = before.then(() => this.#run());
  }

  /** Ends politely, for good. Resolves when nothing is left. */
  async stop(): Promise<void> {
    if (this.#stopped) return this.#running;
    this.#halt();
    try {
      await this.#attempt.stop();
    } finally {
      this.#abort.abort(ended());
      await this.#running;
      this.#sayEnd();
    }
  }

  /** Ends at once. */
  destroy(): void {
    this.#halt();
    this.#abort.abort(ended());
    // There is nobody left to be polite to.
    this.#attempt.stop().catch(() => {});
  }

  /** Calls `action` in `ms` unless `keep` comes first. */
  release(ms: number, action: () => void): void {
    this.keep();
    if (!this.#stopped) this.#release = setTimeout(action, ms);
  }

  keep(): void {
    clearTimeout(this.#release);
  }

  status(): RelayStatus {
    const now = this.#now();
    const last = this.#lastError;
    return {
      state: this.#state,
      server: this.#attempt.shown,
      liveMs: this.#liveSince === undefined ? undefined : Math.round(now - this.#liveSince),
      attempts: this.#attempts,
      retryInMs: this.#retryAt === undefined ? undefined : Math.max(0, Math.round(this.#retryAt - now)),
      lastError: last && { kind: last.kind, code: last.code, message: last.message, agoMs: Math.round(now - last.at) },
      traffic: this.#attempt.traffic,
    };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#state = 'connecting';
      this.#attempts++;
      const server = this.#attempt.shown;
      const fault = await this.#tryOnce(server);
      const liveMs = this.#liveSince === undefined ? undefined : this.#now() - this.#liveSince;
      this.#liveSince = undefined;
      if (!this.#stopped) await this.#pause(fault, server, liveMs);
    }
    this.#state = 'ended';
  }

  async #tryOnce(server: string): Promise<unknown> {
    const checks = setInterval(() => this.#check(), CHECK_MS);
    try {
      return await this.#attempt.once(this.#abort.signal, () => this.#isLive(server));
    } catch (fault) {
      return fault;
    } finally {
      clearInterval(checks);
    }
  }

  #isLive(server: string): void {
    this.#state = 'live';
    this.#liveSince = this.#now();
    this.#log.info(
      { server },
      this.#attempts === 1 ? 'relaying' : `relaying, at the ${ordinal(this.#attempts)} attempt`,
    );
  }

  /** None between the servers of one round. */
  async #pause(fault: unknown, server: string, liveMs: number | undefined): Promise<void> {
    const kind = kindOf(fault);
    const isNews = this.#note(fault, kind);
    this.#failedInRound = liveMs === undefined ? this.#failedInRound + 1 : this.#attempt.choices;
    if (this.#failedInRound < this.#attempt.choices) {
      return this.#log.info({ server, ...codeField(fault) }, `relay failed: ${this.#lastError?.message}`);
    }
    this.#failedInRound = 0;
    const ms = this.#backOff.next(kind, liveMs ?? 0);
    const level = isNews || kind === 'refused' ? 'warn' : 'debug';
    const what = kind === 'refused' ? 'relay refused' : liveMs === undefined ? 'relay failed' : 'relay broke off';
    const again = `trying again in ${(ms / 1000).toFixed(1)} s`;
    this.#log[level]({ server, ...codeField(fault) }, `${what}: ${this.#lastError?.message}; ${again}`);
    await this.#sleep(ms);
  }

  /** Keeps what went wrong; whether it is something new. */
  #note(fault: unknown, kind: FaultKind): boolean {
    const { code = 'UNKNOWN' } = codeField(fault);
    const message = this.#attempt.hide(fault instanceof Error ? fault.message : String(fault));
    const isNews = this.#lastError?.message !== message || this.#backOff.failures <= 1;
    this.#lastError = { at: this.#now(), kind, code, message };
    if (isBug(fault)) this.#log.error({ err: fault }, 'a relay failed by a bug here');
    return isNews;
  }

  async #sleep(ms: number): Promise<void> {
    this.#state = 'waiting';
    this.#retryAt = this.#now() + ms;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
    this.#retryAt = undefined;
  }

  #check(): void {
    const now = this.#now();
    this.#attempt.check(now);
    const { dropped } = this.#attempt.traffic;
    if (dropped === this.#dropsTold || now - this.#dropsToldAt < DROPS_TOLD_EVERY_MS) return;
    const frames = dropped - this.#dropsTold;
    this.#log.warn(
      { server: this.#attempt.shown, frames },
      'the other server is too slow: frames dropped up to a keyframe',
    );
    this.#dropsTold = dropped;
    this.#dropsToldAt = now;
  }

  #halt(): void {
    this.#stopped = true;
    this.keep();
    this.#wake();
  }

  #sayEnd(): void {
    const { bytes, frames, dropped } = this.#attempt.traffic;
    this.#log.info({ server: this.#attempt.shown, bytes, frames, dropped }, 'relaying ended');
  }
}

function ended(): TransportError {
  return new TransportError('CONNECTION_CLOSED', 'the relay was ended');
}

function ordinal(count: number): string {
  const tens = count % 100;
  const suffix = tens > 10 && tens < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');
  return `${count}${suffix}`;
}

function codeField(fault: unknown): { readonly code?: string } {
  if (fault instanceof GatewayError) return { code: fault.code };
  const code = fault instanceof Error ? (fault as NodeJS.ErrnoException).code : undefined;
  return code === undefined ? {} : { code };
}

/** Neither one of our own errors nor one of the operating system's. */
function isBug(fault: unknown): boolean {
  return codeField(fault).code === undefined;
}

/** From 0 to 1, as Math.random: for jitter, which need not be secret. */
function random(): number {
  return Math.random();
}

/** By which a gateway knows itself: unique among all of them, new with each start. */
export function newGatewayId(): string {
  return randomBytes(9).toString('base64url');
}
