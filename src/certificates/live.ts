import { randomBytes } from 'node:crypto';
import type { Log } from '../log.ts';
import type { Certificate } from './certificate.ts';
import { findingsOf } from './findings.ts';
import { CertificateStore, signatureOf, type CertificateOptions } from './store.ts';
import { TICKET_DEFAULTS, TicketKeys, type TicketOptions } from './tickets.ts';

export interface LiveOptions extends CertificateOptions {
  readonly tickets?: TicketOptions;
}

export const LIVE_TIMES = Object.freeze({
  // Looking costs a stat of each file. It finds what no notification tells of: network file systems, bind mounts of
  // containers, links that were turned elsewhere.
  pollMs: 1_000,
  // Warnings of certificates that run out come again once a day: processes live longer than certificates.
  reportMs: 86_400_000,
  // The longest time that timers take; whoever rotates less often is asked again.
  maxTimerMs: 2 ** 31 - 1,
});

/**
 * The certificates of a process that lives longer than they do: reads them again when their files change, and changes
 * ticket keys in time. What is broken keeps what was there before.
 */
export class LiveCertificates {
  readonly #log: Log;
  #tickets: TicketKeys;
  readonly #listeners = new Set<() => void>();
  #options: LiveOptions;
  #store: CertificateStore;
  /** What the files looked like when they were read last, and when they were looked at last. */
  #read: string;
  #seen: string;
  #reportedAt: number;
  #poll: NodeJS.Timeout | undefined;
  #rotation: NodeJS.Timeout | undefined;
  #reloading: Promise<boolean> | undefined;

  private constructor(options: LiveOptions, store: CertificateStore, signature: string, log: Log) {
    this.#options = options;
    this.#store = store;
    this.#read = signature;
    this.#seen = signature;
    this.#log = log;
    this.#tickets = createTickets(options);
    this.#reportedAt = Date.now();
  }

  /** Reads everything once and tells what people should know of it. Throws `ConfigError`. */
  static async open(options: LiveOptions, log: Log): Promise<LiveCertificates> {
    const signature = await signatureOf(options);
    const store = await CertificateStore.open(options, log);
    for (const certificate of store.all) introduce(certificate, log);
    warn(store, log, new Date());
    return new LiveCertificates(options, store, signature, log);
  }

  get all(): readonly Certificate[] {
    return this.#store.all;
  }

  get fallback(): readonly Certificate[] {
    return this.#store.fallback;
  }

  choose(serverName: string): readonly Certificate[] {
    return this.#store.choose(serverName);
  }

  trust(path: string): string {
    return this.#store.trust(path);
  }

  /** What session tickets are sealed with now, in a realm: tickets of one realm mean nothing in another. */
  ticketKeys(realm: string): Buffer {
    return this.#tickets.keys(realm, Date.now());
  }

  /** Calls when certificates, trust or ticket keys have changed; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Watches the files and the clock until `close`. */
  watch(): void {
    this.#poll = setTimeout(() => void this.#look(), LIVE_TIMES.pollMs);
    this.#rotateLater();
  }

  close(): void {
    clearTimeout(this.#poll);
    clearTimeout(this.#rotation);
    this.#listeners.clear();
    this.#poll = undefined;
  }

  /** Reads everything again, perhaps from other places; false when it was no use and nothing has changed. */
  async reload(options: LiveOptions = this.#options): Promise<boolean> {
    // One after the other, so that the newest wins.
    const before = this.#reloading;
    const mine = (async () => {
      await before;
      return this.#readAgain(options);
    })();
    this.#reloading = mine;
    return mine;
  }

  async #look(): Promise<void> {
    const signature = await signatureOf(this.#options).catch(() => 'unreadable');
    // Whoever writes is given time to finish: it has to look the same twice.
    const isSettled = signature === this.#seen;
    this.#seen = signature;
    if (isSettled && signature !== this.#read) await this.reload();
    if (Date.now() >= this.#reportedAt + LIVE_TIMES.reportMs) this.#report();
    if (this.#poll !== undefined) this.#poll = setTimeout(() => void this.#look(), LIVE_TIMES.pollMs);
  }

  async #readAgain(next: LiveOptions): Promise<boolean> {
    const signature = await signatureOf(next).catch(() => 'unreadable');
    this.#read = signature;
    this.#seen = signature;
    try {
      this.#replace(await CertificateStore.open(next, this.#log));
      this.#retune(next);
      this.#options = next;
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log.error({ event: 'certificate.kept' }, `certificates not reloaded, the old ones go on serving: ${why}`);
      return false;
    }
  }

  #replace(store: CertificateStore): void {
    const old = this.#store;
    if (store.digest === old.digest)
      return this.#log.debug({ event: 'certificate.same' }, 'certificates are unchanged');
    this.#store = store;
    const known = new Set(old.all.map(({ fingerprint }) => fingerprint));
    for (const certificate of store.all) if (!known.has(certificate.fingerprint)) introduce(certificate, this.#log);
    this.#report();
    this.#log.info({ event: 'certificate.reloaded' }, 'certificates reloaded; connections that stand are not touched');
    this.#tell();
  }

  #retune(next: LiveOptions): void {
    const { tickets = TICKET_DEFAULTS } = next;
    const { tickets: old = TICKET_DEFAULTS } = this.#options;
    if (tickets.secret === old.secret && tickets.rotationMs === old.rotationMs) return;
    this.#tickets = createTickets(next);
    if (this.#rotation !== undefined) this.#rotateLater();
    this.#tell();
  }

  #report(): void {
    this.#reportedAt = Date.now();
    warn(this.#store, this.#log, new Date());
  }

  #rotateLater(): void {
    clearTimeout(this.#rotation);
    const ms = this.#tickets.changesAt(Date.now()) - Date.now();
    const wait = Math.min(Math.max(ms, 1), LIVE_TIMES.maxTimerMs);
    this.#rotation = setTimeout(() => {
      this.#tell();
      this.#rotateLater();
    }, wait);
    this.#rotation.unref();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function createTickets({ tickets: { secret, rotationMs } = TICKET_DEFAULTS }: LiveOptions): TicketKeys {
  return new TicketKeys(secret ?? randomBytes(32), rotationMs);
}

function introduce({ source, names, validTo, fingerprint, development, keyType }: Certificate, log: Log): void {
  const fields = { event: 'certificate', source, names, keyType, validTo: validTo.toISOString(), fingerprint };
  if (development) log.info(fields, 'serving TLS with a development certificate; clients that verify will refuse it');
  else log.info(fields, `serving TLS with ${source}`);
}

/** What an operator should do something about. */
function warn({ all }: CertificateStore, log: Log, now: Date): void {
  for (const { source, chain, development, keyMode } of all) {
    // Everybody knows that nobody has signed it.
    if (development) continue;
    const context = { now, source, ...(keyMode !== undefined && { keyMode }) };
    for (const { code, level, text } of findingsOf(chain, context)) {
      if (level !== 'note') log.warn({ event: 'certificate.finding', source, code }, text);
    }
  }
}
