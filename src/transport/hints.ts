import type { Log } from '../log.ts';

export const HINT_LIMITS = Object.freeze({
  // Enough to see that several clients are affected; a flood of bad connections may not become a flood of lines.
  maxPerWindow: 5,
  // An operator who reads along sees each kind of trouble named again once a minute while it lasts.
  windowMs: 60_000,
});

interface Budget {
  startedAt: number;
  told: number;
  withheld: number;
}

/**
 * Lines about connections that came to nothing. Anyone can cause them by connecting, so each kind has a budget; what
 * was withheld is counted and told with the next line of that kind. Kinds are a fixed small set chosen by the caller.
 */
export class Hints {
  readonly #log: Log;
  readonly #budgets = new Map<string, Budget>();

  constructor(log: Log) {
    this.#log = log;
  }

  tell(level: 'info' | 'warn', kind: string, fields: object, message: string, now: number): void {
    const withheld = this.#spend(kind, now);
    if (withheld === undefined) return;
    this.#log[level](withheld > 0 ? { ...fields, similarWithheld: withheld } : fields, message);
  }

  /** How many lines were withheld before this one, or undefined when this one is to be withheld too. */
  #spend(kind: string, now: number): number | undefined {
    const budget = this.#budgets.get(kind);
    if (budget === undefined || now - budget.startedAt >= HINT_LIMITS.windowMs) {
      this.#budgets.set(kind, { startedAt: now, told: 1, withheld: 0 });
      return budget?.withheld ?? 0;
    }
    if (budget.told < HINT_LIMITS.maxPerWindow) {
      budget.told += 1;
      return 0;
    }
    budget.withheld += 1;
    return undefined;
  }
}
