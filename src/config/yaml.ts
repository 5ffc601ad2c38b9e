import { readFileSync } from 'node:fs';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, stringify, visit } from 'yaml';
import type { Document, Pair } from 'yaml';
import { formatPath, InvalidConfigError } from './problems.ts';
import type { Problem } from './problems.ts';
import { markVariables, substitute, unmarkVariables } from './units.ts';
import type { Environment } from './units.ts';

/** A configuration file as plain values that still know their lines. */
export interface Tree {
  readonly file: string;
  /** Maps, lists, text, numbers, booleans and null; environment variables are filled in, always as text. */
  readonly value: unknown;
  /** The line of a key, or of the nearest thing above it that the file has. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

type Yaml = Document.Parsed;

/** Reads a file. Throws `InvalidConfigError` when it cannot be read, or is not YAML, or lacks a variable. */
export function readTree(file: string, env: Environment): Tree {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new InvalidConfigError('CONFIG_UNREADABLE', [{ file, path: '', reason: readFailure(cause) }], { cause });
  }
  return parseTree(text, file, env);
}

/** Undefined when there is no such file: the default name may be absent, a name that was asked for may not. */
export function readTreeIfPresent(file: string, env: Environment): Tree | undefined {
  try {
    return readTree(file, env);
  } catch (error) {
    if (error instanceof InvalidConfigError && errorCode(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Parses the text of a file. */
export function parseTree(text: string, file: string, env: Environment): Tree {
  const lines = new LineCounter();
  const marked = markVariables(text.replace(/^\uFEFF/, ''));
  const document = parseDocument(marked, { lineCounter: lines, prettyErrors: false });
  const problems = [...syntaxProblems(document, file, lines), ...fillIn(document, file, lines, env)];
  if (problems.length > 0) throw new InvalidConfigError('CONFIG_INVALID', problems);
  const lineOf = (path: readonly PropertyKey[]) => lineOfPath(document, path, lines);
  return { file, value: plainValues(document, file), lineOf };
}

/** Plain values as YAML text; keys without a value are left out. */
export function formatTree(value: unknown): string {
  return stringify(value, { lineWidth: 120, keepUndefined: false });
}

/** Aliases are resolved here: one without its anchor, or a pile of them that grows without measure, throws. */
function plainValues(document: Yaml, file: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidConfigError('CONFIG_INVALID', [{ file, path: '', reason }], { cause });
  }
}

function syntaxProblems(document: Yaml, file: string, lines: LineCounter): Problem[] {
  return [...document.errors, ...document.warnings].map((error) => ({
    file,
    line: lines.linePos(error.pos[0]).line,
    path: '',
    reason: error.code === 'MULTIPLE_DOCS' ? 'only one document per file' : unmarkVariables(error.message),
  }));
}

/** Replaces the variables of every scalar, in values and in keys. */
function fillIn(document: Yaml, file: string, lines: LineCounter, env: Environment): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Scalar(_, node, ancestors) {
      if (typeof node.value !== 'string') return;
      const filled = substitute(node.value, env);
      const reasons = filled.missing.map((name) => `the environment variable ${name} is not set`);
      // Good variables are hidden behind marks: a `${` that is still there is none.
      const odd = /\$\{[^}]*\}?/.exec(node.value);
      if (odd) reasons.push(`${odd[0]} is not a variable's name; write $\${NAME} for a literal \${NAME}`);
      const line = node.range ? lines.linePos(node.range[0]).line : undefined;
      const path = formatPath(pathOf(node, ancestors));
      for (const reason of reasons) problems.push({ file, line, path, reason });
      node.value = filled.text;
    },
  });
  return problems;
}

/** The keys and list positions on the way from the root to `node`. */
function pathOf(node: unknown, ancestors: readonly unknown[]): PropertyKey[] {
  const path: PropertyKey[] = [];
  ancestors.forEach((ancestor, index) => {
    const child = ancestors[index + 1] ?? node;
    if (isSeq(ancestor)) path.push(ancestor.items.indexOf(child));
    else if (isMap(ancestor)) path.push(keyOf(child as Pair));
  });
  return path;
}

function keyOf(pair: Pair): string {
  const { key } = pair;
  return unmarkVariables(String(isScalar(key) ? key.value : key));
}

function lineOfPath(document: Yaml, path: readonly PropertyKey[], lines: LineCounter): number | undefined {
  let offset: number | undefined;
  let node: unknown = document.contents;
  for (const step of path) {
    const pair = isMap(node) ? node.items.find((item) => keyOf(item) === String(step)) : undefined;
    const next: unknown = pair ? pair.value : isSeq(node) ? node.items[Number(step)] : undefined;
    const place = pair?.key ?? next;
    if (!isNode(place)) break;
    offset = place.range?.[0] ?? offset;
    node = isAlias(next) ? next.resolve(document) : next;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function readFailure(cause: unknown): string {
  const code = errorCode(cause);
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'this is a directory, not a file';
  if (code === 'EACCES') return 'no permission to read this file';
  return cause instanceof Error ? cause.message : String(cause);
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
