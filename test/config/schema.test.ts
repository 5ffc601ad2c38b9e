import { expect, test } from 'vitest';
import { faults, load } from '../support/config-file.ts';

test.each([
  ['auth: { publish: x }', 'auth: this version does not ask who publishes or plays yet'],
  ['cluster: { name: x }', 'cluster: this version does not form clusters yet'],
])('refuses what only a later version does: %s', (file, expected) => {
  expect(faults(file)).toEqual([expect.stringContaining(expected)]);
});

test('accepts the keys of a later version that ask for nothing', () => {
  const file = `
tls: { clientCa: null }
auth: {}
relay: []
hls: { enabled: false, segment: 2s }
record: []
admin: { listen: off, token: null }
cluster: {}
`;
  expect(faults(file)).toEqual([]);
});

test.each([
  ['listen: [{ port: 80, protocols: [http] }]', 'listen[0].protocols[0]: expected a protocol'],
  ['listen: [{ host: "a b", port: 1 }]', 'listen[0].host: expected a host name'],
  ['listen: [{ host: x }]', 'listen[0].port: expected 0–65535, got nothing'],
  ['listen: [{ port: 1, proxyProtocol: on }]', 'listen[0].proxyProtocol: expected one of off, require, got "on"'],
  ['core: { republish: replace }', 'core.republish: expected one of refuse, takeover, got "replace"'],
  ['core: { grace: 10 }', 'core.grace: expected a duration'],
  ['tunnel: { hold: 4001ms }', 'tunnel.hold: expected a duration such as 500ms, 30s or 2m (0ms to 4s), got "4001ms"'],
  ['tunnel: { ident2: 500 }', 'tunnel.ident2: expected 404 or 200, got 500'],
  ['tunnel: { maxSessions: 0 }', 'tunnel.maxSessions: expected a whole number (at least 1), got 0'],
  ['tunnel: { maxBody: 17 }', 'tunnel.maxBody: expected a size'],
  ['tls: { minVersion: TLSv1.4 }', 'tls.minVersion: expected one of'],
  ['trustedProxies: [10.0.0.0/33]', 'trustedProxies[0]: expected "loopback", "private", an IP address or a range'],
  ['trustedProxies: loopback', 'trustedProxies: expected a list, got "loopback"'],
  ['web: { crossdomain: ["a b"] }', 'web.crossdomain[0]: expected a domain'],
  ['log: { level: trace }', 'log.level: expected one of debug, info, warn, error, silent, got "trace"'],
  ['log: { format: xml }', 'log.format: expected one of json, pretty, got "xml"'],
])('refuses %s', (file, expected) => {
  expect(faults(file)).toEqual([expect.stringContaining(`f.yaml:1: ${expected}`)]);
});

test('says everything that is wrong at once, in the order of the file', () => {
  const file = `listen:
  - { port: 8080 }
  - { port: http, protcols: [rtmp] }
tunel: {}
core:
  republish: never
`;
  expect(faults(file)).toEqual([
    'f.yaml:3: listen[1].port: expected 0–65535, got "http"',
    'f.yaml:3: listen[1].protcols: unknown key; did you mean "protocols"?',
    'f.yaml:4: tunel: unknown key; did you mean "tunnel"?',
    'f.yaml:6: core.republish: expected one of refuse, takeover, got "never"',
  ]);
});

test('takes numbers and switches from the environment, where everything is text', () => {
  const env = { PORT: '4000', CAP: 'false', STATUS: '200' };
  const file = 'listen: [{ port: ${PORT} }]\ntls: { capWithoutSni: ${CAP} }\ntunnel: { ident2: ${STATUS} }';
  const { config } = load(file, {}, env);
  expect(config.listen[0]).toMatchObject({ port: 4000, tls: { capWithoutSni: false } });
  expect(config.tunnel.ident2).toBe(200);
});
