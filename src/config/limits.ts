import type { z } from 'zod';
import { DRIVER_DEFAULTS } from '../endpoint/index.ts';
import { HUB_DEFAULTS, OUTBOX_DEFAULTS } from '../hub/index.ts';
import { SESSION_DEFAULTS } from '../protocol/index.ts';
import { DOOR_LIMITS, TUNNEL_DEFAULTS, UPSTREAM_DEFAULTS } from '../transport/index.ts';
import { WEB_DEFAULTS } from '../web/index.ts';
import { count, duration, section, size } from './fields.ts';

/** The limits that no single room owns: they are counted across all doors. */
export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = Object.freeze({
  // Some 50 KiB each at rest, so 1 GiB; half of what a process may usually have open (LimitNOFILE 524,288 aside, many
  // images still set 65,536). nginx ships with 512 per worker, HAProxy sizes itself by the descriptors it may open.
  connections: 20_000,
  // A school or an office behind one address watches together; a single client has no use for more than a handful.
  connectionsPerAddress: 200,
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const KIB = 1024;
const MIB = 1024 * KIB;

/** Time-outs below this cut off honest clients on slow lines; above an hour they are none. */
const TIMEOUT = { min: 100, max: HOUR };

const { amf, limitsAfter } = SESSION_DEFAULTS;
const { gop } = HUB_DEFAULTS;

/** `limits`: what one client, or all together, may cost. The defaults are the rooms' own. */
export const limits = section({
  connections: count({ min: 1 }).default(CONNECTION_LIMITS.connections),
  connectionsPerAddress: count({ min: 1 }).default(CONNECTION_LIMITS.connectionsPerAddress),
  undecidedConnections: count({ min: 1 }).default(DOOR_LIMITS.maxUndecided),
  sniffTimeout: duration(TIMEOUT).default(DOOR_LIMITS.sniffMs),
  tlsTimeout: duration(TIMEOUT).default(DOOR_LIMITS.tlsMs),

  handshakeTimeout: duration(TIMEOUT).default(SESSION_DEFAULTS.handshakeTimeoutMs),
  connectTimeout: duration(TIMEOUT).default(SESSION_DEFAULTS.connectTimeoutMs),
  requestTimeout: duration(TIMEOUT).default(SESSION_DEFAULTS.requestTimeoutMs),
  firstMediaTimeout: duration(TIMEOUT).default(SESSION_DEFAULTS.firstMediaTimeoutMs),
  pingAfter: duration(TIMEOUT).default(SESSION_DEFAULTS.pingAfterMs),
  idleTimeout: duration(TIMEOUT).default(SESSION_DEFAULTS.idleTimeoutMs),
  drainTimeout: duration(TIMEOUT).default(DRIVER_DEFAULTS.drainTimeoutMs),

  // A message length is a 24-bit field.
  mediaMessage: size({ min: 64 * KIB, max: 16 * MIB - 1 }).default(limitsAfter.maxMediaBytes),
  commandMessage: size({ min: 4 * KIB, max: 16 * MIB - 1 }).default(limitsAfter.maxCommandBytes),
  // RTMP's initial chunk size is 128: nobody can be asked to begin with more.
  minChunkSize: count({ min: 1, max: 128 }).default(limitsAfter.minChunkSize),
  chunkStreams: count({ min: 8, max: 65_597 }).default(limitsAfter.maxChunkStreams),
  partialMessages: count({ min: 2 }).default(limitsAfter.maxPartialMessages),
  partialBytes: size({ min: 64 * KIB }).default(limitsAfter.maxPartialBytes),
  amfDepth: count({ min: 3, max: 256 }).default(amf.maxDepth),
  amfValues: count({ min: 64 }).default(amf.maxValues),
  amfString: size({ min: KIB }).default(amf.maxStringBytes),
  streamsPerConnection: count({ min: 1 }).default(SESSION_DEFAULTS.maxStreams),
  pendingCalls: count({ min: 4 }).default(SESSION_DEFAULTS.maxPendingCalls),
  commandsPerSecond: count({ min: 10 }).default(SESSION_DEFAULTS.maxCommandsPerSecond),
  controlsPerSecond: count({ min: 10 }).default(SESSION_DEFAULTS.maxControlsPerSecond),
  heldMedia: size().default(SESSION_DEFAULTS.maxHeldBytes),
  unreadReplies: size({ min: 4 * KIB }).default(SESSION_DEFAULTS.maxUnreadReplyBytes),

  gopFrames: count().default(gop.maxFrames),
  gopBytes: size().default(gop.maxBytes),
  gopDuration: duration().default(gop.maxDurationMs),
  gopMemory: size({ min: MIB }).default(HUB_DEFAULTS.maxGopMemoryBytes),
  outboxFrames: count({ min: 16 }).default(OUTBOX_DEFAULTS.maxFrames),
  outboxBytes: size({ min: 64 * KIB }).default(OUTBOX_DEFAULTS.maxBytes),
  outboxDuration: duration({ min: 1000 }).default(OUTBOX_DEFAULTS.maxDurationMs),

  tunnelPostsAhead: count({ min: 2, max: 1024 }).default(TUNNEL_DEFAULTS.maxAhead),
  tunnelParkedBytes: size({ min: 64 * KIB }).default(TUNNEL_DEFAULTS.maxParkedBytes),
  // Below this an answer could not carry S0, S1 and S2, nor FFmpeg keep up with a stream.
  tunnelOutput: size({ min: 64 * KIB }).default(TUNNEL_DEFAULTS.maxOutputBytes),
  tunnelRememberedBytes: size().default(TUNNEL_DEFAULTS.maxRememberedBytes),
  tunnelMemory: size({ min: MIB }).default(TUNNEL_DEFAULTS.maxMemoryBytes),

  upstreamTimeout: duration(TIMEOUT).default(UPSTREAM_DEFAULTS.connectTimeoutMs),
  upstreamProbe: duration({ min: 1000, max: HOUR }).default(UPSTREAM_DEFAULTS.probeMs),

  httpHead: size({ min: KIB, max: 256 * KIB }).default(WEB_DEFAULTS.maxHeadBytes),
  httpHeadTimeout: duration(TIMEOUT).default(WEB_DEFAULTS.headTimeoutMs),
  httpBodyTimeout: duration(TIMEOUT).default(TUNNEL_DEFAULTS.bodyTimeoutMs),
  httpKeepAlive: duration(TIMEOUT).default(WEB_DEFAULTS.keepAliveTimeoutMs),
  httpStallTimeout: duration(TIMEOUT).default(WEB_DEFAULTS.stallTimeoutMs),
});

/** All limits as one reads them: milliseconds, bytes and counts. */
export type Limits = z.output<typeof limits>;
