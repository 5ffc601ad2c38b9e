import type { FileHandle } from 'node:fs/promises';
import { access, mkdir, open, readdir, rename, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Leftover, RecordingFile, RecordingStore } from './file.ts';
import { repairFlv, repairMp4, type ReadAt } from './mend.ts';

/** What a file is called until it is whole. */
const PROVISIONAL = '.part';

/** A minute of 8 Mbit/s: with less, a recording would only begin to end again. */
const ROOM_BYTES = 64 * 1024 * 1024;

/** Files of one name, in one millisecond. */
const MAX_NUMBER = 100;

/** Mended files are read in pieces of this size. */
const WINDOW_BYTES = 1024 * 1024;

/** Recordings in this machine's file system. */
export const DISK: RecordingStore = {
  async create(directory, folders, stem, extension) {
    const folder = join(directory, ...folders);
    await mkdir(folder, { recursive: true });
    for (let number = 1; ; number++) {
      const path = join(folder, `${number === 1 ? stem : `${stem}-${number}`}.${extension}`);
      if (await exists(path)) continue;
      try {
        return new DiskFile(path, await open(path + PROVISIONAL, 'wx+'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || number === MAX_NUMBER) throw error;
      }
    }
  },

  async hasRoom(directory) {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize >= ROOM_BYTES;
  },

  async leftovers(directory) {
    const found: Leftover[] = [];
    for (const entry of await entriesOf(directory)) {
      if (!entry.isFile() || !/\.(?:flv|mp4)\.part$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      const state = await stat(path).catch(() => undefined);
      if (state !== undefined) found.push({ path, size: state.size, modifiedMs: state.mtimeMs });
    }
    return found;
  },

  async mend(path) {
    const handle = await open(path, 'r+');
    const whole = path.slice(0, -PROVISIONAL.length);
    try {
      const read = windowed(handle);
      const repair = await (whole.endsWith('.mp4') ? repairMp4(read) : repairFlv(read));
      if (repair === undefined) {
        await unlink(path);
        return undefined;
      }
      await handle.truncate(repair.bytes);
      for (const { bytes, position } of repair.patches) await handle.write(bytes, 0, bytes.length, position);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (await exists(whole)) throw Object.assign(new Error(`${whole} is there already`), { code: 'EEXIST' });
    await rename(path, whole);
    return whole;
  },
};

class DiskFile implements RecordingFile {
  readonly path: string;
  readonly #handle: FileHandle;
  /** Where the last whole `append` ended. */
  #bytes = 0;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  async append(pieces: readonly Buffer[]): Promise<void> {
    let left = pieces.filter(({ length }) => length > 0);
    let at = this.#bytes;
    while (left.length > 0) {
      const some = left.slice(0, MAX_PIECES);
      const { bytesWritten } = await this.#handle.writev(some, at);
      at += bytesWritten;
      left = [...after(some, bytesWritten), ...left.slice(MAX_PIECES)];
    }
    this.#bytes = at;
  }

  async patch(bytes: Buffer, position: number): Promise<void> {
    if (position + bytes.length > this.#bytes) return;
    await this.#handle.write(bytes, 0, bytes.length, position);
  }

  async touch(now: number): Promise<void> {
    await this.#handle.utimes(now / 1000, now / 1000);
  }

  async finish(): Promise<void> {
    const provisional = this.path + PROVISIONAL;
    try {
      await this.#handle.truncate(this.#bytes);
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
    if (this.#bytes === 0) return unlink(provisional);
    await rename(provisional, this.path);
  }
}

/** How many pieces one call writes: what Linux takes (IOV_MAX). */
const MAX_PIECES = 1024;

/** What is left of `pieces` after their first bytes. */
function after(pieces: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  const left: Buffer[] = [];
  for (const piece of pieces) {
    if (skip < piece.length) left.push(piece.subarray(skip));
    skip = Math.max(0, skip - piece.length);
  }
  return left;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Nothing for a directory that nothing was recorded into yet. Links are not followed. */
async function entriesOf(directory: string) {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries.map((entry) => ({
      name: entry.name,
      // Node before 20.12 has only the older name for it.
      parentPath: entry.parentPath ?? (entry as unknown as { readonly path: string }).path ?? dirname(entry.name),
      isFile: () => entry.isFile(),
    }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Reads by large pieces, for a reader that asks for small ones in order. */
function windowed(handle: FileHandle): ReadAt {
  let window = Buffer.alloc(0);
  let start = 0;
  return async (position, length) => {
    if (position < start || position + length > start + window.length) {
      const { buffer, bytesRead } = await handle.read(
        Buffer.alloc(Math.max(length, WINDOW_BYTES)),
        0,
        undefined,
        position,
      );
      window = buffer.subarray(0, bytesRead);
      start = position;
    }
    return window.subarray(position - start, position - start + length);
  };
}
