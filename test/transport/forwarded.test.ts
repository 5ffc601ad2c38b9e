import { describe, expect, test } from 'vitest';
import { LimitError } from '../../src/errors.ts';
import { FORWARDED_LIMITS, forwardedClient } from '../../src/transport/forwarded.ts';

const isTrusted = (address: string): boolean => address.startsWith('10.') || address === '2001:db8::1';

function byXForwardedFor(xForwardedFor: string): string | undefined {
  return forwardedClient({ xForwardedFor }, isTrusted);
}

function byForwarded(forwarded: string): string | undefined {
  return forwardedClient({ forwarded }, isTrusted);
}

describe('X-Forwarded-For', () => {
  test.each([
    ['198.51.100.7', '198.51.100.7'],
    ['203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['203.0.113.9, 198.51.100.7, 10.0.0.1', '198.51.100.7'],
    ['198.51.100.7,10.0.0.1 ,\t10.0.0.2', '198.51.100.7'],
    ['10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['198.51.100.7:4711', '198.51.100.7'],
    ['2001:DB8::7', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    ['198.51.100.7, 2001:db8::1', '198.51.100.7'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
  ])('%s means %s', (field, address) => {
    expect(byXForwardedFor(field)).toBe(address);
  });

  test.each([[''], ['unknown'], ['_hidden'], ['198.51.100'], ['[198.51.100.7]'], ['<script>'], ['198.51.100.7:x']])(
    '%j names nobody',
    (field) => {
      expect(byXForwardedFor(field)).toBeUndefined();
    },
  );

  test('what is no address ends the walk at the last hop that is one', () => {
    expect(byXForwardedFor('198.51.100.7, unknown, 10.0.0.1')).toBe('10.0.0.1');
  });

  test('it is taken before Forwarded, and never mixed with it', () => {
    const fields = { xForwardedFor: '198.51.100.7', forwarded: 'for=203.0.113.9' };
    expect(forwardedClient(fields, isTrusted)).toBe('198.51.100.7');
    expect(forwardedClient({ ...fields, xForwardedFor: 'unknown' }, isTrusted)).toBeUndefined();
  });

  test('there is nobody when there is no field', () => {
    expect(forwardedClient({}, isTrusted)).toBeUndefined();
  });
});

describe('Forwarded (RFC 7239)', () => {
  test.each([
    ['for=198.51.100.7', '198.51.100.7'],
    ['For="198.51.100.7:4711";proto=https', '198.51.100.7'],
    ['proto=https;by=203.0.113.43;for=198.51.100.7', '198.51.100.7'],
    ['for="[2001:db8::7]:4711"', '2001:db8::7'],
    ['for=203.0.113.9, for=198.51.100.7;by=10.0.0.2, for=10.0.0.1', '198.51.100.7'],
    ['for=203.0.113.9;host="a, for=192.0.2.1", for=10.0.0.1', '203.0.113.9'],
    ['for="198.51.100\\.7"', '198.51.100.7'],
  ])('%s means %s', (field, address) => {
    expect(byForwarded(field)).toBe(address);
  });

  test.each([['for=unknown'], ['for=_gazonk'], ['proto=https'], ['for'], ['for="198.51.100.7'], ['"']])(
    '%s names nobody',
    (field) => {
      expect(byForwarded(field)).toBeUndefined();
    },
  );
});

describe('limits', () => {
  test('32 hops are taken, 33 are refused', () => {
    const hops = Array.from({ length: FORWARDED_LIMITS.maxHops }, () => '10.0.0.1');
    expect(byXForwardedFor(hops.join(','))).toBe('10.0.0.1');
    expect(() => byXForwardedFor([...hops, '10.0.0.1'].join(','))).toThrow(LimitError);
  });

  test('2 KiB are taken, one byte more is refused', () => {
    const field = '198.51.100.7'.padStart(FORWARDED_LIMITS.maxBytes);
    expect(byXForwardedFor(field)).toBe('198.51.100.7');
    expect(() => byXForwardedFor(` ${field}`)).toThrow(LimitError);
  });
});
