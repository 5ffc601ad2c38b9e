import { expect, test } from 'vitest';
import { chainLines, findingLines, verdictLines, wrap } from '../../src/commands/certs-report.ts';
import { MADE_AT, makeCertificate, makeChain } from '../support/made-certificates.ts';

test('shows what people ask of each certificate', async () => {
  const { server, intermediate } = await makeChain({ key: 'RSA-2048', names: ['live.example', '*.live.example'] });
  const lines = chainLines([server.certificate, intermediate.certificate], MADE_AT).split('\n');
  expect(lines.slice(0, 6)).toEqual([
    '  1. live.example',
    '     names       live.example, *.live.example',
    '     issuer      Intermediate',
    '     valid       2026-02-19 to 2026-05-20, 80 days left',
    '     key         RSA 2048',
    '     signed with ECDSA, SHA-256',
  ]);
  expect(lines[7]).toBe(`     SHA-256     ${server.certificate.fingerprint256}`);
  expect(lines.slice(8, 11)).toEqual([
    '  2. Intermediate (CA)',
    '     issuer      Root',
    '     valid       2026-02-19 to 2026-05-20, 80 days left',
  ]);
});

test.each([
  [80, 'expired'],
  [79.5, '0 days left'],
  [78, '2 days left'],
  [78.5, '1 day left'],
  [-11, 'not yet'],
])('says after %s days: %s', async (days, words) => {
  const { certificate } = await makeCertificate();
  expect(chainLines([certificate], new Date(MADE_AT.getTime() + days * 86_400_000))).toContain(
    `2026-05-20, ${words}\n`,
  );
});

test('breaks lines between words, below where they began, and never a word', () => {
  const text = wrap('  label  ', Array.from({ length: 40 }, () => 'word').join(' '));
  const lines = text.split('\n').slice(0, -1);
  expect(lines.length).toBeGreaterThan(1);
  for (const [index, line] of lines.entries()) {
    expect(line.length).toBeLessThanOrEqual(110);
    expect(line.startsWith(index === 0 ? '  label  word' : '         word')).toBe(true);
  }
  expect(wrap('a ', 'x'.repeat(200))).toBe(`a ${'x'.repeat(200)}\n`);
  expect(findingLines([])).toBe('');
  expect(verdictLines([]).split('\n')).toHaveLength(9);
});
