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

  /** True as soon as `condition` holds, false at `deadline`, or at once when too many wait. */
  until(condition: () => boolean, deadline: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    if (this.#waiters.length >= this.#max) return Promise.resolve(false);
    return new Promise((resolve) => this.#waiters.push({ condition, deadline, resolve }));
  }

  /** Something happened. */
  check(): void {
    this.#settle(({ condition }) => (condition() ? true : undefined));
  }

  /** Time passed. */
  tick(now: number): void {
    this.#settle(({ deadline }) => (deadline <= now ? false : undefined));
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
  readonly resolve: (there: boolean) => void;
}
