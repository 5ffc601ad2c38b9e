import { RemoteError, TransportError } from '../errors.ts';
import type { ProxyServer } from './proxy-server.ts';

/** What a proxy answered in HTTP, as far as it says why. */
export interface ProxyAnswer {
  readonly status: number;
  readonly reason: string;
  /** `Proxy-Authenticate`: how it wants to be asked. */
  readonly challenges: string;
  /** Squid's name for what is wrong; empty with others. */
  readonly detail: string;
}

/** The only way to say a password that a single request can; the others need a conversation, and often Windows. */
const BASIC = /(^|,)\s*basic\b/i;

/** Ways to ask go into messages so far; a proxy may name thousands of them. */
const MAX_NAMES = 80;

/** Of HTTP's own codes those that speak of this moment, not of us: the same request may do later. */
const PASSING = new Set([408, 425, 429]);

/** Why a proxy that answers in HTTP does not let us through, in words (RFC 9110, sections 11.7 and 15). */
export function proxyRefusal(
  proxy: ProxyServer,
  { status, reason, challenges, detail }: ProxyAnswer,
  hint = '',
): RemoteError | TransportError {
  const said = `${`${status} ${reason}`.trim()}${detail === '' ? '' : `, ${detail}`}`;
  const name = `the proxy ${proxy.shown}`;
  if (status === 407) return new RemoteError('PROXY_AUTHENTICATION', `${name} ${passwordWords(proxy, challenges)}`);
  if (status >= 500 || PASSING.has(status) || status < 400)
    return new TransportError('PROXY_FAILED', `${name} could not connect us (${said})`);
  return new RemoteError('PROXY_REFUSED', `${name} does not let us through (${said})${hint === '' ? '' : `; ${hint}`}`);
}

function passwordWords({ credentials }: ProxyServer, challenges: string): string {
  const schemes = challenges.match(/(?:^|,)\s*([A-Za-z][A-Za-z0-9-]*)(?=\s|,|$)/g) ?? [];
  const names = [...new Set(schemes.map((scheme) => scheme.replace(/[,\s]/g, '')))].join(', ').slice(0, MAX_NAMES);
  if (challenges !== '' && !BASIC.test(challenges)) {
    return `wants a password in a way that is not spoken here (${names}): put a helper such as cntlm or px in between`;
  }
  if (credentials === undefined) return 'asks for a user name and a password: write http://USER:PASSWORD@HOST:PORT';
  return 'refuses the user name or the password';
}
