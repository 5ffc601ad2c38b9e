import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, rootCertificates } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

/** A server as people write it: `HOST:PORT`, or a URL. */
export interface RemoteTarget {
  readonly host: string;
  readonly port: number;
}

/** What a TLS server showed. */
export interface RemoteView {
  /** As it was sent, the server's own certificate first. */
  readonly chain: readonly X509Certificate[];
  /** `TLSv1.3` */
  readonly protocol: string;
  readonly cipher: string;
  /** `X25519`; undefined where it is not told. */
  readonly exchange: string | undefined;
  /** Why it would be refused with the authorities given; undefined when it would be taken. */
  readonly distrusted: string | undefined;
}

export const REMOTE_LIMITS = Object.freeze({
  // As for every other dial: two lost SYNs are survived.
  timeoutMs: 10_000,
  // No server sends more: what follows would be a joke at our expense.
  maxChain: 20,
});

/** Undefined for what names no server. */
export function readTarget(text: string): RemoteTarget | undefined {
  const url = /^(?:rtmps|rtmpts|https):\/\//i.test(text) ? text : `https://${text}`;
  if (!URL.canParse(url.replace(/^\w+:/, 'https:'))) return undefined;
  // As https, since only of that does the parser know that host names have no case and a port by default.
  const { hostname, port } = new URL(url.replace(/^\w+:/, 'https:'));
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const explicit = url === text || /:\d+$/.test(text);
  return host === '' || !explicit ? undefined : { host, port: port === '' ? 443 : Number(port) };
}

/** Shakes hands as the most patient of clients, looks at what comes, and leaves. Rejects with system and TLS errors. */
export async function viewRemote(target: RemoteTarget, authorities: readonly string[]): Promise<RemoteView> {
  const { promise, resolve, reject } = withResolvers<RemoteView>();
  const socket = connect(optionsFor(target, authorities), () => {
    resolve(viewOf(socket, target));
    socket.destroy();
  });
  const timer = setTimeout(() => socket.destroy(new Error(NO_ANSWER)), REMOTE_LIMITS.timeoutMs);
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('it closed the connection during the handshake')));
  return promise.finally(() => clearTimeout(timer));
}

const NO_ANSWER = `no answer within ${REMOTE_LIMITS.timeoutMs / 1000} s`;

/** Everything that OpenSSL still knows is allowed: an old server is looked at, not relied on. */
function optionsFor({ host, port }: RemoteTarget, authorities: readonly string[]): ConnectionOptions {
  return {
    host,
    port,
    ...(isIP(host) === 0 && { servername: host }),
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    ciphers: 'DEFAULT@SECLEVEL=0',
    ca: [...rootCertificates, ...authorities],
  };
}

function viewOf(socket: TLSSocket, { host }: RemoteTarget): RemoteView {
  const key = socket.getEphemeralKeyInfo();
  return {
    chain: chainOf(socket),
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    exchange: key !== null && 'name' in key ? key.name : undefined,
    distrusted: socket.authorized ? undefined : reasonFor(socket.authorizationError, host),
  };
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < REMOTE_LIMITS.maxChain) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/** OpenSSL's and Node's codes, in words. */
const REASONS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'nobody but itself has signed it',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not installed here',
  UNABLE_TO_GET_ISSUER_CERT: 'an issuer is missing, or not installed here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'an issuer is missing, or not installed here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'an issuer is missing, or not installed here',
  CERT_HAS_EXPIRED: 'it, or an issuer, has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  INVALID_PURPOSE: 'it is not for servers',
};

function reasonFor(error: unknown, host: string): string {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `it is not for ${host}`;
  return REASONS[code] ?? code;
}

/** What went wrong on the way, in words. */
export function plainFailure(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (/wrong version number|packet length too long|unexpected message/i.test(message))
    return 'it answers, but not in TLS';
  const [, alert] = /alert ([^:]+)/.exec(message) ?? [];
  if (alert !== undefined) return `it refused the handshake (${alert}); it may want a client certificate`;
  return FAILURES[code] ?? message;
}

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens there',
  ECONNRESET: 'it closed the connection during the handshake',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host name cannot be looked up',
  ETIMEDOUT: NO_ANSWER,
};

/** `Promise.withResolvers`, which Node has from version 22 on. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}
