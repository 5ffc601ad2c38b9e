import { describe, expect, it } from 'vitest';
import {
  addressBytes,
  addressGroup,
  addressText,
  ipv6Bytes,
  ipv6Text,
  normaliseAddress,
} from '../../src/transport/address.ts';

describe('addresses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
  ])('writes %s as %s', (address, plain) => {
    expect(normaliseAddress(address)).toBe(plain);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5::', '2001:db8:1:2::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['', ''],
  ])('counts %s as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });

  it.each([
    ['192.0.2.1', 'c0000201', '192.0.2.1', '::ffff:c000:201'],
    ['::ffff:192.0.2.1', 'c0000201', '192.0.2.1', '::ffff:c000:201'],
    ['::FFFF:C000:201', 'c0000201', '192.0.2.1', '::ffff:c000:201'],
    ['0:0:0:0:0:ffff:192.0.2.1', 'c0000201', '192.0.2.1', '::ffff:c000:201'],
    ['2001:DB8:0:0:1:0:0:0001', '20010db8000000000001000000000001', '2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201', '64:ff9b::c000:201', '64:ff9b::c000:201'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001', 'fe80::1', 'fe80::1'],
    ['::', '0'.repeat(32), '::', '::'],
  ])('takes %s to bytes and back', (address, hex, text, ipv6) => {
    const bytes = addressBytes(address)!;
    expect(bytes.toString('hex')).toBe(hex);
    expect(addressText(bytes)).toBe(text);
    expect(ipv6Text(ipv6Bytes(bytes))).toBe(ipv6);
    expect(addressText(ipv6Bytes(bytes))).toBe(text);
  });

  it('has no bytes for what is no address', () => {
    for (const text of ['', 'localhost', '1.2.3', '[::1]', '1::2::3']) expect(addressBytes(text)).toBeUndefined();
  });
});
