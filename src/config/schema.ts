import type { z } from 'zod';
import { TICKET_DEFAULTS } from '../certificates/index.ts';
import { HUB_DEFAULTS } from '../hub/index.ts';
import { ALL_PROTOCOLS, isCipherList, TLS_DEFAULTS, trustList, TUNNEL_DEFAULTS } from '../transport/index.ts';
import type { Protocol, TlsVersion } from '../transport/index.ts';
import { admin } from './admin.ts';
import { choice, count, duration, host, later, leaf, list, offOr, portOrOff, secret, section } from './fields.ts';
import { listOrOne, size, text, toggle, words } from './fields.ts';
import { hls } from './hls.ts';
import { limits } from './limits.ts';
import { recordKeys } from './record.ts';
import { relay } from './relay.ts';
import { upstreamKeys } from './upstreams.ts';

/**
 * The configuration file: every key, its type and its default. Keys that only a later version serves are known too, so
 * that a file may keep them as long as they ask for nothing; what would be ignored in silence is an error instead.
 */

/** From the oldest on. */
export const TLS_VERSIONS: readonly [TlsVersion, ...TlsVersion[]] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** Where the gateway listens when nothing else is said: RTMP's own port, and what stands in for 80 and 443. */
export const DEFAULT_PORTS = Object.freeze({ rtmp: 1935, http: 8080, https: 8443 });

function cipherList() {
  return text("a list of ciphers in OpenSSL's notation, such as ECDHE-ECDSA-AES128-GCM-SHA256", isCipherList);
}

/** One file, or several. */
function pemFiles() {
  return listOrOne(text('the path of a PEM file'));
}

const door = section({
  host: host().optional(),
  port: portOrOff(),
  protocols: words<Protocol>('protocol', ALL_PROTOCOLS).optional(),
  proxyProtocol: offOr('require').optional(),
  tls: section({
    minVersion: choice(...TLS_VERSIONS).optional(),
    maxVersion: choice(...TLS_VERSIONS).optional(),
    ciphers: cipherList().optional(),
    clientCa: pemFiles().optional(),
    clientCrl: pemFiles().optional(),
    clientCertificate: choice('required', 'optional').optional(),
  }).optional(),
});

/** A front door as the file describes it. */
export type DoorSettings = z.output<typeof door>;

const core = section({
  ...upstreamKeys,
  republish: choice('refuse', 'takeover').default(HUB_DEFAULTS.republish),
  grace: duration({ max: 3_600_000 }).default(HUB_DEFAULTS.graceMs),
});

const tunnel = section({
  idleTimeout: duration({ min: 1000, max: 3_600_000 }).default(TUNNEL_DEFAULTS.idleTimeoutMs),
  // Above 4 s FFmpeg, which waits for every answer, would fall behind; librtmp's own time-out is 30 s.
  hold: duration({ min: 0, max: 4000 }).default(TUNNEL_DEFAULTS.holdMs),
  ident2: leaf<404 | 200>({ expected: '404 or 200', read: ident2Status }).default(TUNNEL_DEFAULTS.ident2),
  maxSessions: count({ min: 1 }).default(TUNNEL_DEFAULTS.maxSessions),
  maxBody: size({ min: 64 * 1024 }).default(TUNNEL_DEFAULTS.maxBodyBytes),
});

const certificate = section({
  cert: text('the path of a PEM file').optional(),
  key: text('the path of a PEM file').optional(),
  pfx: text('the path of a PKCS#12 file').optional(),
  passphrase: secret().optional(),
});

const tls = section({
  directory: text('the path of a directory').default('certs'),
  certificates: list(certificate).default([]),
  minVersion: choice(...TLS_VERSIONS).default(TLS_DEFAULTS.minVersion),
  maxVersion: choice(...TLS_VERSIONS).default(TLS_DEFAULTS.maxVersion),
  capWithoutSni: toggle().default(TLS_DEFAULTS.capWithoutSni),
  ciphers: cipherList().nullable().default(null),
  clientCa: pemFiles().nullable().default(null),
  clientCrl: pemFiles().nullable().default(null),
  clientCertificate: choice('required', 'optional').default('required'),
  ticketSecret: secret(32).nullable().default(null),
  ticketRotation: duration({ min: 60_000, max: 7 * 86_400_000 }).default(TICKET_DEFAULTS.rotationMs),
  strictKeys: toggle().default(false),
  acmeWebroot: text('the path of a directory').nullable().default(null),
});

const addressRange = text('"loopback", "private", an IP address or a range such as 10.0.0.0/8', (entry) => {
  try {
    trustList([entry]);
    return true;
  } catch {
    return false;
  }
});

const domain = text('a domain such as *.example.com, or *', (name) =>
  /^(\*|(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*)$/.test(name),
);

export const schema = section({
  listen: list(door).default([
    { port: DEFAULT_PORTS.rtmp },
    { port: DEFAULT_PORTS.http },
    { port: DEFAULT_PORTS.https },
  ]),
  core: core.prefault({}),
  tunnel: tunnel.prefault({}),
  tls: tls.prefault({}),
  trustedProxies: list(addressRange).default(['loopback']),
  limits: limits.prefault({}),
  auth: later('this version does not ask who publishes or plays yet'),
  relay,
  hls: hls.prefault({}),
  record: recordKeys,
  admin: admin.prefault({}),
  web: section({ crossdomain: list(domain).nullable().default(null) }).prefault({}),
  log: section({
    level: choice('debug', 'info', 'warn', 'error', 'silent').default('info'),
    format: choice('json', 'pretty').optional(),
  }).prefault({}),
  cluster: later('this version does not form clusters yet'),
});

/** The whole file, read: milliseconds and bytes as numbers, defaults filled in. */
export type Settings = z.output<typeof schema>;

function ident2Status(input: unknown): 404 | 200 | undefined {
  return ([404, 200] as const).find((status) => String(status) === String(input));
}
