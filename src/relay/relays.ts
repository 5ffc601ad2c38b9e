import { isDeepStrictEqual } from 'node:util';
import { now, Pulse } from '../endpoint/index.ts';
import { pathOf, type Hub, type StreamName } from '../hub/index.ts';
import { NO_LOG, redactKey, type Log } from '../log.ts';
import { dialer } from '../transport/index.ts';
import type { DialTo, RelayShared } from './attempt.ts';
import { Departures } from './departures.ts';
import { Pull } from './pull.ts';
import { Push } from './push.ts';
import { RELAY_DEFAULTS, type RelayOptions } from './relay-options.ts';
import { newGatewayId, Relay, type RelayStatus } from './relay.ts';
import { compileRule, type CompiledRule, type RelayRule } from './rules.ts';

export interface RelaysDependencies {
  readonly hub: Hub;
  readonly log?: Log;
  /** By which this gateway knows itself in chains of relays; to be told to `RtmpServer` as well. */
  readonly gatewayId?: string;
  /** How to get to another server; by URL unless told otherwise (tests). */
  readonly dialTo?: (rule: RelayRule) => DialTo;
}

/** One stream on its way by one rule. */
export interface RelayLink extends RelayStatus {
  /** `app/stream`, of the stream no more than may be shown. */
  readonly stream: string;
}

/** Who brought a rule: it is theirs to take away. */
export type RuleOrigin = 'config' | 'api';

/** One rule, and what comes of it. No keys in it. */
export interface RelayInfo {
  readonly id: string;
  readonly kind: 'push' | 'pull';
  /** Which streams. */
  readonly match: string;
  readonly servers: readonly string[];
  /** Through which it goes. */
  readonly proxy: string | undefined;
  /** `api`: somebody added it while everything ran. */
  readonly origin: RuleOrigin;
  readonly links: readonly RelayLink[];
}

interface Link {
  readonly name: StreamName;
  readonly relay: Relay;
  /** What two relays cannot have at once: the name over there, or here. */
  readonly place: string;
  /** Of a pull. */
  readonly pull: Pull | undefined;
}

interface Entry {
  /** As it was given. */
  readonly given: RelayRule;
  readonly origin: RuleOrigin;
  readonly rule: CompiledRule;
  readonly shared: RelayShared;
  /** By the stream's path, and for pushes the number of the target. */
  readonly links: Map<string, Link>;
}

/** What a new list of rules came to. */
export interface RulesChanged {
  readonly added: number;
  readonly removed: number;
  readonly kept: number;
}

/** All rules, and a relay for each stream and server that one of them speaks of. */
export class Relays {
  readonly #deps: RelaysDependencies;
  readonly #options: RelayOptions;
  readonly #log: Log;
  readonly #gatewayId: string;
  readonly #pulse = new Pulse();
  readonly #entries = new Map<string, Entry>();
  readonly #departures: Departures;
  #unwatch: (() => void) | undefined = undefined;
  #lastId = 0;

  /** Throws `ConfigError` BAD_URL or BAD_RELAY for a rule that cannot be followed. */
  constructor(rules: readonly RelayRule[], deps: RelaysDependencies, options: Partial<RelayOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...RELAY_DEFAULTS, ...options };
    this.#log = deps.log ?? NO_LOG;
    this.#departures = new Departures(this.#log);
    this.#gatewayId = deps.gatewayId ?? newGatewayId();
    for (const rule of rules) this.#enter(rule, 'config');
  }

  /** From now on streams are relayed, those too that are there already. */
  start(): void {
    this.#unwatch ??= this.#deps.hub.watch({
      published: (name) => this.#published(name),
      unpublished: (name) => this.#unpublished(name),
      wanted: (name, hops) => this.#wanted(name, hops),
      unwanted: (name) => this.#unwanted(name),
    });
    for (const entry of this.#entries.values()) this.#apply(entry);
  }

  /** Ends all relays politely; resolves when the last is gone. */
  async stop(): Promise<void> {
    this.#unwatch?.();
    this.#unwatch = undefined;
    for (const entry of this.#entries.values()) this.#endAll(entry);
    await this.#departures.over();
  }

  /** Ends all relays at once. */
  destroy(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    for (const { links } of this.#entries.values()) for (const { relay } of links.values()) relay.destroy();
    this.#departures.destroy();
  }

  /** Relays that work or try to. */
  get count(): number {
    let count = this.#departures.count;
    for (const { links } of this.#entries.values()) count += links.size;
    return count;
  }

  list(): RelayInfo[] {
    return [...this.#entries].map(([id, { rule, links, origin }]) => ({
      id,
      kind: rule.kind,
      match: rule.match,
      servers: rule.templates.map(({ shown }) => shown),
      proxy: rule.access.proxy?.shown,
      origin,
      links: [...links.values()].map(({ name, relay }) => ({ stream: shownName(name), ...relay.status() })),
    }));
  }

  /** Adds a rule; streams that are there already are relayed at once. Returns its id. Throws as the constructor does. */
  add(rule: RelayRule): string {
    const [id, entry] = this.#enter(rule, 'api');
    if (this.#unwatch !== undefined) this.#apply(entry);
    return id;
  }

  /** Ends what a rule began and forgets it; false if there is no such rule. */
  remove(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    this.#endAll(entry);
    return true;
  }

  /**
   * Takes `rules` in the place of those of the configuration: what is in both goes on untouched, the rest ends or begins.
   * Those that somebody added stay, behind them. Throws as the constructor does, and then nothing has changed.
   */
  replace(rules: readonly RelayRule[]): RulesChanged {
    for (const rule of rules) compileRule(rule);
    const before = [...this.#entries].filter(([, { origin }]) => origin === 'config');
    const others = [...this.#entries].filter(([, { origin }]) => origin === 'api');
    this.#entries.clear();
    const begun = rules.flatMap((rule) => {
      const kept = before.findIndex(([, { given }]) => isDeepStrictEqual(given, rule));
      if (kept < 0) return this.#enter(rule, 'config')[1];
      const [[id, entry]] = before.splice(kept, 1) as [[string, Entry]];
      this.#entries.set(id, entry);
      return [];
    });
    for (const [id, entry] of others) this.#entries.set(id, entry);
    for (const [, entry] of before) this.#endAll(entry);
    if (this.#unwatch !== undefined) for (const entry of begun) this.#apply(entry);
    return { added: begun.length, removed: before.length, kept: rules.length - begun.length };
  }

  #enter(rule: RelayRule, origin: RuleOrigin): [id: string, entry: Entry] {
    const compiled = compileRule(rule);
    const id = `r${++this.#lastId}`;
    const { hub, dialTo } = this.#deps;
    const { session } = this.#options;
    const log = this.#log.child({ relay: id, direction: compiled.kind });
    const way = dialTo?.(rule) ?? this.#dialBy(compiled);
    const shared = { hub, log, gatewayId: this.#gatewayId, dialTo: way, session };
    const entry = { given: rule, origin, rule: compiled, shared, links: new Map<string, Link>() };
    this.#entries.set(id, entry);
    return [id, entry];
  }

  /** A name that was given goes with the servers of the rule, and not with where these send us. */
  #dialBy({ access: { tls, proxy }, templates }: CompiledRule): DialTo {
    const { dial } = this.#options;
    return (target) => {
      const isOurs = templates.some((template) => template.dial === target.dial);
      const { serverName, ...others } = { ...dial.tls, ...tls };
      return dialer(target.dial, { ...dial, proxy, tls: { ...others, ...(isOurs && { serverName }) } });
    };
  }

  /** For a rule that comes when streams and players are there already. */
  #apply(entry: Entry): void {
    const { hub } = this.#deps;
    for (const { name, publishing } of [...hub.streams()]) {
      if (!entry.rule.matches(pathOf(name))) continue;
      if (publishing) this.#push(entry, name);
      else if (hub.playersOf(name) > 0) this.#pull(entry, name, []);
    }
  }

  #published(name: StreamName): void {
    for (const entry of this.#matching(name)) {
      this.#push(entry, name);
      const pulled = entry.links.get(pathOf(name));
      if (pulled?.pull?.isPublishing === false) this.#end(entry, pathOf(name));
    }
  }

  #unpublished(name: StreamName): void {
    const { hub } = this.#deps;
    for (const entry of this.#matching(name)) {
      if (entry.rule.kind === 'push') for (const key of pushKeys(entry.rule, name)) this.#end(entry, key);
    }
    if (hub.playersOf(name) > 0) this.#wanted(name, []);
  }

  /** By the first rule that speaks of it. */
  #wanted(name: StreamName, hops: readonly string[]): void {
    const entry = this.#matching(name).find(({ rule }) => rule.kind === 'pull');
    if (entry !== undefined) this.#pull(entry, name, hops);
  }

  #unwanted(name: StreamName): void {
    const key = pathOf(name);
    for (const entry of this.#matching(name)) {
      if (entry.rule.kind === 'pull')
        entry.links.get(key)?.relay.release(entry.rule.idleMs, () => this.#end(entry, key));
    }
  }

  #push(entry: Entry, name: StreamName): void {
    if (entry.rule.kind !== 'push') return;
    const { outbox, stallMs } = this.#options;
    pushKeys(entry.rule, name).forEach((key, index) => {
      if (entry.links.has(key)) return;
      const target = entry.rule.templates[index]!.fill(name);
      const shared = this.#sharedFor(entry, name);
      const push = new Push(name, target, shared, { outbox, stallMs, codecs: entry.rule.codecs }, this.#pulse, now);
      const place = `${target.tcUrl} ${target.key}`;
      this.#begin(entry, key, { name, place, pull: undefined, relay: this.#relay(entry, name, push) });
    });
  }

  #pull(entry: Entry, name: StreamName, hops: readonly string[]): void {
    if (entry.rule.kind !== 'pull') return;
    const key = pathOf(name);
    const standing = entry.links.get(key);
    if (standing !== undefined) return standing.relay.keep();
    if (this.#pulls() >= this.#options.maxPulls) {
      return entry.shared.log.warn({ app: name.app }, 'a stream is not fetched: as many as may be are fetched already');
    }
    const sources = entry.rule.templates.map((template) => template.fill(name));
    const { silenceMs } = this.#options;
    const pull = new Pull(name, sources, this.#sharedFor(entry, name), { silenceMs }, hops, now);
    this.#begin(entry, key, { name, place: key, pull, relay: this.#relay(entry, name, pull) });
  }

  #sharedFor({ shared }: Entry, { app, key }: StreamName): RelayShared {
    return { ...shared, log: shared.log.child({ app, stream: redactKey(key) }) };
  }

  #relay(entry: Entry, name: StreamName, attempt: Push | Pull): Relay {
    return new Relay(attempt, this.#options.backOff, { log: this.#sharedFor(entry, name).log, now });
  }

  #begin(entry: Entry, key: string, link: Link): void {
    entry.links.set(key, link);
    link.relay.start(this.#departures.from(link.place));
  }

  #endAll(entry: Entry): void {
    for (const key of [...entry.links.keys()]) this.#end(entry, key);
  }

  #end(entry: Entry, key: string): void {
    const link = entry.links.get(key);
    if (link === undefined) return;
    entry.links.delete(key);
    const { name, place, relay, pull } = link;
    void this.#departures.begin(relay, place).then(() => pull && this.#fetchAgain(name));
  }

  /** Players whom a rule that is gone has left behind are the next rule's. */
  #fetchAgain(name: StreamName): void {
    const { hub } = this.#deps;
    if (this.#unwatch !== undefined && hub.playersOf(name) > 0 && !hub.isPublished(name)) this.#wanted(name, []);
  }

  #pulls(): number {
    return [...this.#entries.values()].reduce(
      (sum, { rule, links }) => sum + (rule.kind === 'pull' ? links.size : 0),
      0,
    );
  }

  #matching(name: StreamName): Entry[] {
    const path = pathOf(name);
    return [...this.#entries.values()].filter(({ rule }) => rule.matches(path));
  }
}

/** One for each target; a stream's path has no line ends. */
function pushKeys({ templates }: CompiledRule, name: StreamName): string[] {
  return templates.map((_, index) => `${pathOf(name)}\n${index}`);
}

function shownName({ app, key }: StreamName): string {
  return app === '' ? redactKey(key) : `${app}/${redactKey(key)}`;
}
