import type { Contender, Entry } from '../measure/contender.ts';
import type { Figures } from '../measure/rounds.ts';

export interface RunOptions {
  /** How long each measurement lasts. */
  readonly seconds: number;
}

/** One comparison: who takes part, and what is done to each in every round. */
export interface Suite {
  readonly name: string;
  readonly title: string;
  readonly entries: readonly Entry[];
  once(contender: Contender, options: RunOptions): Promise<Figures>;
}
