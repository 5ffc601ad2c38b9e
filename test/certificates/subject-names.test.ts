import { describe, expect, it } from 'vitest';
import { commonNameFor, readSubjectName } from '../../src/certificates/subject-names.ts';

describe('names for a certificate', () => {
  it.each([
    ['localhost', 'dns', 'localhost'],
    ['Live.Example.COM', 'dns', 'live.example.com'],
    ['*.example.com', 'dns', '*.example.com'],
    ['a.example.', 'dns', 'a.example'],
    ['b\u00fccher.example', 'dns', 'xn--bcher-kva.example'],
    ['10.0.0.5', 'ip', '10.0.0.5'],
    ['::1', 'ip', '::1'],
    ['[2001:DB8:0::5]', 'ip', '2001:db8::5'],
  ])('%s is understood', (text, type, value) => {
    expect(readSubjectName(text)).toEqual({ type, value });
  });

  it.each([
    'a,b',
    '.',
    'a..',
    'a+b',
    'a=b',
    'x, O=evil',
    'CN=live.example.com',
    '',
    'a b',
    '*',
    '*.com',
    'a.*.com',
    '**.example.com',
    '-a.example',
    'live_1.example',
    'https://live.example.com/',
    'live.example.com:8443',
    '300.0.0.1',
    '10.0.0',
    'fe80::1%eth0',
    'a\n.example',
    '\u00fc\n.example',
    'a\u0000.example',
    '\uff11\uff12\uff17.0.0.1',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(126)}ab`,
  ])('must-do 34: %j is refused', (text) => {
    expect(readSubjectName(text)).toBeUndefined();
  });

  it('lend a common name that has room for it', () => {
    const long = { type: 'dns' as const, value: `${'a'.repeat(30)}.${'b'.repeat(34)}` };
    expect(commonNameFor([{ type: 'dns', value: `${'a'.repeat(30)}.${'b'.repeat(33)}` }])).toHaveLength(64);
    expect(commonNameFor([long, { type: 'ip', value: '::1' }])).toBe('::1');
    expect(commonNameFor([long])).toBe('rtmp-gateway');
  });
});
