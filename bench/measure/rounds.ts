import type { Contender, Entry } from './contender.ts';

export type Figures = Readonly<Record<string, number | undefined>>;

/** One row of a comparison: a contender's medians over all rounds. */
export interface Row {
  readonly name: string;
  readonly figures: Figures;
}

/**
 * Runs `once` on each contender in turn, several times, every other round in reverse, so that a noisy machine is noisy for
 * all of them. Each contender is a fresh process in each round.
 */
export async function rounds(
  count: number,
  entries: readonly Entry[],
  once: (contender: Contender) => Promise<Figures>,
  say: (name: string, round: number, figures: Figures) => void,
): Promise<Row[]> {
  const results = new Map<string, Figures[]>(entries.map(({ name }) => [name, []]));
  for (let round = 0; round < count; round++) {
    for (const entry of round % 2 === 0 ? entries : entries.toReversed()) {
      const contender = await entry.start();
      try {
        const figures = await once(contender);
        results.get(entry.name)!.push(figures);
        say(entry.name, round, figures);
      } finally {
        await contender.stop();
      }
    }
  }
  return [...results].map(([name, runs]) => ({ name, figures: medians(runs) }));
}

function medians(runs: readonly Figures[]): Figures {
  const keys = Object.keys(runs[0] ?? {});
  return Object.fromEntries(keys.map((key) => [key, median(runs.map((figures) => figures[key]))]));
}

export function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
