import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One source file, as the house rules look at it. */
export interface Source {
  /** From the project's root, with forward slashes: `src/hub/hub.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and without what is inside strings; lines are where they were. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written. */
  readonly from: string;
  /** The file it names, from the project's root; undefined for a package. */
  readonly file: string | undefined;
  readonly typeOnly: boolean;
}

/** All TypeScript files below these folders. */
export function readSources(...folders: readonly string[]): Source[] {
  return folders
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readSource(join(folder, name).replaceAll('\\', '/'))),
    );
}

function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, code: blank(text), imports: importsOf(text, path) };
}

const IMPORT = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)';/gm;
const DYNAMIC_IMPORT = /\bimport\('([^']+)'\)/g;

function importsOf(text: string, path: string): Import[] {
  const resolved = (from: string) => {
    const target = from.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), from)) : undefined;
    return { from, file: target?.replaceAll('\\', '/') };
  };
  const statements = [...text.matchAll(IMPORT)].map(([statement, type, from = '']) => ({
    ...resolved(from),
    typeOnly: type !== undefined || onlyTypes(statement),
  }));
  const dynamic = [...text.matchAll(DYNAMIC_IMPORT)].map(([, from = '']) => ({ ...resolved(from), typeOnly: false }));
  return [...statements, ...dynamic];
}

/** `import { type A, type B } from …` */
function onlyTypes(statement: string): boolean {
  const names =
    /\{([^}]*)\}/
      .exec(statement)?.[1]
      ?.split(',')
      .map((name) => name.trim()) ?? [];
  return names.length > 0 && names.every((name) => name === '' || name.startsWith('type '));
}

/**
 * What is not code, in order: comments, quoted strings, regular expressions (where a value may begin), and the fixed
 * parts of templates. Good for looking for words, not for parsing.
 */
const NOT_CODE =
  /\/\*[^]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|(?<=[=(,:[!&|?{;]\s*|\breturn\s+)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g;

/** The text without comments and without what is inside strings, regular expressions and templates. */
export function blank(text: string): string {
  const withoutTemplates = text.replace(NOT_CODE, keepLines);
  return withoutTemplates.replace(/`(?:[^`\\]|\\.)*`/g, (template) => {
    const values = [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, value]) => value).join(' ');
    return `\`${values}\`${keepLines(template)}`;
  });
}

function keepLines(text: string): string {
  return text.replace(/[^\n]+/g, text.startsWith("'") || text.startsWith('"') ? "''" : ' ');
}
