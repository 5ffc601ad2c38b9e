import type { Target } from './carrier.ts';
import type { Spread } from './histogram.ts';

/** What a load worker is asked to do: bring everybody up, wait, measure for `seconds`, and tell. */
export interface MediaJob {
  /** Whose CPU time and memory are read while it measures; its children count with it. */
  readonly serverPid: number;
  readonly players: Target;
  readonly publishers: Target;
  /** Streams published, each with `playersPerStream` players. */
  readonly streams: number;
  readonly playersPerStream: number;
  readonly kbitPerSecond: number;
  readonly framesPerSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** New players each second. */
  readonly ramp: number;
  /** Flat out: no pace, but so many pictures ahead of the slowest player. For one stream, and players that have begun. */
  readonly window?: number;
  /** Pause of a tunnel's client after an empty answer. */
  readonly pollMs: number;
  /** Each player of a stream on a NetStream of another number, so that the server cannot send two of them the same bytes. */
  readonly ownNetStreams?: boolean;
  /** Players of low-latency HLS that fetch each stream from the HTTP server at `port`. */
  readonly hls?: { readonly port: number; readonly playersPerStream: number };
}

/** Sessions that only poll, or plain pollers of an HTTP server that knows no RTMP. */
export interface PollJob {
  readonly serverPid: number;
  readonly port: number;
  readonly sessions: number;
  readonly withRtmp: boolean;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Clients that come one after the other. */
export interface ArrivalJob {
  readonly serverPid: number;
  readonly players: Target;
  readonly publishers: Target;
  readonly arrivals: number;
}

/** TLS handshakes, and nothing else: each connection is closed as soon as its handshake is done. */
export interface HandshakeJob {
  readonly serverPid: number;
  readonly port: number;
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  /** With a ticket of an earlier one. */
  readonly resumed: boolean;
  /** How many at a time. */
  readonly concurrency: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Connections that begin a TLS handshake and go silent: half of them within the ClientHello, half behind it. */
export interface StallJob {
  readonly port: number;
  readonly connections: number;
  readonly delaySeconds: number;
  readonly seconds: number;
}

type Kind<K extends string, J> = { readonly kind: K } & J;

export type AnyJob =
  | Kind<'media', MediaJob>
  | Kind<'poll', PollJob>
  | Kind<'arrivals', ArrivalJob>
  | Kind<'handshakes', HandshakeJob>
  | Kind<'stall', StallJob>;

/** The server's cost and the load's own, over the measured time. */
export interface Cost {
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly loadCpuSeconds: number;
  readonly rssBeforeKiB: number;
  readonly rssAfterKiB: number;
}

export interface MediaReport extends Cost {
  readonly sentMessages: number;
  readonly sentBytes: number;
  readonly receivedMessages: number;
  readonly receivedBytes: number;
  readonly lost: number;
  readonly reordered: number;
  readonly damaged: number;
  readonly disconnected: number;
  readonly reasons: readonly string[];
  readonly delayMs: Spread | undefined;
  readonly answers: number;
  readonly emptyAnswers: number;
  /** Parts that HLS players got; each asked for its playlist before. */
  readonly hlsParts: number;
}

export interface PollReport extends Cost {
  readonly polls: number;
  readonly disconnected: number;
  readonly reasons: readonly string[];
}

export interface ArrivalReport {
  readonly arrivals: number;
  readonly connectMs: Spread | undefined;
  readonly joinMs: Spread | undefined;
}

export interface HandshakeReport extends Cost {
  readonly handshakes: number;
  /** Resumed where a full one was wanted, or the other way round. */
  readonly otherwise: number;
  readonly failed: number;
  readonly reasons: readonly string[];
}

export interface StallReport {
  /** How many were connected at the same time, at the most. */
  readonly standing: number;
  /** How often the server closed one, and another took its place. */
  readonly ended: number;
}

export type AnyReport = MediaReport | PollReport | ArrivalReport | HandshakeReport | StallReport;

export type WorkerAnswer = { readonly report: AnyReport } | { readonly error: string };
