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
  /** Pause of a tunnel's client after an empty answer. */
  readonly pollMs: number;
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

type Kind<K extends string, J> = { readonly kind: K } & J;

export type AnyJob = Kind<'media', MediaJob> | Kind<'poll', PollJob> | Kind<'arrivals', ArrivalJob>;

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

export type AnyReport = MediaReport | PollReport | ArrivalReport;

export type WorkerAnswer = { readonly report: AnyReport } | { readonly error: string };
