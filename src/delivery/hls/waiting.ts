/** Who asks for something. */
export interface Asker {
  /** When, by the house clock. */
  readonly now: number;
  /** Nobody is there any more to be answered. */
  readonly isGone: () => boolean;
}

/** Requests that wait for something of one stream to be there. Time is told from outside. */
export class Waiting {
  readonly #max: number;
  #waiters: Waiter[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#waiters.length;
  }

  /** True as soon as `condition` holds, false after `patienceMs`, or at once when too many wait. */
  until(condition: () => boolean, { now, isGone }: Asker, patienceMs: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    if (this.#waiters.length >= this.#max) return Promise.resolve(false);
    const deadline = now + patienceMs;
    return new Promise((resolve) => this.#waiters.push({ condition, deadline, isGone, resolve }));
  }

  /** Something happened. */
  check(): void {
    this.#settle(({ condition }) => (condition() ? true : undefined));
  }

  /** Time passed. Who has gone makes room for others. */
  tick(now: number): void {
    this.#settle(({ deadline, isGone }) => (deadline <= now || isGone() ? false : undefined));
  }

  /** Nothing will come any more. */
  close(): void {
    this.#settle(() => false);
  }

  #settle(verdict: (waiter: Waiter) => boolean | undefined): void {
    if (this.#waiters.length === 0) return;
    const verdicts = this.#waiters.map((waiter) => [waiter, verdict(waiter)] as const);
    this.#waiters = verdicts.filter(([, done]) => done === undefined).map(([waiter]) => waiter);
    for (const [{ resolve }, done] of verdicts) if (done !== undefined) resolve(done);
  }
}

interface Waiter {
  readonly condition: () => boolean;
  readonly deadline: number;
  readonly isGone: () => boolean;
  readonly resolve: (there: boolean) => void;
}
