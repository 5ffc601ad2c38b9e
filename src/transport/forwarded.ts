import { isIP } from 'node:net';
import { LimitError } from '../errors.ts';
import { normaliseAddress } from './address.ts';

/** The fields in which proxies say for whom they ask; repeated ones joined by commas. */
export interface ForwardedFields {
  /** `X-Forwarded-For` */
  readonly xForwardedFor?: string | undefined;
  /** `Forwarded` (RFC 7239) */
  readonly forwarded?: string | undefined;
}

export const FORWARDED_LIMITS = Object.freeze({
  // Real chains have two or three hops; 2 KiB hold more than 32 of the longest IPv6 addresses.
  maxBytes: 2048,
  maxHops: 32,
});

/**
 * The client's address as the proxies in front of us saw it: from the right, hops that are trusted are passed over, and
 * the first that is not is the client, since everything further left is its own claim. To be asked only when the peer
 * itself is trusted. `X-Forwarded-For` counts if there is one, else `Forwarded`; the two are never mixed.
 *
 * Undefined: nobody is named, or by something that is no address (`unknown`, `_hidden`), so the last known hop must do.
 * Throws `LimitError` when the chain is too long to be one.
 */
export function forwardedClient(fields: ForwardedFields, isTrusted: (address: string) => boolean): string | undefined {
  const { xForwardedFor, forwarded } = fields;
  const chain = xForwardedFor ?? forwarded;
  if (chain === undefined) return undefined;
  if (chain.length > FORWARDED_LIMITS.maxBytes) throw tooLong();
  const hops = xForwardedFor === undefined ? forwardedHops(chain) : chain.split(',').map((hop) => hop.trim());
  if (hops.length > FORWARDED_LIMITS.maxHops) throw tooLong();
  let last: string | undefined;
  for (const hop of hops.reverse()) {
    const address = parseNode(hop);
    if (address === undefined) return last;
    last = address;
    if (!isTrusted(address)) return address;
  }
  return last;
}

/** The `for` of every element of a `Forwarded` field, '' where an element has none. */
function forwardedHops(text: string): string[] {
  return splitOutsideQuotes(text, ',').map((element) => {
    for (const pair of splitOutsideQuotes(element, ';')) {
      const equals = pair.indexOf('=');
      if (pair.slice(0, equals).trim().toLowerCase() === 'for') return unquote(pair.slice(equals + 1).trim());
    }
    return '';
  });
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\\' && isQuoted) at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text;
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80` */
function parseNode(text: string): string | undefined {
  const bracketed = /^\[([^\]]*)\](?::[0-9]{1,5})?$/.exec(text)?.[1];
  const withPort = /^([^:]*):[0-9]{1,5}$/.exec(text)?.[1];
  const address = bracketed ?? withPort ?? text;
  if (bracketed !== undefined && isIP(bracketed) !== 6) return undefined;
  return isIP(address) === 0 ? undefined : normaliseAddress(address);
}

function tooLong(): LimitError {
  return new LimitError('FORWARDED_TOO_LONG', 'the chain of proxies in front of the request is too long to be true');
}
