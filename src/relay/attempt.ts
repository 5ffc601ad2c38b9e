import type { Duplex } from 'node:stream';
import {
  random,
  RefusedByServer,
  relayProperties,
  RtmpClient,
  settingsFor,
  type RtmpClientOptions,
} from '../endpoint/index.ts';
import { RemoteError } from '../errors.ts';
import type { Hub } from '../hub/index.ts';
import type { Log } from '../log.ts';
import { authStep, withQuery, type SessionOptions } from '../protocol/index.ts';
import { parseTarget, type Dial } from '../transport/index.ts';
import type { Target } from './target.ts';

/** What one connection to another server is doing, in figures. All of them since the relay began. */
export interface Traffic {
  /** Given to the transport, or received from it, over all connections. */
  readonly bytes: number;
  /** Of what the present connection sent, the bytes that the server has not acknowledged; undefined if it never does. */
  readonly unacknowledged: number | undefined;
  readonly frames: number;
  /** Frames that a slow server was to get and did not. */
  readonly dropped: number;
  /** What waits for a server that is too slow. */
  readonly queued: { readonly frames: number; readonly bytes: number; readonly ms: number };
  /** Codecs of tracks that are not for this server. */
  readonly leftOut: readonly string[];
}

/** One stream's way to or from other servers, one connection after the other. */
export interface Attempt {
  /** Whom the next attempt goes to; safe to show. */
  readonly shown: string;
  /** The number of servers that are tried one after the other before there is a pause. */
  readonly choices: number;
  readonly traffic: Traffic;
  /** A text of the other server's, fit to be shown. */
  hide(text: string): string;
  /** Connects and works until it fails, which rejects. `live`: media may flow. */
  once(signal: AbortSignal, live: () => void): Promise<never>;
  /** Looks whether the connection still does anything; ends it if not. Called about once a second. */
  check(now: number): void;
  /** Ends politely, for good. Resolves when nothing is left. */
  stop(): Promise<void>;
}

/** How to get to another server. */
export type DialTo = (target: Target) => Dial;

/** What all relays share. */
export interface RelayShared {
  readonly hub: Hub;
  readonly log: Log;
  readonly dialTo: DialTo;
  /** By which this gateway knows itself in a chain of relays. */
  readonly gatewayId: string;
  /** Limits and times of its sessions. */
  readonly session?: Partial<SessionOptions> | undefined;
}

/** A connection on which the application was accepted. */
export interface Connected {
  readonly client: RtmpClient;
  readonly stream: Duplex;
}

/** What a relay asks of a connection. */
export interface ConnectSettings {
  /** The gateways that the stream came through. */
  readonly hops: readonly string[];
  /** The server may send it elsewhere. */
  readonly follows?: boolean;
  readonly client: RtmpClientOptions;
}

/** Where the password's rounds end: one without it, one with the name, one with the answer. */
const MAX_ROUNDS = 3;

/**
 * Dials and connects, again with the answer to a server that asks for a password. Whatever becomes of it, the signal ends it.
 * Rejects as `RtmpClient.connect` does, and with `RemoteError` AUTH_NEEDED or AUTH_REFUSED.
 */
export async function connect(
  target: Target,
  shared: RelayShared,
  settings: ConnectSettings,
  signal: AbortSignal,
): Promise<Connected> {
  let query = '';
  for (let round = 1; ; round++) {
    try {
      return await connectOnce(target, query, shared, settings, signal);
    } catch (fault) {
      query = answerTo(fault, target, round);
    }
  }
}

async function connectOnce(
  target: Target,
  query: string,
  { dialTo, gatewayId, session }: RelayShared,
  { hops, follows = false, client: options }: ConnectSettings,
  signal: AbortSignal,
): Promise<Connected> {
  signal.throwIfAborted();
  const stream = await dialTo(target)(signal);
  // A stream that fails before anybody listens would end the process.
  stream.on('error', () => {});
  const abort = (): void => void stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', abort));
  if (signal.aborted) abort();
  const [app, tcUrl] = [withQuery(target.app, query), withQuery(target.tcUrl, query)];
  try {
    const properties = relayProperties([...hops, gatewayId], follows);
    const settings = { ...options, session: settingsFor(parseTarget(target.dial), { random, ...session }) };
    return { client: await RtmpClient.connect(stream, { app, tcUrl, properties }, settings), stream };
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** The query to connect with next; throws when a refusal has nothing to do with a password, or there is no use in going on. */
function answerTo(fault: unknown, { app, credentials }: Target, round: number): string {
  if (!(fault instanceof RefusedByServer) || fault.what !== 'connect') throw fault;
  const step = authStep(fault.status.description, app, credentials, random);
  if (step === undefined) throw fault;
  if (step.type === 'needed')
    throw new RemoteError('AUTH_NEEDED', 'the server asks for a user and a password: write them into the rule');
  if (step.type === 'refused')
    throw new RemoteError('AUTH_REFUSED', `the server refuses the user or the password (${shortened(step.reason)})`);
  if (round < MAX_ROUNDS) return step.query;
  throw new RemoteError('AUTH_REFUSED', 'the server asks for the password again and again');
}

function shortened(reason: string): string {
  return reason.replace(/[^a-z0-9 _-]/gi, '?').slice(0, 40);
}
