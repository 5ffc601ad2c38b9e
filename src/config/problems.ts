import { ConfigError } from '../errors.ts';

/** One thing that is wrong with the configuration, and where. */
export interface Problem {
  /** The configuration file; undefined when a command line flag is to blame. */
  readonly file?: string | undefined;
  /** 1-based. */
  readonly line?: number | undefined;
  /** The key, as `listen[1].port`, or the flag, as `--rtmp`; empty for the file as a whole. */
  readonly path: string;
  readonly reason: string;
}

/** The configuration cannot be used; carries every problem found, and says one a line. */
export class InvalidConfigError extends ConfigError {
  readonly problems: readonly Problem[];

  constructor(code: string, problems: readonly Problem[], options?: ErrorOptions) {
    super(code, problems.map(formatProblem).join('\n'), options);
    this.problems = problems;
  }
}

/** `rtmp-gateway.yaml:3: listen[1].port: expected 0–65535, got "http"` */
export function formatProblem(problem: Problem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
  return [place, problem.path, problem.reason].filter(Boolean).join(': ');
}

/** `['listen', 1, 'port']` as `listen[1].port`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

/** A value as an error message shows it: short, on one line. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  const text = String(JSON.stringify(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** `; did you mean "port"?` when one of the known words is close to `word`, else nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : `; did you mean "${near.candidate}"?`;
}

/** Insertions, deletions, substitutions and swaps of neighbours that lead from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + same,
        swapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
