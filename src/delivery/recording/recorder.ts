import { RejectedError } from '../../errors.ts';
import { pathOf, streamMatcher, type Hub, type StreamName } from '../../hub/index.ts';
import { redactKey, type Log } from '../../log.ts';
import { DISK } from './store.ts';
import type { Leftover, RecordingStore } from './file.ts';
import { Recording, type RecordingInfo, type RecordRule } from './recording.ts';

export interface RecorderDependencies {
  readonly hub: Hub;
  readonly log: Log;
  /** The time of day, for files' names; milliseconds since 1970. */
  readonly wallClock: () => number;
  /** This machine's disk when left out. */
  readonly store?: RecordingStore;
}

/** How often files that are being written show it. Far below `ABANDONED_MS`, for a slow or shared file system. */
const TOUCH_MS = 5_000;

/** A file that does not change for so long is written by nobody any more: neither here nor by another gateway. */
const ABANDONED_MS = 20_000;

/** Records streams to files by rules, one file for each rule that matches. */
export class Recorder {
  readonly #rules: readonly RecordRule[];
  readonly #matchers: ReadonlyMap<RecordRule, (path: string) => boolean>;
  readonly #deps: Required<RecorderDependencies>;
  readonly #log: Log;
  readonly #recordings = new Set<Recording>();
  readonly #closing = new Set<Promise<void>>();
  #unwatch: (() => void) | undefined;
  #touchedAt = 0;
  /** What a former run left, and since when it has been looked at. */
  #leftovers: { readonly since: number; readonly files: Promise<readonly Leftover[]> } | undefined;

  constructor(rules: readonly RecordRule[], deps: RecorderDependencies) {
    this.#rules = rules;
    this.#matchers = new Map(rules.map((rule) => [rule, streamMatcher(rule.match)]));
    this.#deps = { store: DISK, ...deps };
    this.#log = deps.log;
  }

  /** Records what is published from now on. */
  start(): void {
    if (this.#rules.length === 0) return;
    this.#unwatch = this.#deps.hub.watch({ published: (name) => this.#published(name) });
  }

  /** Lets time pass. `now`: milliseconds of any steady clock. */
  tick(now: number): void {
    if (this.#unwatch === undefined) return;
    this.#leftovers ??= { since: now, files: this.#findLeftovers() };
    if (this.#leftovers.since + ABANDONED_MS <= now) this.#mendOnce();
    if (this.#touchedAt + TOUCH_MS > now) return;
    this.#touchedAt = now;
    for (const recording of this.#recordings) void recording.touch();
  }

  list(): RecordingInfo[] {
    return [...this.#recordings].map((recording) => recording.info());
  }

  /** Ends all recordings; resolves when the last file is whole. */
  async stop(): Promise<void> {
    this.#unwatch?.();
    this.#unwatch = undefined;
    for (const recording of this.#recordings) recording.stop();
    await Promise.all(this.#closing);
  }

  /** A publisher that returns in time finds its recording still there. */
  #published(name: StreamName): void {
    const ofThis = [...this.#recordings].filter((other) => !other.isOver && pathOf(other.name) === pathOf(name));
    const present = new Set(ofThis.map(({ rule }) => rule));
    for (const rule of this.#rules) {
      if (!present.has(rule) && this.#matchers.get(rule)!(pathOf(name))) this.#record(name, rule);
    }
  }

  #record(name: StreamName, rule: RecordRule): void {
    const log = this.#log.child({ app: name.app, stream: redactKey(name.key), record: rule.match });
    try {
      const recording = new Recording(name, rule, this.#deps, log);
      this.#recordings.add(recording);
      const closing = recording.ended.then(() => {
        this.#recordings.delete(recording);
        this.#closing.delete(closing);
      });
      this.#closing.add(closing);
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
    }
  }

  #directories(): string[] {
    return [...new Set(this.#rules.map(({ directory }) => directory))];
  }

  async #findLeftovers(): Promise<readonly Leftover[]> {
    const found: Leftover[] = [];
    for (const directory of this.#directories()) {
      try {
        found.push(...(await this.#deps.store.leftovers(directory)));
      } catch (error) {
        this.#log.warn({ directory, err: error }, 'the recordings of a former run cannot be looked at');
      }
    }
    return found;
  }

  #mendOnce(): void {
    const { files } = this.#leftovers!;
    this.#leftovers = { since: Infinity, files };
    void files.then((before) => (before.length > 0 ? this.#mend(before) : undefined));
  }

  async #mend(before: readonly Leftover[]): Promise<void> {
    const after = new Map((await this.#findLeftovers()).map((leftover) => [leftover.path, leftover]));
    for (const { path, size, modifiedMs } of before) {
      const now = after.get(path);
      if (now === undefined) continue;
      if (now.size === size && now.modifiedMs === modifiedMs) await this.#mendOne(path);
      else this.#log.info({ file: path }, 'an unfinished recording is left alone: somebody else writes it');
    }
  }

  async #mendOne(path: string): Promise<void> {
    try {
      const file = await this.#deps.store.mend(path);
      if (file === undefined) this.#log.info({ file: path }, 'an unfinished recording without content was removed');
      else this.#log.info({ file }, 'an unfinished recording was made whole');
    } catch (error) {
      this.#log.warn({ file: path, err: error }, 'an unfinished recording is left as it is: it cannot be made whole');
    }
  }
}
