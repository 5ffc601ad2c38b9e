/** So long without a packet, while others go on, a track is gone: five segments, and no rendition has pictures that far apart. */
export const GONE_MS = 10_000;

/** When each track was last heard of, by the names of renditions: `v0`, `a1`. Milliseconds of media time. */
export class Presence {
  readonly #last = new Map<string, number>();
  /** Tracks that the present publisher has sent something of. */
  readonly #sent = new Set<string>();

  /** A playlist is made of it, and nothing in it yet. */
  opened(name: string, at: number): void {
    if (!this.#last.has(name)) this.#last.set(name, at);
  }

  saw(name: string, at: number): void {
    this.#last.set(name, at);
    this.#sent.add(name);
  }

  /** Another publisher: whether it has this track is to be seen. `at`: when. */
  startAnew(at: number): void {
    for (const name of this.#last.keys()) this.#last.set(name, at);
    this.#sent.clear();
  }

  /** The publisher said that the track is over. */
  ended(name: string): void {
    this.#sent.delete(name);
  }

  forget(name: string): void {
    this.#last.delete(name);
    this.#sent.delete(name);
  }

  /**
   * Whether the track is gone. A camera that is off may be on again: while its publisher has no other picture, the sound goes on in its
   * place. One of several, or one that the present publisher never had, is missed by nobody.
   */
  isGone(name: string): boolean {
    const own = this.#last.get(name);
    if (own === undefined) return false;
    for (const [other, at] of this.#last) {
      const counts = !this.#sent.has(name) || other[0] === name[0];
      if (other !== name && counts && at - own > GONE_MS) return true;
    }
    return false;
  }
}
