/** Something that gathers what it has to send and sends it when told. */
export interface Beater {
  /** Sends what has gathered. Called once per turn at most, only after `mark`. */
  beat(): void;
}

/**
 * Gathers a turn's frames: whoever got some marks itself, and all the marked ones write together when the event loop has
 * done its reading. One system call then carries what would have been several.
 *
 * Waiting longer does not pay. Measured with 200 players of sound and picture (77 frames a second): 1.17 CPU-s/GB as it is,
 * 1.20 after 4 ms and 1.24 after 8 ms, because each wait wakes the process once more.
 */
export class Pulse {
  #marked: Beater[] = [];
  #scheduled = false;
  readonly #afterTurn: () => void;

  /** `after` runs once every marked one has written. */
  constructor(after: () => void = () => undefined) {
    this.#afterTurn = () => {
      this.#beat();
      after();
    };
  }

  /** Promises `beater` a beat at the end of this turn. The caller sees to it that it marks only once per beat. */
  mark(beater: Beater): void {
    this.#marked.push(beater);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#afterTurn);
  }

  #beat(): void {
    const due = this.#marked;
    this.#marked = [];
    this.#scheduled = false;
    for (const beater of due) beater.beat();
  }
}
