import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatTree, parseTree, readTree, readTreeIfPresent } from '../../src/config/yaml.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-yaml-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (text: string, env = {}) => parseTree(text, 'f.yaml', env);
const valueOf = (text: string, env = {}) => parse(text, env).value;

test('knows the line of every key, and of the nearest thing above a key that is not there', () => {
  const tree = parse('# head\nlisten:\n  - port: 1\n  -\n    port: 2\n    tls:\n      x: 1\nlog: {\n  level: info }\n');
  expect(tree.lineOf(['listen'])).toBe(2);
  expect(tree.lineOf(['listen', 0, 'port'])).toBe(3);
  expect(tree.lineOf(['listen', 1, 'port'])).toBe(5);
  expect(tree.lineOf(['listen', 1, 'tls', 'x'])).toBe(7);
  expect(tree.lineOf(['listen', 0, 'host'])).toBe(3);
  expect(tree.lineOf(['log', 'level'])).toBe(9);
  expect(tree.lineOf(['nothing'])).toBeUndefined();
});

test('fills in variables as text, in flow mappings and in quotes too; no value can change the structure', () => {
  const env = { P12: '12: {[', EVIL: 'a\nadmin: 1 # x' };
  expect(valueOf('a: { pfx: live.p12, passphrase: ${P12} }\nb: "${EVIL}"\nc: ${EVIL}', env)).toEqual({
    a: { pfx: 'live.p12', passphrase: env.P12 },
    b: env.EVIL,
    c: env.EVIL,
  });
});

test('does not look into comments for variables', () => {
  expect(valueOf('# ${NO_SUCH}\na: 1 # ${NO_SUCH}')).toEqual({ a: 1 });
});

test('says which variable is not set, where', () => {
  expect(() => parse('a:\n  - b: x\n  - b: ${NO_SUCH}\n')).toThrow(
    'f.yaml:3: a[1].b: the environment variable NO_SUCH is not set',
  );
});

test('refuses what looks like a variable but is none', () => {
  expect(() => parse('a: "${x-y}"')).toThrow("f.yaml:1: a: ${x-y} is not a variable's name");
  expect(valueOf('a: "$${x-y} $5"')).toEqual({ a: '${x-y} $5' });
});

test('reads YAML 1.2: off is text', () => {
  expect(valueOf('off: off\nyes: true\nempty:\nhex: 0x10')).toEqual({ off: 'off', yes: true, empty: null, hex: 16 });
});

test('follows aliases, and knows their lines', () => {
  const tree = parse('a: &x\n  b: 1\nc: *x\n');
  expect(tree.value).toEqual({ a: { b: 1 }, c: { b: 1 } });
  expect(tree.lineOf(['c', 'b'])).toBe(2);
});

test.each([
  ['a: [1, 2', /^f\.yaml:1: /],
  ['a: 1\na: 2', /^f\.yaml:2: Map keys must be unique/],
  ['a: 1\nb:\n\tc: 1', /^f\.yaml:3: Tabs are not allowed/],
  ['a: !thing 1', /^f\.yaml:1: Unresolved tag: !thing/],
  ['a: 1\n---\nb: 2', /^f\.yaml:2: only one document per file/],
  ['a: *missing', /^f\.yaml: Unresolved alias/],
])('refuses %j with its line', (text, message) => {
  expect(() => parse(text)).toThrow(message);
});

test('refuses a pile of aliases that grows without measure', () => {
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`);
  expect(() => parse(`l0: &l0 [x]\n${levels.join('\n')}\n`)).toThrow(/^f\.yaml: Excessive alias count/);
});

test('an empty file, or one of comments only, is nothing', () => {
  expect(valueOf('')).toBeNull();
  expect(valueOf('\uFEFF# nothing\n')).toBeNull();
});

test('reads a file, and says why it cannot', () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, 'a: 1\n');
  expect(readTree(file, {})).toMatchObject({ file, value: { a: 1 } });
  expect(() => readTree(join(folder, 'none.yaml'), {})).toThrow(`${join(folder, 'none.yaml')}: there is no such file`);
  expect(() => readTree(folder, {})).toThrow(`${folder}: this is a directory, not a file`);
});

test('only a file that is not there may be absent', () => {
  expect(readTreeIfPresent(join(folder, 'none.yaml'), {})).toBeUndefined();
  expect(() => readTreeIfPresent(folder, {})).toThrow('this is a directory');
});

test('writes without keys that have no value', () => {
  expect(formatTree({ a: undefined, b: null, c: [] })).toBe('b: null\nc: []\n');
});
