import { parseArgs } from 'node:util';
import { InvalidConfigError, suggestion } from '../config/index.ts';
import type { Problem } from '../config/index.ts';

/** The flags of one command: whether each takes a value, none, or may come several times. */
export type FlagKinds = Readonly<Record<string, 'switch' | 'value' | 'values'>>;

export interface Arguments {
  readonly positionals: readonly string[];
  /** By name, in the order given; a switch that was given has one empty text. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

const HELP = { help: { type: 'boolean', short: 'h' } } as const;

/** Throws `InvalidConfigError` that names every flag that is unknown, lacks its value or comes twice. */
export function parseArguments(args: readonly string[], kinds: FlagKinds): Arguments {
  const types = Object.entries(kinds).map(([name, kind]) => [name, { type: kind === 'switch' ? 'boolean' : 'string' }]);
  const options = { ...(Object.fromEntries(types) as Record<string, { type: 'boolean' | 'string' }>), ...HELP };
  const { tokens, positionals } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const flags = new Map<string, string[]>();
  const problems: Problem[] = [];
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const reason = faultOf(token, kinds, flags);
    if (reason === undefined) flags.set(token.name, [...(flags.get(token.name) ?? []), token.value ?? '']);
    else problems.push({ path: token.rawName, reason });
  }
  if (problems.length > 0) throw new InvalidConfigError('COMMAND_LINE', problems);
  return { positionals, flags };
}

function faultOf(token: OptionToken, kinds: FlagKinds, seen: ReadonlyMap<string, unknown>): string | undefined {
  const { name, rawName, value, inlineValue } = token;
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind === undefined)
    return `unknown flag${suggestion(
      rawName,
      Object.keys(kinds).map((known) => `--${known}`),
    )}`;
  if (kind === 'switch') return value === undefined ? undefined : 'takes no value';
  // `--rtmp --http 80` has forgotten a value rather than named a host `--http`.
  if (value === undefined || value === '' || (!inlineValue && value.startsWith('-'))) return 'needs a value';
  return kind === 'value' && seen.has(name) ? 'given twice' : undefined;
}
