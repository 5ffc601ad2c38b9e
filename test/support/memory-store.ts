import type { Leftover, RecordingFile, RecordingStore } from '../../src/delivery/index.ts';

/** A file in memory, and what became of it. */
export class MemoryFile implements RecordingFile {
  readonly path: string;
  readonly #store: MemoryStore;
  bytes = Buffer.alloc(0);
  state: 'part' | 'whole' | 'removed' = 'part';
  touches = 0;

  constructor(path: string, store: MemoryStore) {
    this.path = path;
    this.#store = store;
  }

  async append(pieces: readonly Buffer[]): Promise<void> {
    await this.#store.gate;
    const more = Buffer.concat(pieces);
    this.#store.take(more.length);
    this.bytes = Buffer.concat([this.bytes, more]);
  }

  async patch(bytes: Buffer, position: number): Promise<void> {
    if (position + bytes.length <= this.bytes.length) bytes.copy(this.bytes, position);
  }

  async touch(): Promise<void> {
    this.touches++;
  }

  async finish(): Promise<void> {
    this.state = this.bytes.length === 0 ? 'removed' : 'whole';
  }
}

/** A disk in memory, of a size that a test sets. */
export class MemoryStore implements RecordingStore {
  readonly files: MemoryFile[] = [];
  /** What writing waits for: a slow disk. */
  gate: Promise<void> = Promise.resolve();
  room = Infinity;
  found: Leftover[] = [];
  readonly mended: string[] = [];

  async create(directory: string, folders: readonly string[], stem: string, extension: string): Promise<MemoryFile> {
    const file = new MemoryFile([directory, ...folders, `${stem}.${extension}`].join('/'), this);
    this.files.push(file);
    return file;
  }

  async hasRoom(): Promise<boolean> {
    return this.room > 0;
  }

  async leftovers(): Promise<readonly Leftover[]> {
    return this.found;
  }

  async mend(path: string): Promise<string | undefined> {
    this.mended.push(path);
    return path.replace(/\.part$/, '');
  }

  take(bytes: number): void {
    if (bytes > this.room) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    this.room -= bytes;
  }
}
