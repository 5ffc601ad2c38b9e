import { expect, test } from 'vitest';
import { TICKET_DEFAULTS } from '../../src/certificates/index.ts';
import { HLS_DEFAULTS } from '../../src/delivery/index.ts';
import { DRIVER_DEFAULTS } from '../../src/endpoint/index.ts';
import { HUB_DEFAULTS, OUTBOX_DEFAULTS } from '../../src/hub/index.ts';
import { SESSION_DEFAULTS } from '../../src/protocol/index.ts';
import { DOOR_LIMITS, TLS_DEFAULTS, TUNNEL_DEFAULTS, UPSTREAM_DEFAULTS } from '../../src/transport/index.ts';
import { WEB_DEFAULTS } from '../../src/web/index.ts';
import { load } from '../support/config-file.ts';

test('without a word from anyone, every room gets its own defaults', () => {
  const { config } = load('');
  expect(config).toEqual({
    listen: [1935, 8080, 8443].map((port) => ({ port, tls: TLS_DEFAULTS, limits: DOOR_LIMITS })),
    core: { hub: HUB_DEFAULTS, outbox: OUTBOX_DEFAULTS, session: SESSION_DEFAULTS, driver: DRIVER_DEFAULTS },
    upstreams: {
      servers: [],
      options: {
        balance: UPSTREAM_DEFAULTS.balance,
        connectTimeoutMs: UPSTREAM_DEFAULTS.connectTimeoutMs,
        probeMs: UPSTREAM_DEFAULTS.probeMs,
      },
    },
    tunnel: TUNNEL_DEFAULTS,
    relay: [],
    hls: HLS_DEFAULTS,
    record: [],
    admin: null,
    tls: { directory: 'certs', certificates: [], trustFiles: [], strictKeys: false, tickets: TICKET_DEFAULTS },
    trustedProxies: ['loopback'],
    limits: { connections: 20_000, connectionsPerAddress: 200 },
    web: { app: { crossdomain: null, acmeWebroot: null }, server: WEB_DEFAULTS },
    log: { level: 'info', format: 'json' },
  });
});

test('the published defaults of the tunnel and the core', () => {
  const { config } = load('');
  expect(config.tunnel).toMatchObject({ idleTimeoutMs: 30_000, holdMs: 500, ident2: 404, maxSessions: 10_000 });
  expect(config.tunnel.maxBodyBytes).toBe(17 * 1024 * 1024);
  expect(config.core.hub).toMatchObject({ republish: 'refuse', graceMs: 10_000 });
  expect(config.core.session.handshakeTimeoutMs).toBe(10_000);
});

test("a door's own TLS settings win over the general ones", () => {
  const file = 'listen: [{ port: 1, tls: { maxVersion: TLSv1.2 } }, { port: 2 }]\ntls: { minVersion: TLSv1.1 }';
  expect(load(file).config.listen.map(({ tls }) => tls)).toEqual([
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.2', capWithoutSni: true },
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.3', capWithoutSni: true },
  ]);
});

test('a door takes PROXY headers only where its own key says so', () => {
  const file = 'listen: [{ port: 1, proxyProtocol: require }, { port: 2, proxyProtocol: off }, { port: 3 }]';
  expect(load(file).config.listen.map(({ proxyProtocol }) => proxyProtocol)).toEqual(['require', 'off', undefined]);
});

test('certificates come as pairs or as PKCS#12, with their passphrases', () => {
  const file = 'tls: { certificates: [{ cert: c, key: k }, { pfx: p, passphrase: ${P12} }] }';
  expect(load(file, {}, { P12: '0123' }).config.tls.certificates).toEqual([
    { cert: 'c', key: 'k' },
    { pfx: 'p', passphrase: '0123' },
  ]);
});

test("a connection may rest for as long as a tunnel's session, and a little longer", () => {
  expect(load('tunnel: { idleTimeout: 85s }').config.web.server.keepAliveTimeoutMs).toBe(90_000);
  expect(load('tunnel: { idleTimeout: 86s }').config.web.server.keepAliveTimeoutMs).toBe(91_000);
});

test('a stranger never gets more than those who were let in', () => {
  const { limitsBefore, limitsAfter } = load('limits: { commandMessage: 4KiB, chunkStreams: 8 }').config.core.session;
  expect(limitsBefore).toMatchObject({ maxCommandBytes: 4096, maxChunkStreams: 8 });
  expect(limitsAfter).toMatchObject({ maxCommandBytes: 4096, maxChunkStreams: 8 });
});

test("what is asked of clients: a door's own, or the general, and every file of it is read", () => {
  const { config } = load(`
listen:
  - { port: 1 }
  - { port: 2, tls: { clientCertificate: optional, ciphers: ECDHE-RSA-AES128-GCM-SHA256 } }
  - { port: 3, tls: { clientCa: [own.pem, second.pem] } }
tls: { clientCa: ca.pem, clientCrl: crl.pem }
`);
  const [one, two, three] = config.listen.map(({ tls }) => tls);
  expect(one?.clients).toEqual({ authorities: ['ca.pem'], revoked: ['crl.pem'], required: true });
  expect(two?.clients).toEqual({ authorities: ['ca.pem'], revoked: ['crl.pem'], required: false });
  expect(two?.ciphers).toBe('ECDHE-RSA-AES128-GCM-SHA256');
  expect(three?.clients).toEqual({ authorities: ['own.pem', 'second.pem'], revoked: [], required: true });
  expect(config.tls.trustFiles).toEqual(['ca.pem', 'crl.pem', 'own.pem', 'second.pem']);
});

test('session tickets, strict keys and the webroot', () => {
  const secret = 'x'.repeat(32);
  const { config } = load(
    `tls: { ticketSecret: ${secret}, ticketRotation: 1h, strictKeys: true, acmeWebroot: /var/www/acme }`,
  );
  expect(config.tls).toMatchObject({ strictKeys: true, tickets: { secret, rotationMs: 3_600_000 } });
  expect(config.web.app.acmeWebroot).toBe('/var/www/acme');
});
