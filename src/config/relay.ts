import { z } from 'zod';
import { GatewayError } from '../errors.ts';
import { patternFault } from '../hub/index.ts';
import { redactUrl } from '../log.ts';
import { codecNamed, CODEC_NAMES, compileRule, DEFAULT_IDLE_MS, targetTemplate } from '../relay/index.ts';
import type { RelayRule, ServerRule } from '../relay/index.ts';
import { parseProxy } from '../transport/index.ts';
import { duration, leaf, list, listOrOne, parseHost, REDACTED, secret, section, text, toggle } from './fields.ts';
import { certificateFile } from './pem-file.ts';

/** `relay`: which streams are pushed to other servers, and which are pulled from them. */

/** URLs hold keys: printed without them, and never repeated in an error. */
const url = leaf<string>({
  expected: 'a URL such as rtmps://HOST/APP/{stream}, of rtmp, rtmps, rtmpt or rtmpts',
  read: (input) => (typeof input === 'string' && isUrl(input) ? input : undefined),
  write: redactUrl,
  hidden: true,
});

function isUrl(input: string): boolean {
  try {
    // Whether it names a stream is judged together with `key`.
    targetTemplate(input, 'any');
    return true;
  } catch {
    return false;
  }
}

/** The same: printed without user and password. */
const proxy = leaf<string>({
  expected: 'the URL of a proxy such as http://HOST:3128, of http, https, socks5 or socks5h',
  read: (input) => (typeof input === 'string' && isProxy(input) ? input : undefined),
  write: writeProxy,
  hidden: true,
});

function isProxy(input: string): boolean {
  try {
    parseProxy(input);
    return true;
  } catch {
    return false;
  }
}

function writeProxy(url: string): string {
  const { shown, credentials } = parseProxy(url);
  return credentials === undefined ? shown : shown.replace('://', '://***:***@');
}

const codec = leaf<string>({
  expected: `one of ${CODEC_NAMES.join(', ')}`,
  read: (input) => (typeof input === 'string' && codecNamed(input) !== undefined ? input : undefined),
});

const pattern = () => text('a pattern such as live/*', (input) => patternFault(input) === undefined);

const rule = section({
  push: pattern().optional(),
  to: listOrOne(url).optional(),
  key: leaf<string>({
    expected: "the stream's name over there",
    read: (input) => (typeof input === 'string' && input !== '' ? input : undefined),
    write: () => REDACTED,
    hidden: true,
  }).optional(),
  pull: pattern().optional(),
  from: listOrOne(url).optional(),
  idle: duration({ max: 86_400_000 }).optional(),
  codecs: listOrOne(codec).optional(),
  verify: toggle().optional(),
  ca: listOrOne(certificateFile()).optional(),
  serverName: text('the name of a server', (input) => parseHost(input) !== undefined).optional(),
  proxy: proxy.optional(),
  user: text("the user's name over there").optional(),
  password: secret().optional(),
});

type Written = z.output<typeof rule>;

export const relay = list(
  rule.superRefine((written, context) => {
    for (const message of faultsOf(written)) context.addIssue({ code: 'custom', message, input: written });
  }),
).default([]);

/** What a rule of either kind has, and the keys of the other kind that it must not have. */
const SHAPES = [
  { kind: 'push', servers: 'to', others: ['from', 'idle'] },
  { kind: 'pull', servers: 'from', others: ['to', 'key', 'codecs'] },
] as const;

function faultsOf(written: Written): string[] {
  const [shape, second] = SHAPES.filter(({ kind }) => written[kind] !== undefined);
  if (shape === undefined || second !== undefined) return ['expected either push and to, or pull and from'];
  const { kind, servers, others } = shape;
  if ((written[servers] ?? []).length === 0) return [`${kind} needs ${servers}: at least one URL`];
  const foreign = others.filter((key) => written[key] !== undefined);
  if (foreign.length > 0) return foreign.map((key) => `${key} is no key of a ${kind} rule`);
  try {
    compileRule(relayRule(written));
    return [];
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return [error.message];
  }
}

export function relayRules(written: readonly Written[]): RelayRule[] {
  return written.map(relayRule);
}

function relayRule(written: Written): RelayRule {
  const { push, to = [], key, codecs, pull = '', from = [], idle } = written;
  if (push === undefined) return { pull, from, idleMs: idle ?? DEFAULT_IDLE_MS, ...serverRule(written) };
  return { push, to, ...given({ key, codecs }), ...serverRule(written) };
}

function serverRule({ verify = true, ca, serverName, proxy: through, user, password }: Written): ServerRule {
  const authorities = ca?.map(({ pem }) => pem);
  return { verify, ...given({ ca: authorities, serverName, proxy: through, user, password }) };
}

/** Without the keys that have no value. */
function given<T extends object>(keys: T): Partial<T> {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined)) as Partial<T>;
}
