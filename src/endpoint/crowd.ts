/** Those who are there, with a way to wait until the last one has left. */
export class Crowd<T> extends Set<T> {
  #waiting: (() => void)[] = [];

  override delete(member: T): boolean {
    const wasThere = super.delete(member);
    if (this.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    return wasThere;
  }

  /** Resolves when nobody is there, which may be at once. */
  async emptied(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
