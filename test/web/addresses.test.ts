import { expect, test } from 'vitest';
import { mediaAddresses, visitedHost, waysIn } from '../../src/web/addresses.ts';
import type { WebDoor } from '../../src/web/addresses.ts';

const LOCAL = { address: '10.1.2.3', port: 8080 };
const EVERYTHING = ['rtmp', 'rtmps', 'rtmpt', 'rtmpts', 'web'];
const door = (port: number, protocols = EVERYTHING): WebDoor => ({ port, protocols, behindProxy: false });
const proxied = (port: number): WebDoor => ({ ...door(port), behindProxy: true });
const origins = (visited: Parameters<typeof mediaAddresses>[0], doors: readonly WebDoor[]) =>
  mediaAddresses(visited, doors).map(({ origin }) => origin);

test.each([
  ['example.com:8080', { name: 'example.com', port: 8080 }],
  ['example.com', { name: 'example.com', port: 80 }],
  ['127.0.0.1:1935', { name: '127.0.0.1', port: 1935 }],
  ['[2001:db8::1]:8080', { name: '[2001:db8::1]', port: 8080 }],
  ['my_host', { name: 'my_host', port: 80 }],
])('reads the Host header %s', (header, expected) => {
  expect(visitedHost(header, false, LOCAL)).toEqual({ ...expected, secure: false });
});

test.each([
  undefined,
  '',
  'a b',
  '<script>',
  'example.com:99999',
  'x:80:80',
  'user@host',
  '"quoted"',
  `${'a'.repeat(254)}`,
])('takes the local address in place of the Host header %s', (header) => {
  expect(visitedHost(header, true, LOCAL)).toEqual({ name: '10.1.2.3', port: 8080, secure: true });
});

test('puts a local IPv6 address in brackets', () => {
  expect(visitedHost(undefined, false, { address: '::1', port: 1 }).name).toBe('[::1]');
});

test('without a port, HTTPS means 443', () => {
  expect(visitedHost('example.com', true, LOCAL).port).toBe(443);
});

test('names each scheme at the port where people expect it', () => {
  const doors = [door(1935), door(8080), door(8443)];
  expect(origins({ name: 'h', port: 8080, secure: false }, doors)).toEqual([
    'rtmp://h:1935',
    'rtmps://h:8443',
    'rtmpt://h:8080',
    'rtmpts://h:8443',
  ]);
});

test('prefers the door of the visit, then the first one, among unusual ports', () => {
  const doors = [door(4001, ['rtmp']), door(4002), door(4003)];
  expect(origins({ name: 'h', port: 4003, secure: false }, doors)).toEqual([
    'rtmp://h:4003',
    'rtmps://h:4003',
    'rtmpt://h:4003',
    'rtmpts://h:4003',
  ]);
  expect(origins({ name: 'h', port: 4001, secure: false }, doors)[1]).toBe('rtmps://h:4002');
});

test('leaves out what no door serves', () => {
  expect(origins({ name: 'h', port: 1, secure: false }, [door(1, ['rtmp', 'web'])])).toEqual(['rtmp://h:1']);
  expect(origins({ name: 'h', port: 1, secure: false }, [])).toEqual([]);
});

test('sends the tunnel through the proxy that the visitor came through, and everything else to the doors', () => {
  const doors = [door(1935), door(8080)];
  expect(origins({ name: 'h', port: 443, secure: true }, doors)).toEqual([
    'rtmp://h:1935',
    'rtmps://h:1935',
    'rtmpt://h:8080',
    'rtmpts://h:443',
  ]);
});

test('names a door behind a proxy only to those who came through its port', () => {
  const doors = [door(1935, ['rtmp']), proxied(8080)];
  expect(origins({ name: 'h', port: 1935, secure: false }, doors)).toEqual(['rtmp://h:1935']);
  expect(origins({ name: 'h', port: 8080, secure: false }, doors)).toEqual([
    'rtmp://h:1935',
    'rtmps://h:8080',
    'rtmpt://h:8080',
    'rtmpts://h:8080',
  ]);
  expect(origins({ name: 'h', port: 443, secure: true }, doors)).toEqual(['rtmp://h:1935', 'rtmpts://h:443']);
  expect(named(...doors)).toEqual(['rtmp 1935']);
});

const named = (...doors: readonly WebDoor[]) => waysIn(doors).map(({ way, door: { port } }) => `${way} ${port}`);

test.each([
  ['the default ones', [1935, 8080, 8443], [1935, 8443, 8080, 8443, 8080, 8443]],
  ['those that need a privilege', [1935, 80, 443], [1935, 443, 80, 443, 80, 443]],
  [
    'three that tell nothing, in the order RTMP, HTTP, HTTPS',
    [40001, 40002, 40003],
    [40001, 40003, 40002, 40003, 40002, 40003],
  ],
  ['three of which one tells', [40001, 8080, 40003], [40001, 40003, 8080, 40003, 8080, 40003]],
  ['RTMP and another', [1935, 9000], [1935, 9000, 9000, 9000, 9000, 9000]],
  ['another and RTMP', [9000, 1935], [1935, 9000, 9000, 9000, 9000, 9000]],
  ['no HTTP', [1935, 8443], [1935, 8443, 8443, 8443, 8443, 8443]],
  ['TLS alone', [443], [443, 443, 443, 443, 443, 443]],
])('names every way in at one door: %s', (_, ports, expected) => {
  const ways = ['rtmp', 'rtmps', 'rtmpt', 'rtmpts', 'http', 'https'];
  expect(named(...ports.map((port) => door(port)))).toEqual(ways.map((way, index) => `${way} ${expected[index]}`));
});

test('goes by what the doors allow before it goes by their ports', () => {
  expect(named(door(8443, ['rtmp']), door(1935, ['rtmpt', 'web']), door(9, ['rtmps', 'rtmpts']))).toEqual([
    'rtmp 8443',
    'rtmps 9',
    'rtmpt 1935',
    'rtmpts 9',
    'http 1935',
    'https 1935',
  ]);
});

test('leaves no door unnamed', () => {
  const doors = [door(1935), door(80), door(8080), door(443), door(8443), door(7777), door(7778, ['web'])];
  expect(named(...doors).slice(6)).toEqual(['rtmpt 8080', 'rtmps 8443', 'rtmp 7777', 'http 7778']);
});

test('names nothing where nothing is open', () => {
  expect(named()).toEqual([]);
  expect(named(door(1, []))).toEqual([]);
});
