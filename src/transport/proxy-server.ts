import { isIPv6 } from 'node:net';
import { ConfigError } from '../errors.ts';
import { readUserinfo, type Credentials } from './credentials.ts';
import type { Target } from './tcp.ts';

/** How a proxy is spoken to. `socks5h`: it looks names up; `socks5`: we do (the distinction is curl's). */
export type ProxyScheme = 'http' | 'https' | 'socks5' | 'socks5h';

/** A proxy that our connections to others go through. */
export interface ProxyServer extends Target {
  readonly scheme: ProxyScheme;
  readonly credentials: Credentials | undefined;
  /** Safe to show: no user, no password. */
  readonly shown: string;
}

/** HTTP's and TLS's own; 1080 is IANA's for SOCKS. */
const DEFAULT_PROXY_PORTS: Readonly<Record<ProxyScheme, number>> = Object.freeze({
  http: 80,
  https: 443,
  socks5: 1080,
  socks5h: 1080,
});

const PARTS = /^([a-z0-9]+):\/\/(?:([^@/?#]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?\/?$/i;

/**
 * Reads `http://user:password@proxy:3128`, or `https`, `socks5`, `socks5h` in its place. User and password may be
 * percent-encoded; what would end them (`@ / ? #`, and a colon in the user) has to be. Throws `ConfigError` BAD_PROXY, which
 * never repeats the URL.
 */
export function parseProxy(url: string): ProxyServer {
  const [, written = '', userinfo, bracketed = '', digits] = PARTS.exec(url) ?? [];
  const scheme = written.toLowerCase();
  if (!isProxyScheme(scheme)) throw bad('expected http://HOST:PORT, or https, socks5 or socks5h');
  const host = bracketed.replace(/^\[(.*)\]$/, '$1');
  if (bracketed.startsWith('[') && !isIPv6(host)) throw bad('the host is no IPv6 address');
  const port = digits === undefined ? DEFAULT_PROXY_PORTS[scheme] : Number(digits);
  if (port === 0 || port > 65535) throw bad('the port must be from 1 to 65535');
  const credentials = userinfo === undefined ? undefined : readUserinfo(userinfo);
  if (typeof credentials === 'string') throw bad(credentials);
  return { scheme, host, port, credentials, shown: `${scheme}://${bracketed}:${port}` };
}

/** The header field's value for a proxy that asks for a password in the Basic way (RFC 7617); undefined without one. */
export function basicAuthorization({ credentials }: ProxyServer): string | undefined {
  if (credentials === undefined) return undefined;
  return `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8').toString('base64')}`;
}

/** As it stands in requests and `Host` headers: an IPv6 address in brackets. */
export function authorityOf({ host, port }: Target): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function isProxyScheme(scheme: string): scheme is ProxyScheme {
  return Object.hasOwn(DEFAULT_PROXY_PORTS, scheme);
}

function bad(reason: string): ConfigError {
  return new ConfigError('BAD_PROXY', reason);
}
