import type { Duplex } from 'node:stream';
import { RtmpClient, relayProperties, type RtmpClientOptions } from '../endpoint/index.ts';
import type { Hub } from '../hub/index.ts';
import { redactKey, type Log } from '../log.ts';
import type { Dial } from '../transport/index.ts';
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
}

/** A connection on which the application was accepted. */
export interface Connected {
  readonly client: RtmpClient;
  readonly stream: Duplex;
}

/** Dials and connects. Whatever becomes of it, the signal ends it. */
export async function connect(
  target: Target,
  { dialTo, gatewayId }: RelayShared,
  hops: readonly string[],
  options: RtmpClientOptions,
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
  const { app, tcUrl } = target;
  try {
    const properties = relayProperties([...hops, gatewayId]);
    return { client: await RtmpClient.connect(stream, { app, tcUrl, properties }, options), stream };
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** A server's words, without the key that it may repeat. */
export function withoutKey(text: string, { key }: Target): string {
  const [name = key] = key.split('?');
  const secrets = [key, name].filter((secret) => secret.length > 4);
  return secrets.reduce((hidden, secret) => hidden.replaceAll(secret, redactKey(secret)), text);
}
