/**
 * Whether a stream's path fits a pattern such as `live/*`: segment by segment, `*` standing for any run of characters within
 * one. Everything else stands for itself.
 */
export function matcher(pattern: string): (path: string) => boolean {
  const segments = split(pattern).map(
    (segment) => new RegExp(`^${segment.split('*').map(escape).join('[^/]*')}$`, 'u'),
  );
  return (path) => {
    const parts = path.split('/');
    return parts.length === segments.length && segments.every((segment, index) => segment.test(parts[index]!));
  };
}

/** Why a pattern could never match, or nothing. */
export function patternFault(pattern: string): string | undefined {
  const segments = split(pattern);
  if (segments.includes('')) return 'has an empty segment';
  return segments.some((segment) => segment.includes('**'))
    ? '* already stands for any number of characters'
    : undefined;
}

/** Slashes at either end mean nothing, as in a stream's name. */
function split(pattern: string): string[] {
  return pattern
    .normalize('NFC')
    .replace(/^\/+|\/+$/g, '')
    .split('/');
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
