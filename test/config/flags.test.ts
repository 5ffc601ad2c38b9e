import { expect, test } from 'vitest';
import { parseTarget } from '../../src/config/flags.ts';
import { faults, load } from '../support/config-file.ts';

const doors = (file: string, flags: Parameters<typeof load>[1]) =>
  load(file, flags).config.listen.map(({ host, port }) => (host === undefined ? port : `${host} ${port}`));

test.each([
  ['1935', { port: 1935 }],
  ['0', { port: 0 }],
  ['65535', { port: 65535 }],
  ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
  ['[::1]:80', { host: '::1', port: 80 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
  ['off', 'off'],
])('--rtmp %s', (text, expected) => {
  expect(parseTarget(text)).toEqual(expected);
});

test.each(['', 'x', '65536', '-1', ':80', '::1:80', 'a b:80', '[x]:80', '80:', 'http://x:80', 'OFF'])(
  'refuses --rtmp %j',
  (text) => {
    expect(parseTarget(text)).toBeUndefined();
    expect(faults('', { rtmp: text })).toEqual([`--rtmp: expected [HOST:]PORT or off, got ${JSON.stringify(text)}`]);
  },
);

test('replace the default doors', () => {
  expect(doors('', {})).toEqual([1935, 8080, 8443]);
  expect(doors('', { rtmp: '0', http: '127.0.0.1:80', https: 'off' })).toEqual([0, '127.0.0.1 80']);
});

test("take the place of the file's doors on their usual ports, keeping what else is said of them", () => {
  const file = 'listen: [{ port: 8080, host: 10.0.0.1, protocols: [web] }, { port: 1935 }]';
  expect(doors(file, { http: '81', rtmp: '10.0.0.2:1936' })).toEqual(['10.0.0.1 81', '10.0.0.2 1936']);
  expect(load(file, { http: '81' }).config.listen[0]?.protocols).toEqual(['web']);
  expect(doors(file, { rtmp: 'off' })).toEqual(['10.0.0.1 8080']);
});

test('change places without stepping on one another', () => {
  expect(doors('', { rtmp: '8080', http: '1935' })).toEqual([8080, 1935, 8443]);
});

test('add a door to a file that has none on the usual port', () => {
  expect(doors('listen: [{ port: 4000 }]', { rtmp: '1936' })).toEqual([4000, 1936]);
});

test('are not ignored when there is nothing to leave out', () => {
  expect(faults('listen: [{ port: 4000 }]', { rtmp: 'off' })).toEqual([
    '--rtmp: the file has no door on port 1935 to leave out',
  ]);
});

test('conflicts name the flag', () => {
  expect(faults('', { rtmp: '8080' })).toEqual(['--http: port 8080 is taken by --rtmp, on every address']);
  expect(faults('', { https: '8080' })).toEqual(['--https: port 8080 is taken by --http, on every address']);
});

test('conflicts with the file name its door', () => {
  expect(faults('listen: [{ port: 1 }, { port: 2 }]', { rtmp: '2' })).toEqual([
    '--rtmp: port 2 is taken by listen[1], on every address',
  ]);
});

test('win over the file', () => {
  const { config } = load('tls: { directory: a }\nlog: { level: error }', { certs: 'b', 'log-level': 'debug' });
  expect(config.tls.directory).toBe('b');
  expect(config.log.level).toBe('debug');
});

test('stand for a key that the file has nothing for', () => {
  expect(load('tls:', { certs: 'b' }).config.tls.directory).toBe('b');
});

test('are blamed themselves for a wrong value, and not the line of the file that they replaced', () => {
  expect(faults('log: { level: info }', { 'log-level': 'loud' })).toEqual([
    '--log-level: expected one of debug, info, warn, error, silent, got "loud"',
  ]);
});

test('--admin is an address, a port of this machine, or off, over a file that has one', () => {
  expect(faults('', { admin: 'here' })).toEqual([expect.stringContaining('--admin: expected HOST:PORT')]);
  expect(load('', { admin: '9090' }).config.admin).toEqual({ host: '127.0.0.1', port: 9090, token: null });
  expect(faults('admin: { listen: 127.0.0.1:9090 }', { admin: 'off' })).toEqual([]);
});

test('are checked even when the file is wrong', () => {
  expect(faults('listen: 5', { rtmp: 'x' })).toEqual([
    '--rtmp: expected [HOST:]PORT or off, got "x"',
    'f.yaml:1: listen: expected a list, got 5',
  ]);
  expect(faults('7', { certs: 'x' })).toEqual(['f.yaml: expected keys with values, got 7']);
});
