import { isIPv4 } from 'node:net';
import type { PlacedDoor } from './flags.ts';
import { openAdmin } from './admin.ts';
import { OFF } from './fields.ts';
import { formatPath } from './problems.ts';
import { TLS_VERSIONS } from './schema.ts';
import type { Settings } from './schema.ts';

/** Where something is wrong (a key's path, or a flag), and what. */
export interface Complaint {
  readonly place: readonly PropertyKey[] | string;
  readonly reason: string;
}

/** What can only be seen by looking at several keys together. Each key by itself is known to be good. */
export function contradictions(settings: Settings, doors: readonly PlacedDoor[]): Complaint[] {
  return [
    ...doorConflicts(doors),
    ...doorsForNobody(settings, doors),
    ...tlsRanges(settings, doors),
    ...certificateShapes(settings),
    ...clientTrusts(settings, doors),
    ...limitsAtOdds(settings),
    ...openAdmin(settings),
    ...relaysOfNothing(settings),
  ];
}

function doorConflicts(doors: readonly PlacedDoor[]): Complaint[] {
  const open = doors.filter(({ door }) => door.port !== OFF);
  if (open.length === 0) return [{ place: ['listen'], reason: 'every door is off: there is nothing to listen on' }];
  return open.flatMap((placed, index) => {
    const other = open.slice(0, index).find((earlier) => overlap(earlier, placed));
    if (other === undefined) return [];
    const { host, port } = other.door;
    const where = everyAddress(host) ? 'every address' : String(host);
    return [{ place: placed.place, reason: `port ${port} is taken by ${nameOf(other)}, on ${where}` }];
  });
}

function doorsForNobody({ trustedProxies }: Settings, doors: readonly PlacedDoor[]): Complaint[] {
  if (trustedProxies.length > 0) return [];
  const reason = 'proxyProtocol: require needs trustedProxies, or nobody could come in';
  return doors.flatMap(({ door, place }) => (door.proxyProtocol === 'require' ? [{ place, reason }] : []));
}

/** No address, and `::`, mean every address of both kinds; `0.0.0.0` every IPv4 one. */
function overlap({ door: a }: PlacedDoor, { door: b }: PlacedDoor): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  if (a.host === b.host || [a, b].some(({ host }) => host === undefined || host === '::')) return true;
  return [a, b].some(({ host }) => host === '0.0.0.0') && [a, b].every(({ host }) => isIPv4(host ?? ''));
}

function everyAddress(host: string | undefined): boolean {
  return host === undefined || host === '::' || host === '0.0.0.0';
}

function nameOf({ place }: PlacedDoor): string {
  return typeof place === 'string' ? place : formatPath(place);
}

function tlsRanges({ tls }: Settings, doors: readonly PlacedDoor[]): Complaint[] {
  const backwards = ({ minVersion, maxVersion }: { minVersion: TlsName; maxVersion: TlsName }) =>
    TLS_VERSIONS.indexOf(minVersion) > TLS_VERSIONS.indexOf(maxVersion);
  const reason = (range: { minVersion: TlsName; maxVersion: TlsName }) =>
    `nothing lies between minVersion ${range.minVersion} and maxVersion ${range.maxVersion}`;
  if (backwards(tls)) return [{ place: ['tls', 'minVersion'], reason: reason(tls) }];
  return doors.flatMap(({ door, place }) => {
    const range = {
      minVersion: door.tls?.minVersion ?? tls.minVersion,
      maxVersion: door.tls?.maxVersion ?? tls.maxVersion,
    };
    return backwards(range)
      ? [{ place: typeof place === 'string' ? place : [...place, 'tls'], reason: reason(range) }]
      : [];
  });
}

type TlsName = Settings['tls']['minVersion'];

function certificateShapes({ tls }: Settings): Complaint[] {
  return tls.certificates.flatMap(({ cert, key, pfx }, index) => {
    const pem = cert !== undefined && key !== undefined && pfx === undefined;
    const pkcs12 = pfx !== undefined && cert === undefined && key === undefined;
    if (pem || pkcs12) return [];
    return [{ place: ['tls', 'certificates', index], reason: 'expected either cert and key, or pfx' }];
  });
}

/** Keys that ask for nothing because nobody is trusted. */
function clientTrusts({ tls }: Settings, doors: readonly PlacedDoor[]): Complaint[] {
  if (tls.clientCa !== null) return [];
  const reason = 'needs clientCa: there is nobody whose certificates are accepted';
  const general = tls.clientCrl === null ? [] : [{ place: ['tls', 'clientCrl'], reason }];
  const own = doors.flatMap(({ door, place }) => {
    if (door.tls === undefined || door.tls.clientCa !== undefined) return [];
    const keys = (['clientCrl', 'clientCertificate'] as const).filter((key) => door.tls?.[key] !== undefined);
    return keys.map((key) => ({ place: typeof place === 'string' ? place : [...place, 'tls', key], reason }));
  });
  return [...general, ...own];
}

/** Streams that are only carried through do not end here: there is nothing to relay. */
function relaysOfNothing({ relay, core }: Settings): Complaint[] {
  if (relay.length === 0 || core.upstreams.length === 0) return [];
  return [{ place: ['relay'], reason: 'needs the built-in core: with core.upstreams no stream ends here' }];
}

/** Pairs of keys of which the first must not be below the second, and why. */
const AT_LEAST = [
  ['limits.partialBytes', 'limits.mediaMessage', 'or the largest message could never be received'],
  ['limits.partialBytes', 'limits.commandMessage', 'or the largest command could never be received'],
  ['limits.idleTimeout', 'limits.pingAfter', 'or nobody is asked before being taken for dead'],
  ['limits.outboxFrames', 'limits.gopFrames', 'or joining a stream would overflow the queue'],
  ['limits.outboxBytes', 'limits.gopBytes', 'or joining a stream would overflow the queue'],
  ['limits.outboxDuration', 'limits.gopDuration', 'or joining a stream would overflow the queue'],
  ['limits.tunnelMemory', 'limits.tunnelParkedBytes', 'or one session could not use what it is allowed'],
  ['tunnel.idleTimeout', 'tunnel.hold', 'or a session would expire while its request is held'],
] as const;

function limitsAtOdds(settings: Settings): Complaint[] {
  return AT_LEAST.flatMap(([key, floor, why]) => {
    if (valueAt(settings, key) >= valueAt(settings, floor)) return [];
    return [{ place: key.split('.'), reason: `must not be below ${floor}, ${why}` }];
  });
}

function valueAt({ limits, tunnel }: Settings, key: (typeof AT_LEAST)[number][0 | 1]): number {
  const [section, name] = key.split('.') as ['limits' | 'tunnel', string];
  return Number(({ limits, tunnel } as Record<string, Record<string, unknown>>)[section]?.[name]);
}
