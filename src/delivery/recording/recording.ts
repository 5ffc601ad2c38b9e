import {
  Outbox,
  OUTBOX_DEFAULTS,
  type OutboxLimits,
  type Hub,
  type StreamName,
  type Subscriber,
  type Subscription,
} from '../../hub/index.ts';
import type { Log } from '../../log.ts';
import type { Frame } from '../../media/index.ts';
import { FlvWriter } from './flv-writer.ts';
import { Mp4Writer } from './mp4-writer.ts';
import { recordingPlace } from './name.ts';
import type { RecordingFile, RecordingStore, RecordingWriter } from './file.ts';
import { RecordingPlan, type RecordingStep } from './plan.ts';

/** What to record, and how. */
export interface RecordRule {
  /** Streams by their path, as `live/*` (`streamMatcher`). */
  readonly match: string;
  readonly directory: string;
  readonly format: 'flv' | 'mp4';
  /** From this length on a keyframe begins another file; null: never. */
  readonly splitMs: number | null;
  /** The same by size. */
  readonly splitBytes: number | null;
}

/** What is being recorded at this moment. */
export interface RecordingInfo {
  readonly name: StreamName;
  readonly match: string;
  /** The name that the present file will have; undefined between files, and after the disk was full. */
  readonly path: string | undefined;
  readonly frames: number;
  /** Frames that the disk was too slow for. */
  readonly dropped: number;
}

export interface RecordingDependencies {
  readonly hub: Hub;
  readonly store: RecordingStore;
  readonly log: Log;
  /** The time of day, for files' names; milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** Frames are taken from the queue in portions of this size; what has to catch up writes as much at once. */
const PORTION_BYTES = 4 * 1024 * 1024;

/**
 * Bytes alone count, as many as a player's queue may have: nobody waits for a recording, and an FFmpeg without `-re` publishes a
 * minute of stream in a blink. The frames are as many as there are of nothing but sound packets of half a kilobyte.
 */
const QUEUE: OutboxLimits = { ...OUTBOX_DEFAULTS, maxFrames: 65_536, maxDurationMs: Infinity };

/** What may be lost when the process is killed, unless the stream is faster than `MAX_PENDING_BYTES` in that time. */
const FLUSH_MS = 1_000;
const MAX_PENDING_BYTES = 256 * 1024;

/** After a failure, another file is not tried before this. */
const RETRY_MS = 60_000;

/**
 * One stream being recorded by one rule. The hub's frames go into a bounded queue and the hub goes on; a loop of its own
 * takes them out and waits for the disk. A disk that is too slow loses frames up to a keyframe; one that fails ends the file,
 * with all that was written before in it.
 */
export class Recording implements Subscriber {
  readonly name: StreamName;
  readonly rule: RecordRule;
  readonly #deps: RecordingDependencies;
  readonly #log: Log;
  readonly #plan: RecordingPlan;
  readonly #outbox = new Outbox(QUEUE);
  readonly #subscription: Subscription;
  /** Resolves when the last file is closed. Never rejects. */
  readonly ended: Promise<void>;
  #wake: () => void = () => {};
  #isOver = false;
  #file: RecordingFile | undefined;
  #writer: RecordingWriter | undefined;
  #flushedAt = 0;
  #unwritten = 0;
  #frames = 0;
  #reportedDrops = 0;
  #retryAt = 0;
  #hasFailed = false;

  constructor(name: StreamName, rule: RecordRule, deps: RecordingDependencies, log: Log) {
    this.name = name;
    this.rule = rule;
    this.#deps = deps;
    this.#log = log;
    this.#plan = new RecordingPlan({
      splitMs: rule.splitMs ?? Infinity,
      splitBytes: rule.splitBytes ?? Infinity,
      tracksMayAppear: rule.format === 'flv',
    });
    this.ended = this.#run();
    // Nobody is kept, and nothing fetched from elsewhere, only to be recorded.
    this.#subscription = deps.hub.subscribe(name, this, { passive: true });
  }

  info(): RecordingInfo {
    const { name, rule } = this;
    const counts = { frames: this.#frames, dropped: this.#outbox.dropped };
    return { name, match: rule.match, path: this.#file?.path, ...counts };
  }

  deliver(frame: Frame): void {
    this.#outbox.push(frame);
    this.#wake();
  }

  /** Whether it goes on in the same file, the configurations will tell. */
  published(): void {}

  unpublished(): void {
    this.stop();
  }

  /** What waits is still written. */
  stop(): void {
    this.#isOver = true;
    this.#subscription?.end();
    this.#wake();
  }

  /** Keeps the present file from being taken for one that nobody writes. */
  async touch(): Promise<void> {
    await this.#file?.touch(this.#deps.wallClock()).catch(() => {});
  }

  /** It takes nothing more, though the disk may still have to be waited for. */
  get isOver(): boolean {
    return this.#isOver;
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#outbox.frames === 0) {
        if (this.#isOver) break;
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      for (const frame of this.#outbox.take(PORTION_BYTES)) {
        for (const step of this.#plan.take(frame)) await this.#attempt(() => this.#do(step));
      }
      this.#reportDrops();
    }
    await this.#attempt(() => this.#close());
  }

  async #do(step: RecordingStep): Promise<void> {
    if (step.type === 'open') return this.#open(step.headers);
    const writer = this.#writer;
    if (writer === undefined) return;
    writer.add(step.frame, step.at);
    this.#frames++;
    this.#unwritten += step.frame.payload.length;
    if (!this.#isDue(step.at)) return;
    this.#flushedAt = step.at;
    this.#unwritten = 0;
    await writer.flush();
  }

  #isDue(at: number): boolean {
    const isBehind = this.#outbox.frames > 0;
    if (isBehind) return this.#unwritten >= PORTION_BYTES;
    return this.#unwritten >= MAX_PENDING_BYTES || at - this.#flushedAt >= FLUSH_MS;
  }

  async #open(headers: readonly Frame[]): Promise<void> {
    await this.#close();
    const { rule, name } = this;
    const deps = this.#deps;
    const now = deps.wallClock();
    if (now < this.#retryAt) return this.#plan.abandon();
    if (this.#hasFailed && !(await deps.store.hasRoom(rule.directory))) return this.#putOff();
    const { folders, stem } = recordingPlace(name, new Date(now));
    const file = await deps.store.create(rule.directory, folders, stem, rule.format);
    this.#file = file;
    this.#flushedAt = 0;
    this.#unwritten = 0;
    this.#writer = rule.format === 'flv' ? new FlvWriter(file, headers) : new Mp4Writer(file, headers, this.#log);
    this.#log.info({ file: file.path }, this.#hasFailed ? 'recording goes on' : 'recording');
    this.#hasFailed = false;
  }

  async #close(): Promise<void> {
    const writer = this.#writer;
    const file = this.#file;
    if (writer === undefined) return;
    this.#writer = undefined;
    this.#file = undefined;
    await writer.close();
    this.#log.info({ file: file?.path }, 'recorded');
  }

  /** What goes wrong here is nobody else's trouble: it is said once, and tried again later. */
  async #attempt(what: () => Promise<void>): Promise<void> {
    try {
      await what();
    } catch (error) {
      await this.#fail(error);
    }
  }

  async #fail(error: unknown): Promise<void> {
    const writer = this.#writer;
    const file = this.#file;
    this.#writer = undefined;
    this.#file = undefined;
    this.#putOff();
    // What was written before becomes a whole file, if the disk lets it.
    await writer?.close().catch(() => {});
    const fields = { file: file?.path, directory: this.rule.directory, ...faultFields(error) };
    if (!this.#hasFailed) this.#log.error(fields, `recording stopped: ${reasonOf(error)}; the stream goes on`);
    this.#hasFailed = true;
  }

  #putOff(): void {
    this.#plan.abandon();
    this.#retryAt = this.#deps.wallClock() + RETRY_MS;
  }

  #reportDrops(): void {
    const { dropped } = this.#outbox;
    if (dropped === this.#reportedDrops) return;
    this.#log.warn(
      { dropped: dropped - this.#reportedDrops, file: this.#file?.path },
      'the disk is too slow: frames are missing from a recording',
    );
    this.#reportedDrops = dropped;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: "the user's share of the disk is used up",
  EACCES: 'this process may not write there',
  EPERM: 'this process may not write there',
  EROFS: 'the disk can only be read',
  EMFILE: 'this process has too many files open',
  EFBIG: 'the file would become larger than the file system takes',
  EIO: 'the disk failed',
};

function reasonOf(error: unknown): string {
  const known = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
  return known ?? (error instanceof Error ? error.message : String(error));
}

/** Our own mistakes come with their stack. */
function faultFields(error: unknown): object {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? { err: error } : { code };
}
