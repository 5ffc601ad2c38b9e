import { DEFAULT_IDLE_MS, type RelayRule, type ServerRule } from '../relay/index.ts';

/** A rule that somebody sent, or what is wrong with it. */
export type ReadRule = { readonly rule: RelayRule } | { readonly fault: string };

const OF_SERVERS = ['verify', 'ca', 'serverName', 'proxy', 'user', 'password'] as const;

const KEYS = {
  push: ['push', 'to', 'key', 'codecs', ...OF_SERVERS],
  pull: ['pull', 'from', 'idleMs', ...OF_SERVERS],
} as const;

/** A day: as long as the configuration file takes. */
const MAX_IDLE_MS = 86_400_000;

/** Longer than any URL that a server takes. */
const MAX_TEXT = 2048;
const MAX_URLS = 32;
/** Some authorities with long keys. */
const MAX_PEM = 32 * 1024;

/** Reads a rule as JSON: the keys of the configuration file, with `idleMs` for `idle` and PEM for `ca`. Patterns and URLs are not judged yet. */
export function readRule(body: unknown): ReadRule {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { fault: 'expected an object' };
  const given = body as Readonly<Record<string, unknown>>;
  const kind = 'push' in given ? 'push' : 'pull';
  const known: readonly string[] = KEYS[kind];
  const foreign = Object.keys(given).find((key) => !known.includes(key));
  if (foreign !== undefined) return { fault: `${foreign.slice(0, 64)} is no key of a ${kind} rule` };
  const { key, codecs, idleMs = DEFAULT_IDLE_MS } = given;
  const servers = readServers(given);
  if ('fault' in servers) return servers;
  const match = given[kind];
  if (!isText(match)) return { fault: `${kind}: expected a pattern such as live/*` };
  const name = kind === 'push' ? 'to' : 'from';
  const urls = [given[name]].flat();
  if (urls.length === 0 || urls.length > MAX_URLS || !urls.every(isText)) {
    return { fault: `${name}: expected a URL, or a list of ${MAX_URLS} at most` };
  }
  if (kind === 'push') {
    if (key !== undefined && !isText(key)) return { fault: "key: expected the stream's name over there" };
    const names = codecs === undefined ? undefined : [codecs].flat();
    if (names !== undefined && !(names.length <= MAX_URLS && names.every(isText))) {
      return { fault: `codecs: expected a list of ${MAX_URLS} names at most` };
    }
    return { rule: { push: match, to: urls, key, codecs: names, ...servers.rule } };
  }
  if (!Number.isInteger(idleMs) || (idleMs as number) < 0 || (idleMs as number) > MAX_IDLE_MS) {
    return { fault: 'idleMs: expected milliseconds, a day at most' };
  }
  return { rule: { pull: match, from: urls, idleMs: idleMs as number, ...servers.rule } };
}

/** `ca` is PEM here and no path: whoever asks need not be whoever may read files. */
function readServers(given: Readonly<Record<string, unknown>>): { readonly rule: ServerRule } | { fault: string } {
  const { verify = true, ca, serverName, proxy, user, password } = given;
  if (typeof verify !== 'boolean') return { fault: 'verify: expected true or false' };
  const authorities = ca === undefined ? undefined : [ca].flat();
  if (authorities !== undefined && !(authorities.length <= MAX_URLS && authorities.every(isShortEnough))) {
    return { fault: `ca: expected certificates as PEM, or a list of ${MAX_URLS} at most` };
  }
  for (const [name, value] of Object.entries({ serverName, proxy, user, password })) {
    if (value !== undefined && !isText(value)) return { fault: `${name}: expected text` };
  }
  const texts = { serverName, proxy, user, password } as Pick<ServerRule, 'serverName' | 'proxy' | 'user' | 'password'>;
  return { rule: { verify, ...(authorities && { ca: authorities }), ...texts } };
}

/** What is in it the rule judges. */
function isShortEnough(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_PEM;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT;
}
