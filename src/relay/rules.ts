import { ConfigError } from '../errors.ts';
import { patternFault, streamMatcher } from '../hub/index.ts';
import { targetTemplate, type TargetTemplate } from './target.ts';

/** Streams that are published here go to other servers. */
export interface PushRule {
  /** Which streams, as `live/*`: `*` stands for any characters within one segment. */
  readonly push: string;
  /** URLs with `{app}` and `{stream}` for the names. */
  readonly to: string | readonly string[];
  /** Said as the stream's name in the place of what the URL ends with; the URL's whole path is the application then. */
  readonly key?: string | undefined;
  /** False takes any certificate. */
  readonly verify?: boolean | undefined;
}

/** Streams that nobody publishes here are fetched when somebody wants to play them. */
export interface PullRule {
  readonly pull: string;
  /** URLs, in the order in which they are asked. */
  readonly from: string | readonly string[];
  /** How long a stream is kept when its last player has left. Milliseconds. */
  readonly idleMs?: number | undefined;
  readonly verify?: boolean | undefined;
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
  matches(path: string): boolean;
}

/** Throws `ConfigError` BAD_RELAY for a pattern or a list that means nothing, BAD_URL for a URL. */
export function compileRule(rule: RelayRule): CompiledRule {
  const isPush = 'push' in rule;
  const match = isPush ? rule.push : rule.pull;
  const fault = patternFault(match);
  if (fault !== undefined) throw new ConfigError('BAD_RELAY', `the pattern of a relay ${fault}`);
  const urls = [isPush ? rule.to : rule.from].flat();
  if (urls.length === 0) throw new ConfigError('BAD_RELAY', 'a relay needs at least one URL');
  const key = isPush ? rule.key : undefined;
  return {
    kind: isPush ? 'push' : 'pull',
    match,
    templates: urls.map((url) => targetTemplate(url, key)),
    idleMs: isPush ? DEFAULT_IDLE_MS : (rule.idleMs ?? DEFAULT_IDLE_MS),
    matches: streamMatcher(match),
  };
}
