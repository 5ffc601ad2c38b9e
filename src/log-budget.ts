import type { Log } from './log.ts';

export const LINE_BUDGET = Object.freeze({
  // A client that comes, publishes or plays and goes leaves three; a whole office of 200 may do so in the same minute.
  lines: 600,
  windowMs: 60_000,
});

/** Addresses looked after at once, before those whose minute is over are let go. */
const MANY = 1_000;

interface Budget {
  startedAt: number;
  told: number;
  withheld: number;
}

/**
 * A log in which no address can drown the others: of what is said about one (the field `address`, of the line or of a
 * child), so many lines a minute pass; the others are counted and told with its next line. What is told in detail, and
 * what is our own fault, always passes. `now` in milliseconds.
 */
export function frugal(log: Log, now: () => number): Log {
  return new FrugalLog(log, new Budgets(now), undefined);
}

class FrugalLog implements Log {
  readonly #log: Log;
  readonly #budgets: Budgets;
  readonly #address: string | undefined;

  constructor(log: Log, budgets: Budgets, address: string | undefined) {
    this.#log = log;
    this.#budgets = budgets;
    this.#address = address;
  }

  debug(fields: object, message: string): void {
    this.#log.debug(fields, message);
  }

  info(fields: object, message: string): void {
    this.#tell('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#tell('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#log.error(fields, message);
  }

  child(fields: object): Log {
    return new FrugalLog(this.#log.child(fields), this.#budgets, addressIn(fields) ?? this.#address);
  }

  #tell(level: 'info' | 'warn', fields: object, message: string): void {
    const address = addressIn(fields) ?? this.#address;
    const withheld = address === undefined ? 0 : this.#budgets.spend(address);
    if (withheld === undefined) return;
    this.#log[level](withheld > 0 ? { ...fields, linesWithheld: withheld } : fields, message);
  }
}

class Budgets {
  readonly #now: () => number;
  readonly #byAddress = new Map<string, Budget>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many lines were withheld before this one, or undefined when this one is to be withheld too. */
  spend(address: string): number | undefined {
    const now = this.#now();
    const budget = this.#byAddress.get(address);
    if (budget === undefined || isOver(budget, now)) return this.#renew(address, budget?.withheld ?? 0, now);
    if (budget.told < LINE_BUDGET.lines) {
      budget.told += 1;
      return 0;
    }
    budget.withheld += 1;
    return undefined;
  }

  #renew(address: string, withheld: number, now: number): number {
    if (this.#byAddress.size >= MANY) this.#letGo(now);
    // At the end: the map stays in the order of age.
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { startedAt: now, told: 1, withheld: 0 });
    return withheld;
  }

  #letGo(now: number): void {
    for (const [address, budget] of this.#byAddress) {
      if (!isOver(budget, now)) return;
      this.#byAddress.delete(address);
    }
  }
}

function isOver({ startedAt }: Budget, now: number): boolean {
  return now - startedAt >= LINE_BUDGET.windowMs;
}

function addressIn(fields: object): string | undefined {
  return 'address' in fields && typeof fields.address === 'string' ? fields.address : undefined;
}
