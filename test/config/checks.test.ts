import { expect, test } from 'vitest';
import { faults } from '../support/config-file.ts';

const listen = (...doors: string[]) => `listen:\n${doors.map((door) => `  - { ${door} }\n`).join('')}`;

test.each([
  ['port: 80', 'port: 80'],
  ['port: 80', 'port: 80, host: 10.0.0.1'],
  ['port: 80, host: 10.0.0.1', 'port: 80'],
  ['port: 80, host: 10.0.0.1', 'port: 80, host: 10.0.0.1'],
  ['port: 80, host: "::"', 'port: 80, host: 10.0.0.1'],
  ['port: 80, host: 0.0.0.0', 'port: 80, host: 10.0.0.1'],
  ['port: 80, host: "::1"', 'port: 80, host: "::"'],
])('doors in conflict: { %s } and { %s }', (first, second) => {
  expect(faults(listen(first, second))).toEqual([
    expect.stringMatching(
      /^f\.yaml:3: listen\[1\]: port 80 is taken by listen\[0\], on (every address|10\.0\.0\.1|::1)$/,
    ),
  ]);
});

test.each([
  ['port: 80', 'port: 81'],
  ['port: 0', 'port: 0'],
  ['port: 80, host: 10.0.0.1', 'port: 80, host: 10.0.0.2'],
  ['port: 80, host: 0.0.0.0', 'port: 80, host: "::1"'],
  ['port: 80', 'port: off'],
])('doors that get along: { %s } and { %s }', (first, second) => {
  expect(faults(listen(first, second))).toEqual([]);
});

test('there must be something to listen on', () => {
  expect(faults('listen: []')).toEqual(['f.yaml:1: listen: every door is off: there is nothing to listen on']);
  expect(faults(listen('port: off'))).toHaveLength(1);
});

test('a door for PROXY headers must trust somebody', () => {
  const door = listen('port: 80, proxyProtocol: require');
  expect(faults(`${door}trustedProxies: []`)).toEqual([
    'f.yaml:2: listen[0]: proxyProtocol: require needs trustedProxies, or nobody could come in',
  ]);
  expect(faults(door)).toEqual([]);
  expect(faults(`${listen('port: 80, proxyProtocol: off')}trustedProxies: []`)).toEqual([]);
});

test('TLS versions must leave something, in general and for each door', () => {
  expect(faults('tls:\n  minVersion: TLSv1.3\n  maxVersion: TLSv1.2')).toEqual([
    'f.yaml:2: tls.minVersion: nothing lies between minVersion TLSv1.3 and maxVersion TLSv1.2',
  ]);
  expect(faults(listen('port: 1', 'port: 2, tls: { maxVersion: TLSv1.1 }'))).toEqual([
    'f.yaml:3: listen[1].tls: nothing lies between minVersion TLSv1.2 and maxVersion TLSv1.1',
  ]);
  expect(faults(listen('port: 2, tls: { minVersion: TLSv1, maxVersion: TLSv1.1 }'))).toEqual([]);
});

test.each(['cert: a', 'key: a', 'pfx: a, cert: b, key: c', 'pfx: a, key: b', 'passphrase: x', ''])(
  'a certificate is not { %s }',
  (keys) => {
    expect(faults(`tls: { certificates: [{ cert: a, key: b }, { ${keys} }] }`)).toEqual([
      'f.yaml:1: tls.certificates[1]: expected either cert and key, or pfx',
    ]);
  },
);

test.each([
  ['limits: { partialBytes: 4MiB }', 'limits.partialBytes: must not be below limits.mediaMessage'],
  ['limits: { idleTimeout: 20s }', 'limits.idleTimeout: must not be below limits.pingAfter'],
  ['limits: { gopFrames: 5000 }', 'limits.outboxFrames: must not be below limits.gopFrames'],
  ['limits: { gopBytes: 33MiB }', 'limits.outboxBytes: must not be below limits.gopBytes'],
  ['limits: { gopDuration: 31s }', 'limits.outboxDuration: must not be below limits.gopDuration'],
  ['tunnel: { idleTimeout: 1s, hold: 2s }', 'tunnel.idleTimeout: must not be below tunnel.hold'],
])('limits at odds: %s', (file, expected) => {
  expect(faults(file).join()).toContain(expected);
});

test.each([
  ['tls: { clientCrl: crl.pem }', 'tls.clientCrl'],
  [listen('port: 80, tls: { clientCrl: crl.pem }'), 'listen[0].tls.clientCrl'],
  [listen('port: 80, tls: { clientCertificate: optional }'), 'listen[0].tls.clientCertificate'],
])('nobody can be asked for a certificate where nobody is trusted: %s', (file, place) => {
  expect(faults(file)).toEqual([expect.stringContaining(`${place}: needs clientCa`)]);
  const trusting = file.replace('tls: {', 'tls: { clientCa: ca.pem,');
  expect(faults(trusting)).toEqual([]);
});

test('an admin listener that other machines reach needs a token', () => {
  const reason = ['admin.listen: other machines can reach this address: admin.token must be set'];
  expect(faults('admin: { listen: "0.0.0.0:9090" }')).toEqual([expect.stringContaining(reason[0]!)]);
  expect(faults('admin: { listen: "10.0.0.1:9090", token: 0123456789abcdef }')).toEqual([]);
  for (const listen of ['9090', '"[::1]:9090"', 'localhost:1'])
    expect(faults(`admin: { listen: ${listen} }`)).toEqual([]);
});

test('relays need the built-in core', () => {
  const relay = 'relay: [{ push: live/*, to: rtmp://h/a/b }]';
  expect(faults(relay)).toEqual([]);
  expect(faults(`${relay}\ncore: { upstreams: [rtmp://h] }`)).toEqual([
    expect.stringContaining('relay: needs the built-in core'),
  ]);
});
