import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { load } from './support/config-file.ts';
import { blank, readSources, ROOT } from './support/sources.ts';
import type { Source } from './support/sources.ts';

const sources = readSources('src');
const tests = readSources('test', 'bench');

/** `src/transport/rtmpt/wire.ts` is in the room transport; `src/log.ts` is a room of its own. */
function roomOf(path: string): string {
  return path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
}

const BASE = ['errors', 'log', 'metrics'];
const BELOW_ENDPOINT = ['protocol', 'media', 'hub', 'certificates', 'transport', 'access', ...BASE];
const BELOW_GATEWAY = [...BELOW_ENDPOINT, 'endpoint', 'relay', 'delivery', 'web', 'admin'];

/** What each room may import: always downward, so that any room can be understood with those below it alone. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  log: [],
  'log-budget': ['log'],
  metrics: [],
  protocol: ['errors'],
  media: ['protocol', 'errors'],
  hub: ['media', ...BASE],
  certificates: BASE,
  transport: ['certificates', ...BASE],
  access: BASE,
  endpoint: ['protocol', 'media', 'hub', 'transport', ...BASE],
  relay: ['endpoint', 'media', 'hub', 'transport', 'protocol', ...BASE],
  delivery: ['media', 'hub', ...BASE],
  web: ['transport', 'delivery', ...BASE],
  admin: ['hub', 'endpoint', 'relay', 'transport', ...BASE],
  config: BELOW_GATEWAY,
  gateway: [...BELOW_GATEWAY, 'config', 'log-budget'],
  commands: [...BELOW_GATEWAY, 'config', 'gateway'],
  main: [...BELOW_GATEWAY, 'config', 'gateway', 'commands'],
};

describe('rooms', () => {
  test('each one is known here, with what it may import', () => {
    const unknown = sources.map(({ path }) => roomOf(path)).filter((room) => !Object.hasOwn(MAY_IMPORT, room));
    expect(unknown).toEqual([]);
  });

  test('import only rooms below them', () => {
    expect(
      offences(({ path, imports }) =>
        imports
          .map(({ file }) => roomOf(file ?? path))
          .filter((room) => room !== roomOf(path) && !MAY_IMPORT[roomOf(path)]?.includes(room)),
      ),
    ).toEqual([]);
  });

  test('import another room by its index.ts, its public face', () => {
    const single = (file: string) => file.split('/').length === 2;
    expect(
      offences(({ path, imports }) =>
        imports
          .map(({ file }) => file ?? '')
          .filter((file) => file.startsWith('src/') && roomOf(file) !== roomOf(path))
          .filter((file) => !single(file) && !/^src\/[^/]+\/index\.ts$/.test(file)),
      ),
    ).toEqual([]);
  });

  test('open their public face with what they own', () => {
    const faces = sources.filter(({ path }) => /^src\/[^/]+\/index\.ts$/.test(path));
    expect(faces.filter(({ text }) => !/^\/\*\*\n \* [^]{40,}?\*\//.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test('leave tests out of the product', () => {
    expect(
      offences(({ imports }) => imports.map(({ file }) => file ?? '').filter((file) => !/^(src\/|$)/.test(file))),
    ).toEqual([]);
  });
});

/** Packages that are one room's business: everybody else goes through that room. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  express: /^src\/(web|admin)\/|\/(watch-)?router\.ts$|^src\/delivery\/hls\/hls\.ts$/,
  zod: /^src\/config\//,
  yaml: /^src\/config\/yaml\.ts$/,
  pino: /^src\/log\.ts$/,
  'pino-pretty': /^src\/log\.ts$/,
  selfsigned: /^src\/certificates\//,
  'node-forge': /^src\/certificates\//,
  '@peculiar/x509': /^src\/certificates\//,
  pkijs: /^src\/certificates\//,
  asn1js: /^src\/certificates\//,
  'prom-client': /^src\/metrics\.ts$/,
  mediabunny: /^src\/delivery\/fmp4\//,
};

test('packages are imported only where they belong, and every one is known', () => {
  expect(
    offences(({ path, imports }) =>
      imports
        .filter(({ file, from }) => file === undefined && !from.startsWith('node:'))
        .map(({ from }) => from)
        .filter((name) => PACKAGES[name]?.test(path) !== true),
    ),
  ).toEqual([]);
});

/**
 * What touches the world outside, and the only files that may; everything else is handed `now`, `random` and bytes.
 * A name ending in `/` stands for all of a folder.
 */
const TIMERS = [
  'endpoint/driver',
  // Frames gather for one turn of the event loop.
  'endpoint/pulse',
  'transport/door',
  'transport/paced',
  'transport/dial',
  'transport/bridge',
  'transport/upstreams',
  'transport/rtmpt/tunnels',
  'transport/rtmpt/connection',
  'transport/rtmpt/client',
  'relay/relay',
  'certificates/live',
  'gateway',
  'commands/',
];
const SOCKETS = [
  'transport/door',
  'transport/dial',
  'transport/tcp',
  'transport/tls-client',
  // Looks names up for proxies that do not.
  'transport/through-proxy',
  'transport/tls-server',
  'transport/rtmpt/connection',
  'transport/rtmpt/client',
  // Takes a TLS context apart to see whether a certificate will do.
  'certificates/inspect',
  // Looks at other servers' certificates.
  'commands/certs-remote',
  'web/app',
  'web/server',
  'admin/app',
];
const CLOCK = [...TIMERS, ...SOCKETS, 'log', 'certificates/development', 'certificates/store'];
const FILES = [
  'config/yaml',
  // Authorities that relays trust.
  'config/pem-file',
  'certificates/store',
  'web/acme',
  'web/watch-router',
  'delivery/recording/store',
  'commands/',
  'main',
];
const CONSOLE = ['log', 'commands/', 'main'];

/** Whether a path is in such a list. */
function isIn(list: readonly string[], path: string): boolean {
  return list.some((name) => (name.endsWith('/') ? path.startsWith(`src/${name}`) : path === `src/${name}.ts`));
}

const FORBIDDEN: readonly { readonly what: string; readonly pattern: RegExp; readonly allowed: readonly string[] }[] = [
  { what: 'timers', pattern: /(?<![.\w])set(?:Timeout|Interval|Immediate)\b/, allowed: TIMERS },
  {
    what: 'the clock',
    pattern: /\bDate\.now\b|\bnew Date\(\)|(?<!new )\bDate\(\)|\bperformance\.now\b|\bprocess\.(?:hrtime|uptime)\b/,
    allowed: CLOCK,
  },
  {
    what: 'randomness',
    pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|FillSync|Fill)\b|\bgetRandomValues\b/,
    allowed: CLOCK,
  },
  { what: 'environment and arguments', pattern: /\bprocess\.(?:env|argv|cwd|chdir)\b/, allowed: FILES },
  { what: 'the console', pattern: /(?<!\.)\bconsole\b|\bprocess\.std(?:out|err)\b/, allowed: CONSOLE },
  { what: "the process's end", pattern: /\bprocess\.(?:exit|exitCode|kill|abort)\b/, allowed: ['main'] },
];

/** Modules that do the same; a type of theirs may be named anywhere. */
const FORBIDDEN_MODULES: readonly { readonly modules: RegExp; readonly allowed: readonly string[] }[] = [
  { modules: /^node:(net|tls|http|https|http2|dgram|dns)(\/|$)/, allowed: SOCKETS },
  { modules: /^node:fs(\/|$)/, allowed: FILES },
  { modules: /^node:timers(\/|$)/, allowed: TIMERS },
  { modules: /^node:(child_process|cluster|worker_threads|vm|repl)$/, allowed: [] },
];

/** Of modules with sockets in them, these names are only knowledge. */
const HARMLESS_NAMES = /^(isIP|isIPv4|isIPv6|BlockList|STATUS_CODES|maxHeaderSize|rootCertificates)$/;

describe('the world outside', () => {
  test.each(FORBIDDEN)('$what: touched only by the files that may', ({ pattern, allowed }) => {
    expect(
      offences(({ path, code }) => {
        const found = isIn(allowed, path) ? null : pattern.exec(code);
        return found === null ? [] : [`line ${code.slice(0, found.index).split('\n').length}: ${found[0]}`];
      }),
    ).toEqual([]);
  });

  test('modules that touch it are imported only by the files that may', () => {
    expect(
      offences((source) =>
        source.imports
          .filter(({ from, typeOnly }) => !typeOnly && !isHarmless(source, from))
          .map(({ from }) => from)
          .filter((from) =>
            FORBIDDEN_MODULES.some(({ modules, allowed }) => modules.test(from) && !isIn(allowed, source.path)),
          ),
      ),
    ).toEqual([]);
  });
});

/** True when all that a file imports from a module, by value, is harmless. */
function isHarmless({ text }: Source, from: string): boolean {
  const statements = [...text.matchAll(/^import\s+(type\s+)?([^'";]*?)\sfrom\s+'([^']+)';/gm)];
  const clauses = statements
    .filter(([, type, , module]) => type === undefined && module === from)
    .map(([, , clause]) => clause ?? '');
  const names = clauses.flatMap((clause) => (/^\{([^}]*)\}$/.exec(clause.trim())?.[1] ?? '*').split(','));
  const values = names.map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type '));
  return values.every((name) => HARMLESS_NAMES.test(name));
}

describe('these rules', () => {
  const found = (code: string) => FORBIDDEN.filter(({ pattern }) => pattern.test(blank(code))).map(({ what }) => what);

  test.each([
    ['const timer = setTimeout(run, 5);', ['timers']],
    ['schedule = setImmediate', ['timers']],
    ['return Date.now() + performance.now();', ['the clock']],
    ['const id = `${randomUUID()}`;', ['randomness']],
    ["const { PORT } = process.env; // 'x", ['environment and arguments']],
    ["console.log('x')", ['the console']],
    ['if (a) process.exit(1)', ["the process's end"]],
  ])('see %s', (code, what) => {
    expect(found(code)).toEqual(what);
  });

  test.each([
    'socket.setTimeout(5);',
    '// setTimeout',
    '/* Date.now() */',
    "const text = 'Math.random()';",
    'const text = `console`;',
    'const pattern = /process.env|"|`/; // see above',
    'new Date(5)',
  ])('look past %s', (code) => {
    expect(found(code)).toEqual([]);
  });
});

describe('files', () => {
  test('have 500 lines at most', () => {
    const tooLong = [...sources, ...tests].filter(({ text }) => text.split('\n').length > 501);
    expect(tooLong.map(({ path }) => path)).toEqual([]);
  });

  test('are named in kebab-case', () => {
    const names = [...sources, ...tests]
      .map(({ path }) => path)
      .filter((path) => !/\/[a-z0-9]+(-[a-z0-9]+)*(\.(test|soak|config))?\.ts$/.test(path));
    expect(names).toEqual([]);
  });

  test.each([
    ['any', /(?::|<|\bas|\|)\s*any\b(?!\s*\()/],
    ['enum', /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/m],
    ['default export', /^export\s+default\b/m],
    ['check that is switched off', /@ts-(?:ignore|nocheck|expect-error)/],
  ])('have no %s', (_, pattern) => {
    const inText = pattern.source.includes('@ts-');
    expect(offences(({ code, text }) => (pattern.test(inText ? text : code) ? ['yes'] : []))).toEqual([]);
  });

  test('name no place where they were made', () => {
    expect(
      [...sources, ...tests]
        .filter(({ text }) => /\/work\/|\/home\/\w|\/tmp\/\w/.test(text) && !isThisFile(text))
        .map(({ path }) => path),
    ).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const files = sources.map(({ path }) => /([^/]+)\.ts$/.exec(path)?.[1] ?? '');

  test('names every file', () => {
    const named = (file: string): boolean => text.includes(`\`${file}\``) || text.includes(`\`${file}.ts\``);
    expect(files.filter((file) => file !== 'index' && !named(file))).toEqual([]);
  });

  test('names no file that is not there', () => {
    const [, list = ''] = /^## Every file$([^]*?)^## /m.exec(text) ?? [];
    const named = [...list.matchAll(/`([a-z][a-z0-9-]*)`/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((name) => !files.includes(name))).toEqual([]);
  });

  test.each([
    ['Timers', TIMERS],
    ['Sockets', SOCKETS],
    ['Clock', CLOCK.filter((name) => ![...TIMERS, ...SOCKETS].includes(name))],
    ['Files', FILES],
    ['Console', CONSOLE],
  ])('names those that may touch the world outside: %s', (what, allowed) => {
    const [, item = ''] = new RegExp(`^- \\*\\*${what}\\*\\*([^]*?)(?=^- |\\n\\n)`, 'm').exec(text) ?? [];
    expect([...item.matchAll(/`([^`]+)`/g)].map(([, name]) => name)).toEqual(allowed);
  });
});

/** The README's tables, once it has them, say what the code says. */
describe('the README', () => {
  const readme = existsSync(join(ROOT, 'README.md')) ? readFileSync(join(ROOT, 'README.md'), 'utf8') : '';

  test.skipIf(!/^## Configuration$/m.test(readme))('shows a configuration file that is the default one', () => {
    const [, example = ''] = /^## Configuration$[^]*?^```yaml\n([^]*?)^```$/m.exec(readme) ?? [];
    expect(load(example).config).toEqual(load('').config);
  });

  test.skipIf(!/^## Error codes$/m.test(readme))('lists every error code, and no other', () => {
    const codes = tableIn(readme, 'Error codes').map(([code]) => code);
    expect(codes.toSorted(byName)).toEqual(errorCodes());
  });

  test.skipIf(!/^## Limits$/m.test(readme))('lists every limit with its default, and no other', () => {
    const { limits, tunnel } = parse(load('').effective) as Record<string, Record<string, unknown>>;
    const defaults = Object.entries({ limits, tunnel }).flatMap(([section, keys]) =>
      Object.entries(keys ?? {}).map(([key, value]) => [`${section}.${key}`, String(value)]),
    );
    const listed = tableIn(readme, 'Limits').map(([key, value]) => [key, value]);
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(defaults));
  });
});

/**
 * The codes of our errors, wherever in the code they are chosen (some reach the error through a variable): whatever is
 * spelled like one, and is not a code of Node's, of its HTTP parser's, of the resolver's or of the YAML parser's.
 */
function errorCodes(): string[] {
  const thrown = codesIn(/\bnew\s+\w*Error\(\s*'([A-Z][A-Z0-9_]*)'/g);
  const spelled = codesIn(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g);
  const foreign = /^(?:ERR|HPE|EAI)_|^MULTIPLE_DOCS$/;
  // Findings about certificates say themselves what to do; and a variable of the environment.
  // Answers of the admin API are told where they are asked for.
  const answers = codesIn(/\bsay\(response,[^;]*?'([A-Z_]+)'/g);
  const others = codesIn(/^ {2}([A-Z_]+): '(?:error|warning|note)',$|'(RTMP_GATEWAY_[A-Z]+)'/gm);
  return [...new Set([...thrown, ...spelled])]
    .filter((code) => !foreign.test(code) && !others.includes(code))
    .filter((code) => thrown.includes(code) || !answers.includes(code))
    .toSorted(byName);
}

function byName(a: string | undefined = '', b: string | undefined = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function codesIn(pattern: RegExp): string[] {
  return sources.flatMap(({ text }) => [...text.matchAll(pattern)].map(([, code, other]) => code ?? other ?? ''));
}

/** Rows of the first table under a heading, without backticks; header and rule are left out. */
function tableIn(markdown: string, heading: string): string[][] {
  const section = markdown.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  );
}

function offences(find: (source: Source) => readonly string[]): string[] {
  return sources.flatMap((source) => find(source).map((offence) => `${source.path}: ${offence}`));
}

function isThisFile(text: string): boolean {
  return text.includes('name no place where they were made');
}
