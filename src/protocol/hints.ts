/** Told things are kept so that they are not told twice; a peer that does a hundred odd things has said enough. */
const MAX_HINTS = 32;

/** Says each odd thing once, so that a peer cannot fill a log. */
export class Hints {
  readonly #told = new Set<string>();

  /** True the first time. */
  isNew(what: string): boolean {
    if (this.#told.size >= MAX_HINTS || this.#told.has(what)) return false;
    this.#told.add(what);
    return true;
  }
}
