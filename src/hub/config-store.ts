import { retimed, type Frame } from '../media/index.ts';

/**
 * How many configurations one stream may have: OBS sends up to six video renditions and two sound tracks, each with a
 * header, an HDR description and a channel map. Beyond it the oldest is forgotten.
 */
export const MAX_CONFIGS = 64;

/** A larger one is passed on but not remembered: the longest known (parameter sets, Opus and FLAC headers) have some 10 KiB. */
export const MAX_CONFIG_BYTES = 256 * 1024;

const ORDER = { data: 0, video: 1, audio: 2 } as const;

/** The configurations that hold at this moment, one for each key. */
export class ConfigStore {
  readonly #byKey = new Map<string, Frame>();
  #list: readonly Frame[] | undefined = undefined;
  #stamped: readonly Frame[] | undefined = undefined;
  #stamp = 0;

  /** Remembers a configuration; false if it is the very one that holds already, which players need not be told again. */
  remember(frame: Frame): boolean {
    const { configKey, payload } = frame;
    if (configKey === undefined || payload.length > MAX_CONFIG_BYTES) return true;
    const former = this.#byKey.get(configKey);
    if (former !== undefined && former.type === frame.type && former.payload.equals(payload)) return false;
    this.#byKey.delete(configKey);
    this.#byKey.set(configKey, frame);
    if (this.#byKey.size > MAX_CONFIGS) this.#forgetOldest();
    this.#changed();
    return true;
  }

  /** The one that holds for a key. */
  get(configKey: string): Frame | undefined {
    return this.#byKey.get(configKey);
  }

  forget(configKey: string): void {
    if (this.#byKey.delete(configKey)) this.#changed();
  }

  clear(): void {
    this.#byKey.clear();
    this.#changed();
  }

  /** In the order players want them: metadata, video, audio; within these as they came. The same array until one changes. */
  list(): readonly Frame[] {
    return (this.#list ??= [...this.#byKey.values()].sort((a, b) => ORDER[a.kind] - ORDER[b.kind]));
  }

  /** The list with all times set to `timestamp`. Players that start at the same frame share the same objects. */
  listAt(timestamp: number): readonly Frame[] {
    if (this.#stamped === undefined || this.#stamp !== timestamp) {
      this.#stamped = this.list().map((frame) => retimed(frame, timestamp));
      this.#stamp = timestamp;
    }
    return this.#stamped;
  }

  #forgetOldest(): void {
    for (const key of this.#byKey.keys()) {
      this.#byKey.delete(key);
      return;
    }
  }

  #changed(): void {
    this.#list = undefined;
    this.#stamped = undefined;
  }
}
