import net from 'node:net';
import { ConfigError, TransportError } from '../errors.ts';
import type { PeerDial } from './crossing.ts';
import type { Peer, Scheme } from './link.ts';
import { formatProxyHeader } from './proxy-header.ts';
import { authorityOf, type ProxyServer } from './proxy-server.ts';
import { TunnelClient } from './rtmpt/client.ts';
import type { RequestProxy, TunnelClientOptions } from './rtmpt/client-options.ts';
import { connectFrugally, connectTcp } from './tcp.ts';
import type { Target } from './tcp.ts';
import { connectThrough, reachProxy } from './through-proxy.ts';
import { connectTls } from './tls-client.ts';
import type { TlsClientOptions } from './tls-client.ts';

export interface DialOptions {
  /** How long one connection may take until it stands (TCP, and TLS on top). */
  readonly connectTimeoutMs?: number;
  readonly tls?: TlsClientOptions;
  readonly tunnel?: Partial<TunnelClientOptions>;
  /** Through which all connections go. */
  readonly proxy?: ProxyServer | undefined;
}

export const DIAL_DEFAULTS = Object.freeze({
  // What we give others for their TLS handshake; long enough for two lost SYNs (1 s and 3 s later).
  connectTimeoutMs: 10_000,
});

/** As librtmp, FFmpeg, RootEncoder and Flash agree. */
export const DEFAULT_PORTS: Readonly<Record<Scheme, number>> = Object.freeze({
  rtmp: 1935,
  rtmps: 443,
  rtmpt: 80,
  rtmpts: 443,
});

export interface DialTarget extends Target {
  readonly scheme: Scheme;
}

/** Reads where an RTMP URL leads. Throws `ConfigError`, which never repeats the URL: it may hold a key or a password. */
export function parseTarget(url: string): DialTarget {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = parsed?.protocol.slice(0, -1) ?? '';
  if (!parsed || !isScheme(scheme))
    throw new ConfigError('BAD_URL', 'expected a URL that begins with rtmp, rtmps, rtmpt or rtmpts');
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw new ConfigError('BAD_URL', `the ${scheme} URL names no host`);
  return { scheme, host, port: parsed.port === '' ? DEFAULT_PORTS[scheme] : Number(parsed.port) };
}

/**
 * The way out to an RTMP URL: only its scheme, host and port count here. Throws `ConfigError` for any other URL. Whoever it
 * is for is not told to anybody; it only says what will become of the bytes.
 */
export function dialer(url: string, options: DialOptions = {}): PeerDial {
  const target = parseTarget(url);
  const secure = target.scheme === 'rtmps' || target.scheme === 'rtmpts';
  const connectTimeoutMs = options.connectTimeoutMs ?? DIAL_DEFAULTS.connectTimeoutMs;
  const connect: PeerDial =
    options.proxy === undefined
      ? (signal, peer) => (secure ? connectTls(target, options.tls ?? {}, signal) : connectFor(peer, target, signal))
      : connectVia(options.proxy, target, options.tls ?? {});
  const dial = withTimeout(connect, connectTimeoutMs, options.proxy);
  if (target.scheme === 'rtmp' || target.scheme === 'rtmps') return dial;
  const proxy =
    options.proxy && writesRequests(options.proxy, target) ? requestProxy(options.proxy, target) : undefined;
  const tunnel = { ...options.tunnel, host: hostHeader(target, secure), proxy };
  return (signal) => TunnelClient.open(dial, tunnel, signal);
}

/** What runs inside TLS is agreed on with the server itself; the proxy sees no more than its name. */
function connectVia(proxy: ProxyServer, target: DialTarget, tls: TlsClientOptions): PeerDial {
  if (writesRequests(proxy, target)) return (signal) => reachProxy(proxy, tls, signal);
  if (target.scheme === 'rtmp' || target.scheme === 'rtmpt')
    return (signal) => connectThrough(proxy, target, tls, signal);
  return async (signal) => connectTls(target, tls, signal, await connectThrough(proxy, target, tls, signal));
}

/**
 * RTMPT is HTTP, so an HTTP proxy carries its requests like any others. Squid and its kin allow CONNECT to port 443 only, and
 * ordinary requests to nearly all: this is how RTMPT comes through them (and how FFmpeg does it).
 */
function writesRequests({ scheme }: ProxyServer, target: DialTarget): boolean {
  return target.scheme === 'rtmpt' && (scheme === 'http' || scheme === 'https');
}

function requestProxy(server: ProxyServer, target: DialTarget): RequestProxy {
  return { server, origin: `http://${authorityOf(target)}` };
}

/**
 * The same for RTMP and RTMPS, and it tells the server whom the connection is for, in a header of the PROXY protocol
 * before anything else, TLS included. The client's destination is said to be the server itself: what the client
 * connected to may have been a proxy in front of us.
 */
export function introducingDialer(url: string, version: 'v1' | 'v2', options: DialOptions = {}): PeerDial {
  const target = parseTarget(url);
  const connect: PeerDial = async (signal, peer) => {
    const socket = await connectFor(target.scheme === 'rtmp' ? peer : undefined, target, signal);
    const { remoteAddress: address = '', remotePort: port = 0 } = socket;
    const header = formatProxyHeader(version, peer && { address: peer.address, port: peer.port }, { address, port });
    if (target.scheme === 'rtmp') return leadWith(header, socket);
    socket.write(header);
    return connectTls(target, options.tls ?? {}, signal, socket);
  };
  return withTimeout(connect, options.connectTimeoutMs ?? DIAL_DEFAULTS.connectTimeoutMs);
}

/** A socket, in TLS or not, is done with what it has written; a tunnel remembers it for a repeated request. */
function connectFor(peer: Peer | undefined, target: Target, signal: AbortSignal): Promise<net.Socket> {
  const isSocket = peer?.scheme === 'rtmp' || peer?.scheme === 'rtmps';
  return isSocket ? connectFrugally(target, signal) : connectTcp(target, signal);
}

/**
 * Writes `header` together with what follows at once, if anything does: some receivers want it in one segment with the
 * first byte. A bridge writes at the end of the turn; one turn more lets it.
 */
function leadWith(header: Buffer, socket: net.Socket): net.Socket {
  socket.cork();
  socket.write(header);
  setImmediate(() => setImmediate(() => socket.uncork()));
  return socket;
}

/** RFC 9110, section 7.2: the port is left out where it is HTTP's own for this scheme. */
function hostHeader({ host, port }: Target, secure: boolean): string {
  const name = net.isIPv6(host) ? `[${host}]` : host;
  return port === (secure ? 443 : 80) ? name : `${name}:${port}`;
}

/** Not `AbortSignal.any`: until Node 22 it leaks on a signal that outlives what it was made for. */
function withTimeout(dial: PeerDial, timeoutMs: number, proxy?: ProxyServer): PeerDial {
  const through = proxy === undefined ? '' : ` through the proxy ${proxy.shown}`;
  return async (signal, peer?: Peer) => {
    const own = new AbortController();
    const abort = (): void => own.abort(signal.reason);
    const late = new TransportError('CONNECT_TIMEOUT', `no connection${through} within ${timeoutMs} ms`);
    const timer = setTimeout(() => own.abort(late), timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      return await dial(own.signal, peer);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  };
}

function isScheme(scheme: string): scheme is Scheme {
  return Object.hasOwn(DEFAULT_PORTS, scheme);
}
