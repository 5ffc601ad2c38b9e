/**
 * The small languages inside configuration values: durations, sizes and `${NAME}`. Every reader returns
 * `undefined` for text it does not understand, so that the caller can say what it expected; every writer gives back text
 * that its reader takes.
 */

/** Biggest unit last: writers take the biggest that divides the value. */
const DURATIONS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
/** Read but never written: what network people type out of habit. */
const DECIMAL_SIZES = { kB: 1000, KB: 1000, MB: 1000 ** 2, GB: 1000 ** 3 };

type Units = Readonly<Record<string, number>>;

/** `500ms`, `30s`, `2m`, `1h`, `7d` in milliseconds. A bare number is refused (of what?), but for 0. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, DURATIONS);
}

/** `64KiB`, `4MiB`, `1500B`, and decimal `10MB`, in bytes. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, { ...SIZES, ...DECIMAL_SIZES });
}

/** Milliseconds as the configuration file writes them. */
export function formatDuration(ms: number): string {
  return formatQuantity(ms, DURATIONS);
}

/** Bytes as the configuration file writes them. */
export function formatSize(bytes: number): string {
  return formatQuantity(bytes, SIZES);
}

function parseQuantity(text: string, units: Units): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '0') return 0;
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(trimmed) ?? [];
  if (digits === undefined || unit === undefined || !Object.hasOwn(units, unit)) return undefined;
  const value = Math.round(Number(digits) * (units[unit] ?? Number.NaN));
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatQuantity(value: number, units: Units): string {
  const fitting = Object.entries(units).filter(([, factor]) => value !== 0 && value % factor === 0);
  const [unit, factor] = fitting.at(-1) ?? Object.entries(units)[0] ?? ['', 1];
  return `${value / factor}${unit}`;
}

/**
 * Marks that stand for `${`, an escaped `$${`, and `}` while YAML reads the text: in a flow mapping such as
 * `{ pfx: live.p12, passphrase: ${P12} }` YAML would take the braces for its own. Private-use characters, one for one, so
 * that line numbers stay; values come in after YAML is done, so none can change the file's structure.
 */
const MARKS = { variable: '\ue000', literal: '\ue001', end: '\ue002' };

const VARIABLE = /\$\$\{([^}\n]*)\}|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
const MARKED = new RegExp(`([${MARKS.variable}${MARKS.literal}])([^${MARKS.end}]*)${MARKS.end}`, 'g');

/** Hides every `${NAME}` of a YAML text behind marks. `$${anything}` stands for a literal `${anything}`. */
export function markVariables(text: string): string {
  return text.replace(VARIABLE, (_, literal: string | undefined, name: string) =>
    literal === undefined ? MARKS.variable + name + MARKS.end : MARKS.literal + literal + MARKS.end,
  );
}

/** The text as its author wrote it. */
export function unmarkVariables(text: string): string {
  return text.replace(MARKED, (_, mark: string, name: string) => `${mark === MARKS.literal ? '$' : ''}\${${name}}`);
}

/** Puts the environment's values in the place of the marks; `missing` are the variables that are not set. */
export function substitute(text: string, env: Environment): { readonly text: string; readonly missing: string[] } {
  const missing: string[] = [];
  const lookUp = (name: string) => env[name] ?? (missing.push(name), '');
  const result = text.replace(MARKED, (_, mark: string, name: string) =>
    mark === MARKS.literal ? `\${${name}}` : lookUp(name),
  );
  return { text: result, missing };
}

/** The process's environment, or a test's. */
export type Environment = Readonly<Record<string, string | undefined>>;
