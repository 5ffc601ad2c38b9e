import { z } from 'zod';
import { redactText } from '../log.ts';
import { parseTarget } from '../transport/index.ts';
import type { UpstreamsOptions } from '../transport/index.ts';
import { choice, count, list, offOr, section, toggle } from './fields.ts';
import type { Limits } from './limits.ts';
import { show } from './problems.ts';
import type { Settings } from './schema.ts';

/** What is sent to a server before a client's first byte, so that it knows who comes. */
export type ProxyProtocolOut = 'off' | 'v1' | 'v2';

/** One RTMP server that clients are bridged to. */
export interface UpstreamTarget {
  /** As configured: scheme, host and perhaps port. */
  readonly url: string;
  readonly weight: number;
  readonly proxyProtocol: ProxyProtocolOut;
  /** False takes any certificate. */
  readonly verify: boolean;
}

/** All that is needed to build the pool. */
export interface UpstreamsConfig {
  /** None: RTMP ends in the built-in core. */
  readonly servers: readonly UpstreamTarget[];
  readonly options: Pick<UpstreamsOptions, 'balance' | 'connectTimeoutMs' | 'probeMs'>;
}

const EXPECTED = 'an address as rtmp://HOST[:PORT] or rtmps://HOST[:PORT]';

/** The client itself names application and stream, and itself logs in; only where it is brought can be said here. */
const upstreamUrl = z.codec(z.unknown(), z.custom<string>(), {
  decode(input, context) {
    const fault = faultOf(input);
    if (fault === undefined) return input as string;
    context.issues.push({ code: 'custom', message: fault, input });
    return z.NEVER;
  },
  encode: (url) => url,
});

const upstream = section({
  url: upstreamUrl,
  weight: count({ min: 1, max: 1000 }).default(1),
  proxyProtocol: offOr('v1', 'v2').default('off'),
  verify: toggle().default(true),
});

/** A server in short is its address alone, as `--upstream` gives it. */
const upstreamOrUrl = z.codec(z.unknown(), upstream, {
  decode: (input) => (typeof input === 'string' ? { url: input } : input),
  encode: (value) => value,
});

/** `core.upstreams` and `core.balance`. */
export const upstreamKeys = {
  upstreams: list(upstreamOrUrl).default([]),
  balance: choice('least-connections', 'first-available', 'hash').default('least-connections'),
};

export function upstreamsConfig(core: Settings['core'], limits: Limits): UpstreamsConfig {
  const options = {
    balance: core.balance,
    connectTimeoutMs: limits.upstreamTimeout,
    probeMs: limits.upstreamProbe,
  };
  return { servers: core.upstreams, options };
}

function faultOf(input: unknown): string | undefined {
  if (typeof input !== 'string') return `expected ${EXPECTED}, got ${show(input)}`;
  // A URL with a password in it is not repeated as it is.
  const shown = show(redactText(input));
  const url = URL.canParse(input) ? new URL(input) : undefined;
  const isRtmp = url?.protocol === 'rtmp:' || url?.protocol === 'rtmps:';
  if (url === undefined || !isRtmp || url.hostname === '') return `expected ${EXPECTED}, got ${shown}`;
  if (url.port === '0') return `expected ${EXPECTED}; nothing listens on port 0`;
  const isBare = /^\/?$/.test(url.pathname) && url.search === '' && url.hash === '';
  if (!isBare) return `expected ${EXPECTED}; clients name application and stream themselves`;
  if (url.username !== '' || url.password !== '')
    return `expected ${EXPECTED}; clients log in themselves, got ${shown}`;
  return undefined;
}

/** Scheme, host and port, always with the port: one server has one name, however it was written. */
export function upstreamName({ url }: UpstreamTarget): string {
  const { scheme, host, port } = parseTarget(url);
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
