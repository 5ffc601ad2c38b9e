/**
 * The kinds of values in a configuration file, as zod codecs: decoding takes what YAML gave and complains in words,
 * encoding gives back what one would write in the file. Anything from an environment variable or a flag comes as text,
 * hence numbers and switches take their text too.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { show, suggestion } from './problems.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';

/** Smallest and biggest value that is taken. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** What stands for a listener that is left out. */
export const OFF = 'off';

/** What is printed in a secret's place. */
export const REDACTED = '[redacted]';

interface Kind<T> {
  /** Completes "expected …". */
  readonly expected: string;
  /** Undefined: not one of these. */
  readonly read: (input: unknown) => T | undefined;
  readonly write?: (value: T) => unknown;
  /** A secret: even a wrong value is not repeated. */
  readonly hidden?: boolean;
}

/** One value without keys below it. `T` is its type inside the program. */
export function leaf<T>({ expected, read, write, hidden = false }: Kind<T>) {
  return z.codec(z.unknown(), z.custom<T>(), {
    decode(input, context) {
      const value = read(input);
      if (value !== undefined) return value;
      const message = `expected ${expected}, got ${hidden ? 'something else' : show(input)}`;
      context.issues.push({ code: 'custom', message, input });
      return z.NEVER;
    },
    encode: (value) => (write ? write(value) : value),
  });
}

/** Keys of their own, all of them known; a section with nothing in it is the same as no section. */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  const known = Object.keys(shape);
  const error: z.core.$ZodErrorMap = (issue) => {
    if (issue.code !== 'unrecognized_keys') return `expected keys with values, got ${show(issue.input)}`;
    return issue.keys.map((key) => `unknown key${suggestion(key, known)}`).join('\n');
  };
  return z.codec(z.unknown(), z.strictObject(shape, { error }), {
    decode: (input) => (input ?? {}) as z.input<z.ZodObject<S, z.core.$strict>>,
    encode: (value) => value,
  });
}

/** A list; nothing counts as an empty one. */
export function list<E extends z.ZodType>(element: E) {
  const error: z.core.$ZodErrorMap = (issue) => `expected a list, got ${show(issue.input)}`;
  return z.codec(z.unknown(), z.array(element, { error }), {
    decode: (input) => (input ?? []) as z.input<E>[],
    encode: (value) => value,
  });
}

/** A list; one thing alone counts as a list of one. */
export function listOrOne<E extends z.ZodType>(element: E) {
  return z.codec(z.unknown(), z.array(element), {
    decode: (input) => (Array.isArray(input) ? input : [input]) as z.input<E>[],
    encode: (value) => value,
  });
}

/** A whole number. */
export function count(range: Range = {}) {
  const within = bounded(range);
  const expected = `a whole number${formatRange(range, String)}`;
  return leaf({ expected, read: (input) => within(wholeNumber(input)) });
}

/** A TCP port, or `off`. */
export function portOrOff() {
  const within = bounded({ min: 0, max: 65535 });
  const read = (input: unknown) => (isOff(input) ? OFF : within(wholeNumber(input)));
  return leaf<number | typeof OFF>({ expected: '0–65535', read });
}

/** Milliseconds, written `500ms`, `30s`, `2m`. */
export function duration(range: Range = {}) {
  const within = bounded(range);
  const expected = `a duration such as 500ms, 30s or 2m${formatRange(range, formatDuration)}`;
  return leaf({ expected, read: (input) => within(quantity(input, parseDuration)), write: formatDuration });
}

/** Bytes, written `64KiB`, `4MiB`. */
export function size(range: Range = {}) {
  const within = bounded(range);
  const expected = `a size such as 64KiB or 4MiB${formatRange(range, formatSize)}`;
  return leaf({ expected, read: (input) => within(quantity(input, parseSize)), write: formatSize });
}

/** One of a few words (or numbers, given as text). */
export function choice<const W extends string>(...words: readonly W[]) {
  const read = (input: unknown) => words.find((word) => word === String(input));
  return leaf<W>({ expected: words.length === 1 ? words[0]! : `one of ${words.join(', ')}`, read });
}

/** One of a few words, or `off`. */
export function offOr<const W extends string>(...words: readonly W[]) {
  const read = (input: unknown) => (isOff(input) ? OFF : words.find((word) => word === input));
  return leaf<W | typeof OFF>({ expected: `one of ${[OFF, ...words].join(', ')}`, read });
}

/** A list of some of these words, at least one and none twice. */
export function words<const W extends string>(name: string, known: readonly W[]) {
  const one = leaf<W>({
    expected: `a ${name}, one of ${known.join(', ')}`,
    read: (input) => known.find((word) => word === input),
  });
  const twice = (chosen: readonly W[]) => chosen.find((word, index) => chosen.indexOf(word) !== index);
  return list(one)
    .refine((chosen) => chosen.length > 0, `expected at least one ${name}`)
    .refine((chosen) => twice(chosen) === undefined, {
      error: ({ input }) => `${String(twice(input as readonly W[]))} is there twice`,
    });
}

/** true or false. */
export function toggle() {
  const read = (input: unknown) => (typeof input === 'boolean' ? input : TOGGLES.get(String(input)));
  return leaf({ expected: 'true or false', read });
}

/** Not-empty text. A number in the file has to be put in quotes, so that nothing is lost on the way (`007`). */
export function text(expected: string, accepts: (text: string) => boolean = () => true) {
  const fits = (input: unknown): input is string => typeof input === 'string' && input !== '' && accepts(input);
  return leaf({ expected, read: (input) => (fits(input) ? input : undefined) });
}

/** Text that nobody gets to see again: neither an error nor the effective configuration shows it. */
export function secret(minLength = 1) {
  const read = (input: unknown) => (typeof input === 'string' && input.length >= minLength ? input : undefined);
  const least = minLength > 1 ? `text of ${minLength} characters or more` : 'text (a number in quotes)';
  return leaf({ expected: least, read, write: () => REDACTED, hidden: true });
}

/** A host name or an IP address to listen on; brackets around IPv6 are taken off. */
export function host() {
  const read = (input: unknown) => (typeof input === 'string' ? parseHost(input) : undefined);
  return leaf({ expected: 'a host name or an IP address', read });
}

/** The name or address itself, or undefined when the text is neither. */
export function parseHost(text: string): string | undefined {
  const bare = /^\[(.*)\]$/.exec(text)?.[1];
  if (bare !== undefined) return isIP(bare) === 6 ? bare : undefined;
  return isIP(text) !== 0 || /^(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?$/.test(text) ? text : undefined;
}

/** A key of a later version: it may be there, as long as it asks for nothing. `reason` says what is not there yet. */
export function later(reason: string, harmless: (input: unknown) => boolean = asksNothing) {
  const decode = (input: unknown, context: z.core.ParsePayload) => {
    if (!harmless(input)) context.issues.push({ code: 'custom', message: reason, input });
    return undefined;
  };
  return z.codec(z.unknown(), z.undefined(), { decode, encode: () => undefined }).optional();
}

/** Nothing, `off`, an empty list or section, `enabled: false`, or a section of nothing but these. */
export function asksNothing(input: unknown): boolean {
  if (input === undefined || input === null || input === '' || isOff(input)) return true;
  if (Array.isArray(input)) return input.length === 0;
  if (typeof input !== 'object') return false;
  if ('enabled' in input && (isOff(input.enabled) || input.enabled === 'false')) return true;
  return Object.values(input).every(asksNothing);
}

/** YAML 1.2 reads `off` as text, YAML 1.1 read it as false: people write both. */
export function isOff(input: unknown): boolean {
  return input === OFF || input === false;
}

const TOGGLES: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

function bounded({ min = 0, max = Number.MAX_SAFE_INTEGER }: Range) {
  return (value: number | undefined) => (value !== undefined && value >= min && value <= max ? value : undefined);
}

function wholeNumber(input: unknown): number | undefined {
  const value = typeof input === 'string' && /^\d+$/.test(input) ? Number(input) : input;
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

function quantity(input: unknown, parse: (text: string) => number | undefined): number | undefined {
  if (typeof input === 'string') return parse(input);
  return input === 0 ? 0 : undefined;
}

function formatRange({ min, max }: Range, format: (value: number) => string): string {
  if (min !== undefined && max !== undefined) return ` (${format(min)} to ${format(max)})`;
  if (min !== undefined) return ` (at least ${format(min)})`;
  return max === undefined ? '' : ` (at most ${format(max)})`;
}
