import { DEFAULT_IDLE_MS, type RelayRule } from '../relay/index.ts';

/** A rule that somebody sent, or what is wrong with it. */
export type ReadRule = { readonly rule: RelayRule } | { readonly fault: string };

const KEYS = {
  push: ['push', 'to', 'key', 'verify'],
  pull: ['pull', 'from', 'idleMs', 'verify'],
} as const;

/** A day: as long as the configuration file takes. */
const MAX_IDLE_MS = 86_400_000;

/** Longer than any URL that a server takes. */
const MAX_TEXT = 2048;
const MAX_URLS = 32;

/** Reads a rule as JSON: the keys of the configuration file, with `idleMs` for `idle`. Patterns and URLs are not judged yet. */
export function readRule(body: unknown): ReadRule {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { fault: 'expected an object' };
  const given = body as Readonly<Record<string, unknown>>;
  const kind = 'push' in given ? 'push' : 'pull';
  const known: readonly string[] = KEYS[kind];
  const foreign = Object.keys(given).find((key) => !known.includes(key));
  if (foreign !== undefined) return { fault: `${foreign.slice(0, 64)} is no key of a ${kind} rule` };
  const { verify = true, key, idleMs = DEFAULT_IDLE_MS } = given;
  if (typeof verify !== 'boolean') return { fault: 'verify: expected true or false' };
  const match = given[kind];
  if (!isText(match)) return { fault: `${kind}: expected a pattern such as live/*` };
  const name = kind === 'push' ? 'to' : 'from';
  const urls = [given[name]].flat();
  if (urls.length === 0 || urls.length > MAX_URLS || !urls.every(isText)) {
    return { fault: `${name}: expected a URL, or a list of ${MAX_URLS} at most` };
  }
  if (kind === 'push') {
    if (key !== undefined && !isText(key)) return { fault: "key: expected the stream's name over there" };
    return { rule: { push: match, to: urls, key, verify } };
  }
  if (!Number.isInteger(idleMs) || (idleMs as number) < 0 || (idleMs as number) > MAX_IDLE_MS) {
    return { fault: 'idleMs: expected milliseconds, a day at most' };
  }
  return { rule: { pull: match, from: urls, idleMs: idleMs as number, verify } };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT;
}
