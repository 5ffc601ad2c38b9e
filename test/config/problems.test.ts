import { expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { formatPath, formatProblem, InvalidConfigError, show, suggestion } from '../../src/config/problems.ts';

test('says file, line, path and reason, and leaves out what is not known', () => {
  const reason = 'expected 0–65535, got "http"';
  expect(formatProblem({ file: 'rtmp-gateway.yaml', line: 3, path: 'listen[1].port', reason })).toBe(
    'rtmp-gateway.yaml:3: listen[1].port: expected 0–65535, got "http"',
  );
  expect(formatProblem({ path: '--rtmp', reason: 'no' })).toBe('--rtmp: no');
  expect(formatProblem({ file: 'f', path: '', reason: 'no' })).toBe('f: no');
});

test('the error is a ConfigError that has all problems, and says one a line', () => {
  const error = new InvalidConfigError('CONFIG_INVALID', [
    { path: 'a', reason: 'x' },
    { path: 'b', reason: 'y' },
  ]);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toBe('a: x\nb: y');
  expect(error.problems).toHaveLength(2);
});

test('writes paths as one would', () => {
  expect(formatPath(['listen', 1, 'tls', 'minVersion'])).toBe('listen[1].tls.minVersion');
  expect(formatPath([])).toBe('');
});

test('shows values briefly', () => {
  expect(show(undefined)).toBe('nothing');
  expect(show('a"b')).toBe('"a\\"b"');
  expect(show([1, { a: null }])).toBe('[1,{"a":null}]');
  expect(show('x'.repeat(100))).toHaveLength(58);
});

test.each([
  ['prot', '; did you mean "port"?'],
  ['Port', '; did you mean "port"?'],
  ['ports', '; did you mean "port"?'],
  ['hsot', '; did you mean "host"?'],
  ['handshakeTimeOut', '; did you mean "handshakeTimeout"?'],
  ['handshake_timeout', '; did you mean "handshakeTimeout"?'],
  ['elephant', ''],
  ['', ''],
])('for %j suggests %j', (word, expected) => {
  expect(suggestion(word, ['port', 'host', 'handshakeTimeout', 'protocols'])).toBe(expected);
});
