import { isIP } from 'node:net';
import { ConfigError } from '../errors.ts';
import { patternFault, streamMatcher } from '../hub/index.ts';
import {
  hasCertificates,
  parseProxy,
  type Credentials,
  type ProxyServer,
  type TlsClientOptions,
} from '../transport/index.ts';
import { CODEC_NAMES, codecNamed } from './codec-rules.ts';
import { targetTemplate, type TargetTemplate } from './target.ts';

/** What both kinds of rules may say of the servers they speak of. */
export interface ServerRule {
  /** False takes any certificate. */
  readonly verify?: boolean | undefined;
  /** Certificates (PEM) trusted beside the public authorities. */
  readonly ca?: readonly string[] | undefined;
  /** Named to the server in TLS, and looked for in its certificate, in the place of the URL's host. */
  readonly serverName?: string | undefined;
  /** The URL of a proxy to go through. */
  readonly proxy?: string | undefined;
  /** For servers that ask, in the place of a URL's `user:password@`. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** Streams that are published here go to other servers. */
export interface PushRule extends ServerRule {
  /** Which streams, as `live/*`: `*` stands for any characters within one segment. */
  readonly push: string;
  /** URLs with `{app}` and `{stream}` for the names. */
  readonly to: string | readonly string[];
  /** Said as the stream's name in the place of what the URL ends with; the URL's whole path is the application then. */
  readonly key?: string | undefined;
  /** The codecs that go there, by name; what the server announces unless told, and all if it announces nothing. */
  readonly codecs?: readonly string[] | undefined;
}

/** Streams that nobody publishes here are fetched when somebody wants to play them. */
export interface PullRule extends ServerRule {
  readonly pull: string;
  /** URLs, in the order in which they are asked. */
  readonly from: string | readonly string[];
  /** How long a stream is kept when its last player has left. Milliseconds. */
  readonly idleMs?: number | undefined;
}

export type RelayRule = PushRule | PullRule;

/** Long enough for a player that reconnects or a page that is loaded anew. */
export const DEFAULT_IDLE_MS = 10_000;

/** A rule that was found to be sound. */
export interface CompiledRule {
  readonly kind: 'push' | 'pull';
  readonly match: string;
  readonly templates: readonly TargetTemplate[];
  readonly idleMs: number;
  /** How to get there. */
  readonly access: Access;
  /** FourCCs; undefined: as the server says. */
  readonly codecs: ReadonlySet<string> | undefined;
  matches(path: string): boolean;
}

/** The way to the servers of a rule. */
export interface Access {
  readonly tls: TlsClientOptions;
  readonly proxy: ProxyServer | undefined;
}

/** Throws `ConfigError` BAD_RELAY for a pattern or a list that means nothing, BAD_URL or BAD_PROXY for a URL. */
export function compileRule(rule: RelayRule): CompiledRule {
  const isPush = 'push' in rule;
  const match = isPush ? rule.push : rule.pull;
  const fault = patternFault(match);
  if (fault !== undefined) throw new ConfigError('BAD_RELAY', `the pattern of a relay ${fault}`);
  const urls = [isPush ? rule.to : rule.from].flat();
  if (urls.length === 0) throw new ConfigError('BAD_RELAY', 'a relay needs at least one URL');
  const key = isPush ? rule.key : undefined;
  const credentials = credentialsOf(rule);
  return {
    kind: isPush ? 'push' : 'pull',
    match,
    templates: urls.map((url) => targetTemplate(url, key, credentials)),
    idleMs: isPush ? DEFAULT_IDLE_MS : (rule.idleMs ?? DEFAULT_IDLE_MS),
    access: accessOf(rule),
    codecs: isPush && rule.codecs !== undefined ? readCodecs(rule.codecs) : undefined,
    matches: streamMatcher(match),
  };
}

/** What TLS can ask for: a name of DNS, or an address. */
const SERVER_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/i;

function accessOf({ verify = true, ca, serverName, proxy }: ServerRule): Access {
  if (ca?.every(hasCertificates) === false) throw new ConfigError('BAD_RELAY', 'ca: expected certificates as PEM');
  if (serverName !== undefined && !SERVER_NAME.test(serverName) && isIP(serverName) === 0)
    throw new ConfigError('BAD_RELAY', 'serverName: expected the name of a server');
  const tls = { ...(ca !== undefined && { ca }), serverName, ...(!verify && { rejectUnauthorized: false }) };
  return { tls, proxy: proxy === undefined ? undefined : parseProxy(proxy) };
}

function credentialsOf({ user, password }: ServerRule): Credentials | undefined {
  if (user === undefined && password === undefined) return undefined;
  if (user === undefined || password === undefined)
    throw new ConfigError('BAD_RELAY', 'user and password belong together');
  return { user, password };
}

function readCodecs(names: readonly string[]): ReadonlySet<string> {
  if (names.length === 0) throw new ConfigError('BAD_RELAY', 'codecs names none; leave it out for all');
  return new Set(names.map((name) => readCodec(name)));
}

function readCodec(name: string): string {
  const codec = codecNamed(name);
  if (codec !== undefined) return codec;
  throw new ConfigError('BAD_RELAY', `codecs has a name that is not known; known are ${CODEC_NAMES.join(', ')}`);
}
