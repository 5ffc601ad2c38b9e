import { isIPv4, isIPv6 } from 'node:net';

/** ::ffff:0:0/96 (RFC 4291, 2.5.5.2) */
const MAPPED_PREFIX = Buffer.from('00000000000000000000ffff', 'hex');
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

/** 4 or 16 bytes in network order, or undefined for what is no address. An IPv4-mapped IPv6 address gives 4. */
export function addressBytes(address: string): Buffer | undefined {
  const plain = normaliseAddress(address);
  if (isIPv4(plain)) return Buffer.from(plain.split('.').map(Number));
  if (!isIPv6(plain)) return undefined;
  const groups = ipv6Groups(canonicalIpv6(plain));
  const bytes = Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** An address of 4 or 16 bytes in its one spelling (RFC 5952 for IPv6), an IPv4-mapped one as IPv4. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  return isMapped(bytes) ? bytes.subarray(12).join('.') : ipv6Text(bytes);
}

/** An address of 4 or 16 bytes as 16, IPv4-mapped if need be. */
export function ipv6Bytes(bytes: Buffer): Buffer {
  return bytes.length === 4 ? Buffer.concat([MAPPED_PREFIX, bytes]) : bytes;
}

/** 16 bytes as an IPv6 address in hexadecimal only, whatever they mean. */
export function ipv6Text(bytes: Buffer): string {
  return canonicalIpv6((bytes.toString('hex').match(/.{4}/g) ?? []).join(':'));
}

/** The URL parser knows every spelling, dotted tails included, and has one of its own for all: RFC 5952, hexadecimal. */
function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function isMapped(bytes: Buffer): boolean {
  return bytes.indexOf(MAPPED_PREFIX) === 0 && bytes.length === 16;
}
