import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  asksNothing,
  choice,
  count,
  duration,
  host,
  later,
  list,
  offOr,
  parseHost,
  portOrOff,
  listOrOne,
  secret,
  section,
  size,
  text,
  toggle,
  words,
} from '../../src/config/fields.ts';

/** The value, or what is wrong with it. */
function read(field: z.ZodType, input: unknown): unknown {
  const result = field.safeParse(input);
  return result.success ? result.data : result.error.issues.map(({ message }) => message).join('; ');
}

test('a port is 0 to 65535 or off, as a number or as text', () => {
  for (const good of [0, 1, 65535]) {
    expect(read(portOrOff(), good)).toBe(good);
    expect(read(portOrOff(), String(good))).toBe(good);
  }
  expect(read(portOrOff(), 'off')).toBe('off');
  expect(read(portOrOff(), false)).toBe('off');
  expect(read(portOrOff(), 65536)).toBe('expected 0–65535, got 65536');
  expect(read(portOrOff(), 'http')).toBe('expected 0–65535, got "http"');
  for (const bad of [-1, 1.5, '', ' 1', '1e3', null, undefined, true, [1]]) {
    expect(read(portOrOff(), bad)).toMatch(/^expected 0–65535, got /);
  }
});

test('numbers, durations and sizes have their ends included, and say them', () => {
  const range = { min: 2, max: 4 };
  for (const good of [2, 4]) {
    expect(read(count(range), good)).toBe(good);
    expect(read(duration(range), `${good}ms`)).toBe(good);
    expect(read(size(range), `${good}B`)).toBe(good);
  }
  for (const bad of [1, 5]) {
    expect(read(count(range), bad)).toBe(`expected a whole number (2 to 4), got ${bad}`);
    expect(read(duration(range), `${bad}ms`)).toMatch(/ \(2ms to 4ms\), got "/);
    expect(read(size(range), `${bad}B`)).toMatch(/ \(2B to 4B\), got "/);
  }
  expect(read(count({ min: 1 }), 0)).toBe('expected a whole number (at least 1), got 0');
  expect(read(count({ max: 1 }), 2)).toBe('expected a whole number (at most 1), got 2');
});

test('one of a few words, or off as YAML 1.1 and 1.2 read it', () => {
  const field = offOr('v1', 'v2');
  expect(['v2', 'off', false].map((input) => read(field, input))).toEqual(['v2', 'off', 'off']);
  for (const bad of [true, 'on', 'V1', null, 1]) expect(read(field, bad)).toMatch(/^expected one of off, v1, v2, got /);
});

test('a duration without its unit is refused: 30 of what?', () => {
  expect(read(duration(), 30)).toBe('expected a duration such as 500ms, 30s or 2m, got 30');
  expect(read(duration(), 0)).toBe(0);
});

test('what is read can be written', () => {
  expect(z.encode(duration(), 90_000)).toBe('90s');
  expect(z.encode(size(), 65_536)).toBe('64KiB');
  expect(z.encode(section({ a: duration().default(1) }), { a: 2000 })).toEqual({ a: '2s' });
});

test('one of a few words', () => {
  const field = choice('refuse', 'takeover');
  expect(read(field, 'takeover')).toBe('takeover');
  expect(read(field, 'Takeover')).toBe('expected one of refuse, takeover, got "Takeover"');
});

test('several words, none twice, at least one', () => {
  const field = words('protocol', ['rtmp', 'web']);
  expect(read(field, ['web', 'rtmp'])).toEqual(['web', 'rtmp']);
  expect(read(field, [])).toBe('expected at least one protocol');
  expect(read(field, ['rtmp', 'rtmp'])).toBe('rtmp is there twice');
  expect(read(field, ['http'])).toBe('expected a protocol, one of rtmp, web, got "http"');
  expect(read(field, 'rtmp')).toBe('expected a list, got "rtmp"');
});

test('switches, as YAML or an environment variable has them', () => {
  expect(read(toggle(), true)).toBe(true);
  expect(read(toggle(), 'false')).toBe(false);
  expect(read(toggle(), 'yes')).toBe('expected true or false, got "yes"');
});

test('a secret may have to have a length', () => {
  expect(read(secret(4), 'abcd')).toBe('abcd');
  expect(read(secret(4), 'abc')).toBe('expected text of 4 characters or more, got something else');
});

test('one thing alone is a list of one, where that is allowed', () => {
  expect(read(listOrOne(count()), 1)).toEqual([1]);
  expect(read(listOrOne(count()), [1, 2])).toEqual([1, 2]);
  expect(read(listOrOne(count()), ['x'])).toContain('expected a whole number');
});

test('a secret is repeated neither in an error nor in what is written', () => {
  expect(read(secret(), 'hunter2')).toBe('hunter2');
  expect(read(secret(), 1234)).not.toContain('1234');
  expect(z.encode(secret(), 'hunter2')).toBe('[redacted]');
});

test('text is not empty and not a number', () => {
  expect(read(text('a path'), 'x')).toBe('x');
  expect(read(text('a path'), '')).toBe('expected a path, got ""');
  expect(read(text('a path'), 7)).toBe('expected a path, got 7');
});

test.each(['localhost', 'a.b-c.example', '10.0.0.5', '::', '::1', '2001:db8::1'])('%s is a host', (name) => {
  expect(parseHost(name)).toBe(name);
});

test.each(['', 'a b', '-x', 'http://x', 'x:80', '[10.0.0.1]', '[x]', '::1:', 'a..b', 'a/b'])(
  '%j is no host',
  (name) => {
    expect(parseHost(name)).toBeUndefined();
    expect(read(host(), name)).toBe(`expected a host name or an IP address, got ${JSON.stringify(name)}`);
  },
);

test('brackets around IPv6 are taken off', () => {
  expect(read(host(), '[::1]')).toBe('::1');
});

test('a section says every unknown key, each with what may have been meant', () => {
  const field = section({ port: count(), host: host().optional() });
  expect(read(field, { prot: 1, hots: 'x', port: 1 })).toBe(
    'unknown key; did you mean "port"?\nunknown key; did you mean "host"?',
  );
  expect(read(field, 7)).toBe('expected keys with values, got 7');
  expect(read(field, [])).toBe('expected keys with values, got []');
});

test('an empty section or list is one with nothing in it', () => {
  expect(read(section({ a: count().default(3) }), null)).toEqual({ a: 3 });
  expect(read(list(count()), null)).toEqual([]);
});

test.each([
  undefined,
  null,
  false,
  'off',
  '',
  [],
  {},
  { enabled: false, segment: '2s' },
  { enabled: 'off' },
  { listen: 'off', token: null },
])('%j asks for nothing', (value) => {
  expect(asksNothing(value)).toBe(true);
  expect(read(later('not yet'), value)).toBeUndefined();
});

test.each([true, 'on', 0, 1, [1], [null], { enabled: true }, { a: 1 }, { listen: 9090 }, '127.0.0.1:9090'])(
  '%j asks for something',
  (value) => {
    expect(read(later('not yet'), value)).toBe('not yet');
  },
);
