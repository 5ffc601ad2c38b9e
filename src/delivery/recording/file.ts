import type { Frame } from '../../media/index.ts';

/** A file being recorded, under its provisional name. Calls are not to overlap. */
export interface RecordingFile {
  /** The name that it gets once it is whole. */
  readonly path: string;
  /** Adds at the end, all of it; what of it was written when it rejects is taken away by `finish`. */
  append(pieces: readonly Buffer[]): Promise<void>;
  /** Writes over what is there. */
  patch(bytes: Buffer, position: number): Promise<void>;
  /** Shows that somebody still writes here. `now`: milliseconds since 1970. */
  touch(now: number): Promise<void>;
  /** Gives it its name, or removes it when nothing was ever added. */
  finish(): Promise<void>;
}

/** Where recordings are kept. */
export interface RecordingStore {
  /** Opens `FOLDERS/STEM.EXTENSION.part` below `directory`; a name that is taken gets a number. */
  create(directory: string, folders: readonly string[], stem: string, extension: string): Promise<RecordingFile>;
  /** Whether there is room enough to begin anew after the disk was full. */
  hasRoom(directory: string): Promise<boolean>;
  /** Files under provisional names, with what shows whether somebody still writes them. */
  leftovers(directory: string): Promise<readonly Leftover[]>;
  /** Takes an unfinished end off a file that nobody writes any more and gives it its name; undefined: removed, nothing was in it. */
  mend(path: string): Promise<string | undefined>;
}

export interface Leftover {
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** Puts frames into a file in one format. `at`: milliseconds from the file's beginning. */
export interface RecordingWriter {
  add(frame: Frame, at: number): void;
  /** Hands what is complete to the file; rejects as the file does. */
  flush(): Promise<void>;
  /** Writes the rest, then what only the end can tell, and gives the file its name. */
  close(): Promise<void>;
}
