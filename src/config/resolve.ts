import type { AdminOptions } from '../admin/index.ts';
import type { CertificateSource, LiveOptions } from '../certificates/index.ts';
import { DRIVER_DEFAULTS } from '../endpoint/index.ts';
import type { DriverOptions } from '../endpoint/index.ts';
import { HUB_DEFAULTS } from '../hub/index.ts';
import type { HubOptions, OutboxLimits } from '../hub/index.ts';
import type { LogOptions } from '../log.ts';
import { SESSION_DEFAULTS } from '../protocol/index.ts';
import type { SessionOptions } from '../protocol/index.ts';
import type { RelayRule } from '../relay/index.ts';
import { DOOR_LIMITS, restMs, TUNNEL_DEFAULTS } from '../transport/index.ts';
import type { ClientTrust, DoorLimits, DoorOptions, TlsOptions, TunnelOptions } from '../transport/index.ts';
import type { WebAppOptions, WebServerOptions } from '../web/index.ts';
import type { HlsOptions, RecordRule } from '../delivery/index.ts';
import { adminOptions } from './admin.ts';
import { OFF } from './fields.ts';
import { hlsOptions } from './hls.ts';
import type { ConnectionLimits, Limits } from './limits.ts';
import { recordRules } from './record.ts';
import { relayRules } from './relay.ts';
import type { DoorSettings, Settings } from './schema.ts';
import { upstreamsConfig } from './upstreams.ts';
import type { UpstreamsConfig } from './upstreams.ts';

/** All that the gateway needs to know, in the options types of the rooms that need it. */
export interface Config {
  /** At least one. */
  readonly listen: readonly DoorOptions[];
  /** The built-in RTMP core. */
  readonly core: {
    readonly hub: HubOptions;
    readonly outbox: OutboxLimits;
    readonly session: Omit<SessionOptions, 'random'>;
    readonly driver: DriverOptions;
  };
  /** The RTMP servers that take the built-in core's place, if there are any. */
  readonly upstreams: UpstreamsConfig;
  readonly tunnel: TunnelOptions;
  /** What is pushed to other servers and pulled from them. */
  readonly relay: readonly RelayRule[];
  readonly tls: LiveOptions;
  /** For `trustList`. */
  readonly trustedProxies: readonly string[];
  readonly limits: ConnectionLimits;
  readonly hls: HlsOptions;
  readonly record: readonly RecordRule[];
  readonly web: { readonly app: WebAppOptions; readonly server: WebServerOptions };
  /** The listener for those who run the gateway, if there is one. */
  readonly admin: AdminOptions | null;
  readonly log: LogOptions;
}

/** Maps the file's keys onto the rooms' options. */
export function toConfig(settings: Settings, terminal: boolean): Config {
  const { limits, log } = settings;
  return {
    listen: settings.listen.flatMap((door) => doorOptions(door, settings)),
    core: coreOptions(settings),
    upstreams: upstreamsConfig(settings.core, limits),
    tunnel: tunnelOptions(settings),
    relay: relayRules(settings.relay),
    tls: certificateOptions(settings),
    trustedProxies: settings.trustedProxies,
    limits: { connections: limits.connections, connectionsPerAddress: limits.connectionsPerAddress },
    hls: hlsOptions(settings),
    record: recordRules(settings),
    web: {
      app: { crossdomain: settings.web.crossdomain, acmeWebroot: settings.tls.acmeWebroot },
      server: webServerOptions(settings),
    },
    admin: adminOptions(settings.admin),
    log: { level: log.level, format: log.format ?? (terminal ? 'pretty' : 'json') },
  };
}

function doorOptions(door: DoorSettings, { tls: general, limits }: Settings): DoorOptions[] {
  const { host, port, protocols, proxyProtocol } = door;
  if (port === OFF) return [];
  return [
    {
      port,
      ...(host !== undefined && { host }),
      ...(protocols !== undefined && { protocols }),
      ...(proxyProtocol !== undefined && { proxyProtocol }),
      tls: tlsOptions(door, general),
      limits: doorLimits(limits),
    },
  ];
}

function tlsOptions({ tls: own }: DoorSettings, general: Settings['tls']): TlsOptions {
  const ciphers = own?.ciphers ?? general.ciphers;
  const clients = clientTrust(own, general);
  return {
    minVersion: own?.minVersion ?? general.minVersion,
    maxVersion: own?.maxVersion ?? general.maxVersion,
    capWithoutSni: general.capWithoutSni,
    ...(ciphers !== null && { ciphers }),
    ...(clients !== undefined && { clients }),
  };
}

/** A door with authorities of its own has its own revocation lists as well. */
function clientTrust(own: DoorSettings['tls'], general: Settings['tls']): ClientTrust | undefined {
  const authorities = own?.clientCa ?? general.clientCa;
  if (authorities === null) return undefined;
  const revoked = own?.clientCrl ?? (own?.clientCa === undefined ? general.clientCrl : null) ?? [];
  return { authorities, revoked, required: (own?.clientCertificate ?? general.clientCertificate) === 'required' };
}

function certificateOptions({ tls, listen }: Settings): LiveOptions {
  const { directory, certificates, strictKeys, ticketSecret: secret, ticketRotation: rotationMs } = tls;
  const trusts = listen.flatMap((door) => clientTrust(door.tls, tls) ?? []);
  return {
    directory,
    certificates: certificates.map(certificateSource),
    trustFiles: [...new Set(trusts.flatMap(({ authorities, revoked }) => [...authorities, ...revoked]))],
    strictKeys,
    tickets: { rotationMs, ...(secret !== null && { secret }) },
  };
}

function doorLimits(limits: Limits): DoorLimits {
  return {
    ...DOOR_LIMITS,
    sniffMs: limits.sniffTimeout,
    tlsMs: limits.tlsTimeout,
    maxUndecided: limits.undecidedConnections,
  };
}

function coreOptions({ core, limits }: Settings): Config['core'] {
  const gop = { maxFrames: limits.gopFrames, maxBytes: limits.gopBytes, maxDurationMs: limits.gopDuration };
  return {
    hub: {
      ...HUB_DEFAULTS,
      republish: core.republish,
      graceMs: core.grace,
      gop,
      maxGopMemoryBytes: limits.gopMemory,
    },
    outbox: { maxFrames: limits.outboxFrames, maxBytes: limits.outboxBytes, maxDurationMs: limits.outboxDuration },
    session: sessionOptions(limits),
    driver: { ...DRIVER_DEFAULTS, drainTimeoutMs: limits.drainTimeout },
  };
}

function sessionOptions(limits: Limits): Config['core']['session'] {
  return {
    ...SESSION_DEFAULTS,
    handshakeTimeoutMs: limits.handshakeTimeout,
    connectTimeoutMs: limits.connectTimeout,
    requestTimeoutMs: limits.requestTimeout,
    firstMediaTimeoutMs: limits.firstMediaTimeout,
    pingAfterMs: limits.pingAfter,
    idleTimeoutMs: limits.idleTimeout,
    maxStreams: limits.streamsPerConnection,
    maxPendingCalls: limits.pendingCalls,
    maxCommandsPerSecond: limits.commandsPerSecond,
    maxControlsPerSecond: limits.controlsPerSecond,
    maxHeldBytes: limits.heldMedia,
    maxUnreadReplyBytes: limits.unreadReplies,
    amf: { maxDepth: limits.amfDepth, maxValues: limits.amfValues, maxStringBytes: limits.amfString },
    ...chunkLimits(limits),
  };
}

/** A stranger keeps its own, lower limits, but never gets more than those who were let in. */
function chunkLimits(limits: Limits): Pick<SessionOptions, 'limitsBefore' | 'limitsAfter'> {
  const { limitsBefore: stranger } = SESSION_DEFAULTS;
  const after = {
    ...SESSION_DEFAULTS.limitsAfter,
    maxMediaBytes: limits.mediaMessage,
    maxCommandBytes: limits.commandMessage,
    maxChunkStreams: limits.chunkStreams,
    maxPartialMessages: limits.partialMessages,
    maxPartialBytes: limits.partialBytes,
    minChunkSize: limits.minChunkSize,
  };
  const before = {
    ...stranger,
    // The first keyframe may begin before the publisher has been let in; what can be kept of it is bounded all the same.
    maxMediaBytes: after.maxMediaBytes,
    maxCommandBytes: Math.min(stranger.maxCommandBytes, after.maxCommandBytes),
    maxChunkStreams: Math.min(stranger.maxChunkStreams, after.maxChunkStreams),
    maxPartialMessages: Math.min(stranger.maxPartialMessages, after.maxPartialMessages),
    maxPartialBytes: Math.min(stranger.maxPartialBytes, after.maxPartialBytes),
    minChunkSize: after.minChunkSize,
  };
  return { limitsBefore: before, limitsAfter: after };
}

function tunnelOptions({ tunnel, limits }: Settings): TunnelOptions {
  return {
    ...TUNNEL_DEFAULTS,
    idleTimeoutMs: tunnel.idleTimeout,
    holdMs: tunnel.hold,
    ident2: tunnel.ident2,
    maxSessions: tunnel.maxSessions,
    maxBodyBytes: tunnel.maxBody,
    maxAhead: limits.tunnelPostsAhead,
    maxParkedBytes: limits.tunnelParkedBytes,
    maxOutputBytes: limits.tunnelOutput,
    maxRememberedBytes: limits.tunnelRememberedBytes,
    maxMemoryBytes: limits.tunnelMemory,
    maxHeadBytes: limits.httpHead,
    headTimeoutMs: limits.httpHeadTimeout,
    bodyTimeoutMs: limits.httpBodyTimeout,
    keepAliveMs: limits.httpKeepAlive,
  };
}

/** `checks.ts` has seen to it that either form is whole. */
function certificateSource(given: Settings['tls']['certificates'][number]): CertificateSource {
  const { cert = '', key = '', pfx, passphrase } = given;
  const secret = passphrase !== undefined && { passphrase };
  return pfx === undefined ? { cert, key, ...secret } : { pfx, ...secret };
}

function webServerOptions({ limits, tunnel }: Settings): WebServerOptions {
  return {
    maxHeadBytes: limits.httpHead,
    headTimeoutMs: limits.httpHeadTimeout,
    stallTimeoutMs: limits.httpStallTimeout,
    keepAliveTimeoutMs: restMs({ keepAliveMs: limits.httpKeepAlive, idleTimeoutMs: tunnel.idleTimeout }),
  };
}
