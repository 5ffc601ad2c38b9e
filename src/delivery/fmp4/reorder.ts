import type { Coded } from './coded.ts';

/**
 * How much later than in the order of their times pictures are decoded, at most; milliseconds. `said`: a publisher says it with
 * the composition time of its first picture; one that says nothing shows it in these.
 */
export function reorderDelay(pictures: readonly Pick<Coded, 'at'>[], said: number): number {
  const shown = pictures.map(({ at }) => at).sort((a, b) => a - b);
  return pictures.reduce((most, { at }, index) => Math.max(most, shown[index]! - at), said);
}
