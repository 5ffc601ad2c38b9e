import type { Coded } from './coded.ts';

/** How much later than in the order of their times pictures are decoded, at most; milliseconds. */
export function reorderDelay(pictures: readonly Pick<Coded, 'at'>[]): number {
  const shown = pictures.map(({ at }) => at).sort((a, b) => a - b);
  return pictures.reduce((most, { at }, index) => Math.max(most, shown[index]! - at), 0);
}
