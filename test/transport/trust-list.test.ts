import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { trustList } from '../../src/transport/trust-list.ts';

describe('the list of trusted proxies', () => {
  it.each([
    ['loopback', '127.0.0.1', true],
    ['loopback', '127.255.0.9', true],
    ['loopback', '::1', true],
    ['loopback', '::ffff:127.0.0.1', true],
    ['loopback', '128.0.0.1', false],
    ['private', '10.1.2.3', true],
    ['private', '172.31.255.255', true],
    ['private', '172.32.0.0', false],
    ['private', 'fd00::1', true],
    ['private', 'fe80::1%eth0', true],
    ['private', '127.0.0.1', false],
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::1', '2001:db8::1', true],
    ['0.0.0.0/0', 'unix', false],
    ['0.0.0.0/0', '', false],
  ])('with %s says of %s: %s', (entry, address, trusted) => {
    expect(trustList([entry])(address)).toBe(trusted);
  });

  it('trusts whom any entry trusts, and nobody when empty', () => {
    const trusts = trustList(['192.0.2.1', 'loopback']);
    expect(['192.0.2.1', '127.0.0.1', '192.0.2.2'].map(trusts)).toEqual([true, true, false]);
    expect(trustList([])('127.0.0.1')).toBe(false);
  });

  it.each([
    '',
    'localhost',
    '10.0.0.0/33',
    '2001:db8::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '1.1.1.1/-1',
    'constructor',
  ])('refuses "%s" as an entry', (entry) => {
    expect(() => trustList([entry])).toThrow(ConfigError);
  });
});
