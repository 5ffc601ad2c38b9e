import { describe, expect, it } from 'vitest';
import type { Certificate, KeyType } from '../../src/certificates/certificate.ts';
import { NameIndex, normaliseName } from '../../src/certificates/names.ts';

function named(source: string, ...names: string[]): Certificate {
  return kind('ec', source, ...names);
}

function kind(keyType: KeyType, source: string, ...names: string[]): Certificate {
  const dates = { validFrom: new Date(0), validTo: new Date(0) };
  const material = { cert: '', key: '' };
  return { source, names, keyType, ...dates, fingerprint: '', development: false, chain: [], material };
}

const sources = (found: readonly Certificate[] | undefined) => found?.map(({ source }) => source);

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
    expect(sources(index.find(name))).toEqual([source]);
  });

  it.each(['example.com', 'a.b.example.com', '.example.com', 'example.org', '', '*.org', '192.0.2.8'])(
    'finds none for "%s"',
    (name) => {
      expect(index.find(name)).toBeUndefined();
    },
  );

  it('lets the earlier of two certificates for one name win', () => {
    expect(sources(new NameIndex([wildcard, exact]).find('live.example.com'))).toEqual(['wildcard']);
  });

  it('finds one for each kind of key, in their order, and the same list every time', () => {
    const [rsa, late] = [kind('rsa', 'rsa', 'live.example.com'), kind('rsa', 'late', 'live.example.com')];
    const both = new NameIndex([exact, rsa, late, wildcard]);
    expect(sources(both.find('live.example.com'))).toEqual(['exact', 'rsa']);
    expect(both.find('LIVE.example.com')).toBe(both.find('live.example.com'));
    expect(sources(both.find('other.example.com'))).toEqual(['wildcard']);
  });

  it('takes off one trailing dot only', () => {
    expect(normaliseName('A.example..')).toBe('a.example.');
  });
});
