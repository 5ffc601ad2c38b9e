import { AMF_LIMITS, type AmfLimits } from './amf0.ts';
import { CHUNK_READER_LIMITS, STRANGER_CHUNK_READER_LIMITS, type ChunkReaderLimits } from './chunk-reader.ts';

/** What a session may cost and how long it may wait. Times in milliseconds. */
export interface SessionOptions {
  /** For the handshake's 1528 random bytes, and for nothing else. */
  readonly random: (bytes: number) => Buffer;
  /** Outgoing chunk size, announced once. */
  readonly chunkSize: number;
  /** How often the peer is asked to acknowledge, and the bandwidth that it is allowed. */
  readonly windowAckSize: number;
  /** From the first byte to the end of the handshake. */
  readonly handshakeTimeoutMs: number;
  /** From there to the connect command; on the asking side, to its answer. */
  readonly connectTimeoutMs: number;
  /** From an accepted connect to the first publish or play; on the asking side, from any call to its answer. */
  readonly requestTimeoutMs: number;
  /** From an accepted publish to its first audio, video or data. */
  readonly firstMediaTimeoutMs: number;
  /** Silence after which the peer is asked whether it lives. */
  readonly pingAfterMs: number;
  /** Silence, nothing drained either, after which it does not. */
  readonly idleTimeoutMs: number;
  /** NetStreams of one connection. */
  readonly maxStreams: number;
  /** Calls waiting for connect to be accepted; on the asking side, calls waiting for their answers. */
  readonly maxPendingCalls: number;
  /** Commands in one second; more is an attack. */
  readonly maxCommandsPerSecond: number;
  /** Messages of a few bytes in one second; more is an attack. */
  readonly maxTinyMessagesPerSecond: number;
  /** Control messages in one second that are acted on; further ones are ignored. */
  readonly maxControlsPerSecond: number;
  /** Media that came while its publish request was open, kept for its acceptance. */
  readonly maxHeldBytes: number;
  /** Replies that the peer has not taken; media is counted by whoever sends it. */
  readonly maxUnreadReplyBytes: number;
  /** Where the count of received bytes starts; tests start it near 4 GiB. */
  readonly bytesReceivedBefore: number;
  readonly amf: AmfLimits;
  /** Of the chunk reader, until the first publish is accepted (on the asking side: play too), and after. */
  readonly limitsBefore: ChunkReaderLimits;
  readonly limitsAfter: ChunkReaderLimits;
}

/** What a caller gives; the defaults fill the rest. */
export type SessionSettings = Partial<SessionOptions> & Pick<SessionOptions, 'random'>;

export const SESSION_DEFAULTS: Omit<SessionOptions, 'random'> = Object.freeze({
  // One chunk per message for all but large keyframes; FFmpeg adopts it for what it publishes. MediaMTX: 65536, SRS: 60000.
  chunkSize: 65_536,
  // nginx-rtmp and SRS: 2,500,000 to 5,000,000.
  windowAckSize: 2_500_000,
  // livego and Red5 5 s, SRS 30 s, nginx-rtmp 60 s. Tunnels get half as much again from the endpoint.
  handshakeTimeoutMs: 10_000,
  // Encoders connect in the same breath; a person is never involved.
  connectTimeoutMs: 10_000,
  // Flash pages connect first and play on a click, but not many such are left; two attempts of a slow encoder fit in.
  requestTimeoutMs: 20_000,
  // OBS opens its encoders after Publish.Start: a second or two, more for a hardware encoder that is waking up.
  firstMediaTimeoutMs: 20_000,
  // nginx-rtmp pings after 60 s; players behind NAT are safer with 30.
  pingAfterMs: 30_000,
  // Three pings. nginx-rtmp: 60 s and 30 s more.
  idleTimeoutMs: 90_000,
  // OBS uses one, Flash pages a handful. A createStream flood once overflowed SRS's stack (ossrs/srs#607).
  maxStreams: 8,
  // The longest burst seen (librtmp) is three.
  maxPendingCalls: 64,
  // A Flash page's start-up calls stay under 20.
  maxCommandsPerSecond: 200,
  // A silent sound track has 47; a file with one that is sent as fast as the line allows has 200 times as many.
  maxTinyMessagesPerSecond: 10_000,
  // A player acknowledges some ten times a second at 100 Mbit/s; a tunnel delivers several seconds' worth at once.
  maxControlsPerSecond: 500,
  // Metadata, headers and a few frames: clients that do not wait for Publish.Start send them in the same packet.
  maxHeldBytes: 262_144,
  // A thousand replies; a publisher that reads nothing (librtmp, OBS) is owed four.
  maxUnreadReplyBytes: 262_144,
  amf: AMF_LIMITS,
  // A client that does not wait for Publish.Start may begin a large keyframe in the packet of its publish command;
  // what a stranger can make us keep is bounded by maxPartialBytes all the same.
  limitsBefore: Object.freeze({ ...STRANGER_CHUNK_READER_LIMITS, maxMediaBytes: CHUNK_READER_LIMITS.maxMediaBytes }),
  limitsAfter: CHUNK_READER_LIMITS,
  bytesReceivedBefore: 0,
});
