import { expect, it } from 'vitest';
import { RemoteError, TransportError } from '../../src/errors.ts';
import { proxyRefusal, type ProxyAnswer } from '../../src/transport/proxy-refusal.ts';
import { parseProxy } from '../../src/transport/proxy-server.ts';

const known = parseProxy('http://user:geheim@proxy:3128');
const stranger = parseProxy('http://proxy:3128');

const answer = (status: number, more: Partial<ProxyAnswer> = {}): ProxyAnswer => ({
  ...{ status, reason: 'Words', challenges: '', detail: '' },
  ...more,
});

it.each([
  [403, 'PROXY_REFUSED', RemoteError],
  [404, 'PROXY_REFUSED', RemoteError],
  [407, 'PROXY_AUTHENTICATION', RemoteError],
  // RFC 9110 and 8470, RFC 6585: the same may do later.
  [408, 'PROXY_FAILED', TransportError],
  [425, 'PROXY_FAILED', TransportError],
  [429, 'PROXY_FAILED', TransportError],
  [500, 'PROXY_FAILED', TransportError],
  [504, 'PROXY_FAILED', TransportError],
  // A page to log in at, of a hotel or so.
  [302, 'PROXY_FAILED', TransportError],
])('%i is %s', (status, code, kind) => {
  const fault = proxyRefusal(known, answer(status));
  expect([fault.code, fault]).toEqual([code, expect.any(kind)]);
  expect(fault.message).not.toMatch(/user:|geheim/);
});

it('says what the proxy said, and what may help', () => {
  expect(proxyRefusal(known, answer(403, { detail: 'ERR_ACCESS_DENIED 0' }), 'try another port').message).toBe(
    'the proxy http://proxy:3128 does not let us through (403 Words, ERR_ACCESS_DENIED 0); try another port',
  );
  expect(proxyRefusal(known, answer(502, { reason: '' })).message).toContain('(502)');
});

it.each([
  [stranger, '', 'asks for a user name and a password'],
  [stranger, 'Basic realm="x"', 'asks for a user name and a password'],
  [known, 'Basic realm="x"', 'refuses the user name or the password'],
  [known, 'NTLM, basic', 'refuses the user name or the password'],
  [known, 'Negotiate, NTLM, Negotiate', 'not spoken here (Negotiate, NTLM)'],
  [known, 'Digest realm="Basic", nonce="x"', 'not spoken here (Digest)'],
])('%o that asks with %j', (proxy, challenges, words) => {
  expect(proxyRefusal(proxy, answer(407, { challenges })).message).toContain(words);
});

it('names some of the ways to ask, not thousands', () => {
  const challenges = Array.from({ length: 2000 }, (_, at) => `Way-${at}`).join(', ');
  expect(proxyRefusal(known, answer(407, { challenges })).message.length).toBeLessThan(300);
});
