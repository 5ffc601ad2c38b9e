import { isIPv6 } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * One spelling per address: an IPv4 client of a dual-stack listener loses its `::ffff:`, a link-local IPv6 address its
 * zone (`%eth0`), which says how we reach it and not who it is.
 */
export function normaliseAddress(address: string): string {
  const mapped = MAPPED.exec(address);
  if (mapped) return mapped[1] ?? address;
  const zone = address.indexOf('%');
  return (zone < 0 ? address : address.slice(0, zone)).toLowerCase();
}

/**
 * What counts as one client for a limit: an IPv4 address, or the /64 of an IPv6 address, since a single subscriber is
 * usually given a whole /64 (RFC 6177) and could otherwise take a fresh address for each connection.
 */
export function addressGroup(address: string): string {
  const plain = normaliseAddress(address);
  return isIPv6(plain) ? `${ipv6Groups(plain).slice(0, 4).join(':')}::/64` : plain;
}

/** The eight groups of an IPv6 address as lower-case hexadecimal without leading zeroes. */
function ipv6Groups(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeroes = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeroes, ...after].map((group) => group.replace(/^0+(?=.)/, ''));
}
