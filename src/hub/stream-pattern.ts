/** A list with a wildcard wherever two blocks meet, or one block and no wildcard. */
type Blocks<T> = readonly (readonly T[])[];

/**
 * Whether a stream's path fits a pattern such as `live/*`, segment by segment: `*` stands for any run of characters within
 * one, a segment that is `**` for one segment or more. Everything else stands for itself.
 *
 * What lies between two wildcards is looked for behind what was found before, which never has to be taken back. A regular
 * expression tries all ways and takes minutes for a name made to keep it busy.
 */
export function streamMatcher(pattern: string): (path: string) => boolean {
  const blocks: Blocks<Segment> = cut(split(pattern), '**').map((segments) => segments.map(segmentMatcher));
  return (path) => fitBlocks(blocks, path.split('/'));
}

/** Why a pattern could never match, or nothing. */
export function patternFault(pattern: string): string | undefined {
  const segments = split(pattern);
  if (segments.includes('')) return 'has an empty segment';
  return segments.some((segment) => segment !== '**' && segment.includes('**'))
    ? 'has ** beside other text'
    : undefined;
}

type Segment = (text: string) => boolean;

/** Slashes at either end mean nothing, as in a stream's name, whose form of Unicode it takes. */
function split(pattern: string): string[] {
  return pattern
    .normalize('NFC')
    .replace(/^\/+|\/+$/g, '')
    .split('/');
}

function cut(segments: readonly string[], wildcard: string): string[][] {
  const blocks: string[][] = [[]];
  for (const segment of segments) {
    if (segment === wildcard) blocks.push([]);
    else blocks.at(-1)!.push(segment);
  }
  return blocks;
}

function fitBlocks(blocks: Blocks<Segment>, parts: readonly string[]): boolean {
  const [first = [], ...others] = blocks;
  const last = others.pop();
  const isAt = (block: readonly Segment[], at: number) => block.every((segment, i) => segment(parts[at + i]!));
  if (last === undefined) return parts.length === first.length && isAt(first, 0);
  let at = first.length;
  const end = parts.length - last.length;
  // Each wildcard takes one segment at least.
  if (end < at + 1 + others.length || !isAt(first, 0) || !isAt(last, end)) return false;
  for (const block of others) {
    at += 1;
    while (at + block.length < end && !isAt(block, at)) at += 1;
    if (at + block.length >= end) return false;
    at += block.length;
  }
  return at < end;
}

function segmentMatcher(segment: string): Segment {
  const [first = '', ...others] = segment.split('*');
  const last = others.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const piece of others) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= text.length - last.length;
  };
}
