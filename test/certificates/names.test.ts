import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/certificates/certificate.ts';
import { NameIndex, normaliseName } from '../../src/certificates/names.ts';

function named(source: string, ...names: string[]): Certificate {
  const dates = { validFrom: new Date(0), validTo: new Date(0) };
  return { source, names, ...dates, fingerprint: '', development: false, selfIssued: true, material: {} };
}

const exact = named('exact', 'live.example.com');
const wildcard = named('wildcard', '*.example.com', 'live.example.com');
const index = new NameIndex([exact, wildcard, named('address', '192.0.2.7')]);

describe('choosing a certificate by name (must-do 28)', () => {
  it.each([
    ['live.example.com', 'exact'],
    ['LIVE.Example.COM', 'exact'],
    ['live.example.com.', 'exact'],
    ['other.example.com', 'wildcard'],
    ['192.0.2.7', 'address'],
  ])('finds for %s the one called %s', (name, source) => {
    expect(index.find(name)?.source).toBe(source);
  });

  it.each(['example.com', 'a.b.example.com', '.example.com', 'example.org', '', '*.org', '192.0.2.8'])(
    'finds none for "%s"',
    (name) => {
      expect(index.find(name)).toBeUndefined();
    },
  );

  it('lets the earlier of two certificates for one name win', () => {
    expect(new NameIndex([wildcard, exact]).find('live.example.com')?.source).toBe('wildcard');
  });

  it('takes off one trailing dot only', () => {
    expect(normaliseName('A.example..')).toBe('a.example.');
  });
});
