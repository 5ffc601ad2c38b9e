/**
 * Whether a stream's path fits a pattern such as `live/*`: segment by segment, `*` standing for any run of characters within
 * one. Everything else stands for itself.
 */
export function matcher(pattern: string): (path: string) => boolean {
  const segments = split(pattern).map((segment) => segment.split('*'));
  return (path) => {
    const parts = path.split('/');
    return parts.length === segments.length && segments.every((pieces, index) => fits(pieces, parts[index]!));
  };
}

/** Why a pattern could never match, or nothing. */
export function patternFault(pattern: string): string | undefined {
  const segments = split(pattern);
  if (segments.includes('')) return 'has an empty segment';
  return segments.some((segment) => segment.includes('**')) ? 'has two * in a row' : undefined;
}

/** Slashes at either end mean nothing, as in a stream's name, whose form of Unicode it takes. */
function split(pattern: string): string[] {
  return pattern
    .normalize('NFC')
    .replace(/^\/+|\/+$/g, '')
    .split('/');
}

/**
 * Whether `text` is the pieces with anything between them: each is looked for behind the one before, which never has to be
 * taken back. A regular expression tries all ways and takes minutes for a name made to keep it busy.
 */
function fits(pieces: readonly string[], text: string): boolean {
  const [first = '', ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of others) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}
