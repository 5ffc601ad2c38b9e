let last = 0;

/**
 * A short name for one connection or tunnel, unique within the process, for people who follow it through the log
 * ("c-1f3a"). It is a plain count and no secret: it opens nothing.
 */
export function nextPeerId(prefix = 'c'): string {
  last += 1;
  return `${prefix}-${last.toString(36).padStart(4, '0')}`;
}
