import { z } from 'zod';
import { GatewayError } from '../errors.ts';
import { patternFault } from '../hub/index.ts';
import { redactUrl } from '../log.ts';
import { compileRule, DEFAULT_IDLE_MS, targetTemplate, type RelayRule } from '../relay/index.ts';
import { duration, leaf, list, listOrOne, REDACTED, section, text, toggle } from './fields.ts';

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
  verify: toggle().optional(),
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
  { kind: 'pull', servers: 'from', others: ['to', 'key'] },
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

function relayRule({ push, to = [], key, pull = '', from = [], idle, verify }: Written): RelayRule {
  if (push !== undefined) return { push, to, ...(key !== undefined && { key }), verify: verify ?? true };
  return { pull, from, idleMs: idle ?? DEFAULT_IDLE_MS, verify: verify ?? true };
}
