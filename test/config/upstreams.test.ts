import { expect, test } from 'vitest';
import { upstreamName } from '../../src/config/index.ts';
import { faults, load } from '../support/config-file.ts';

test('there are none by default: RTMP ends here', () => {
  expect(load('').config.upstreams.servers).toEqual([]);
  expect(load('core: { upstreams: [], balance: hash }').config.upstreams.servers).toEqual([]);
});

test('one in short is its address', () => {
  const { config } = load('core: { upstreams: [rtmp://a, "rtmps://b:444/"] }');
  const plain = { weight: 1, proxyProtocol: 'off', verify: true };
  expect(config.upstreams).toEqual({
    servers: [
      { url: 'rtmp://a', ...plain },
      { url: 'rtmps://b:444/', ...plain },
    ],
    options: { balance: 'least-connections', connectTimeoutMs: 5_000, probeMs: 10_000 },
  });
});

test('all of it can be said, and is printed as it was said', () => {
  const file = `core:
  upstreams: [{ url: "rtmp://10.0.0.7:1936", weight: 2, proxyProtocol: v2, verify: false }]
  balance: first-available
limits: { upstreamTimeout: 3s, upstreamProbe: 1m }
`;
  const { config, effective } = load(file);
  expect(config.upstreams).toEqual({
    servers: [{ url: 'rtmp://10.0.0.7:1936', weight: 2, proxyProtocol: 'v2', verify: false }],
    options: { balance: 'first-available', connectTimeoutMs: 3_000, probeMs: 60_000 },
  });
  expect(load(effective).config).toEqual(config);
});

test('flags take the place of those in the file', () => {
  const { config } = load('core: { upstreams: [rtmp://a] }', { upstream: ['rtmp://b', 'rtmps://c'] });
  expect(config.upstreams.servers.map(({ url }) => url)).toEqual(['rtmp://b', 'rtmps://c']);
});

const ADDRESS = 'expected an address as rtmp://HOST[:PORT] or rtmps://HOST[:PORT]';

test.each([
  ['[http://x]', `core.upstreams[0].url: ${ADDRESS}, got "http://x"`],
  ['[rtmpt://x]', `core.upstreams[0].url: ${ADDRESS}, got "rtmpt://x"`],
  ['[x]', `core.upstreams[0].url: ${ADDRESS}, got "x"`],
  ['["rtmp://x:0"]', `core.upstreams[0].url: ${ADDRESS}; nothing listens on port 0`],
  ['[rtmp://x/live]', `core.upstreams[0].url: ${ADDRESS}; clients name application and stream themselves`],
  ['[rtmp://a, { weight: 2 }]', `core.upstreams[1].url: ${ADDRESS}, got nothing`],
  ['[{ url: rtmp://x, weight: 0 }]', 'core.upstreams[0].weight: expected a whole number (1 to 1000), got 0'],
  ['[{ url: rtmp://x, proxyProtocol: v3 }]', 'core.upstreams[0].proxyProtocol: expected one of off, v1, v2, got "v3"'],
  ['[{ url: rtmp://x, wieght: 2 }]', 'core.upstreams[0].wieght: unknown key; did you mean "weight"?'],
  ['rtmp://x', 'core.upstreams: expected a list, got "rtmp://x"'],
])('refuses %s', (upstreams, expected) => {
  expect(faults(`core: { upstreams: ${upstreams} }`)).toEqual([`f.yaml:1: ${expected}`]);
});

test('a wrong flag is blamed by its name', () => {
  expect(faults('', { upstream: ['http://x'] })).toEqual([`--upstream: ${ADDRESS}, got "http://x"`]);
});

test('a password is refused, and not repeated', () => {
  const [said] = faults('core: { upstreams: ["rtmp://joe:secret@x"] }');
  expect(said).toContain('clients log in themselves');
  expect(said).not.toContain('secret');
});

test('a balance that does not exist is refused', () => {
  expect(faults('core: { balance: random }')).toEqual([
    'f.yaml:1: core.balance: expected one of least-connections, first-available, hash, got "random"',
  ]);
});

test.each([
  ['rtmp://Host', 'rtmp://Host:1935'],
  ['rtmps://host/', 'rtmps://host:443'],
  ['rtmp://[2001:db8::1]:1936', 'rtmp://[2001:db8::1]:1936'],
])('%s is called %s', (url, name) => {
  expect(upstreamName({ url, weight: 1, proxyProtocol: 'off', verify: true })).toBe(name);
});
