import { BlockList, isIP, isIPv6 } from 'node:net';
import { ConfigError } from '../errors.ts';
import { normaliseAddress } from './address.ts';

type Subnet = readonly [network: string, prefix: number];

/** Names for address ranges that nobody wants to spell out. */
const NAMED: Readonly<Record<string, readonly Subnet[]>> = Object.freeze({
  loopback: [
    ['127.0.0.0', 8],
    ['::1', 128],
  ],
  // RFC 1918, RFC 6598 (carrier-grade NAT, which overlay networks use too), RFC 3927; RFC 4193 and link-local for IPv6.
  private: [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
    ['169.254.0.0', 16],
    ['fc00::', 7],
    ['fe80::', 10],
  ],
});

/**
 * Whom to believe about others' addresses: each entry is `loopback`, `private`, an address or a CIDR range. Returns a
 * test for an address in any spelling. Throws `ConfigError` for an entry that is none of these.
 */
export function trustList(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const [network, prefix] of entries.flatMap(subnetsOf)) list.addSubnet(network, prefix, familyOf(network));
  return (address) => {
    const plain = normaliseAddress(address);
    return isIP(plain) !== 0 && list.check(plain, familyOf(plain));
  };
}

function subnetsOf(entry: string): readonly Subnet[] {
  const named = Object.hasOwn(NAMED, entry) ? NAMED[entry] : undefined;
  if (named) return named;
  const [network = '', length, ...more] = entry.split('/');
  const most = isIPv6(network) ? 128 : 32;
  const prefix = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : NaN;
  if (isIP(network) === 0 || more.length > 0 || !(prefix <= most)) throw badEntry(entry);
  return [[network, prefix]];
}

function badEntry(entry: string): ConfigError {
  return new ConfigError(
    'BAD_ADDRESS_RANGE',
    `"${entry}" is not an address range: expected "loopback", "private", an IP address or a range such as 10.0.0.0/8`,
  );
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
