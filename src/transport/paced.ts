/**
 * Does so much in one turn of the event loop and the rest in the turns that follow, so that what others wait for comes in
 * between: a burst of handshakes is a tenth of a second of work, in which no picture would move.
 */
export class Paced {
  readonly #perTurn: number;
  #waiting: (() => void)[] = [];
  /** How much may still be done in this turn. */
  #left: number;
  #isScheduled = false;

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
    this.#left = perTurn;
  }

  /** Calls `task` now, or in its turn. */
  do(task: () => void): void {
    this.#schedule();
    if (this.#left === 0) return void this.#waiting.push(task);
    this.#left -= 1;
    task();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    this.#left = this.#perTurn;
    const due = this.#waiting.splice(0, this.#perTurn);
    for (const task of due) this.do(task);
    if (this.#waiting.length > 0) this.#schedule();
  };
}
