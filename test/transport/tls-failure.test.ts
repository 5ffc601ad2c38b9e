import { describe, expect, it } from 'vitest';
import { describeTlsFailure, failureCode, isDeparture } from '../../src/transport/tls-failure.ts';

const failure = (message: string, fields: object): Error => Object.assign(new Error(message), fields);

describe('telling why TLS failed', () => {
  it.each([
    [{ code: 'ERR_SSL_UNSUPPORTED_PROTOCOL', reason: 'unsupported protocol' }, /offers no TLS version/],
    [{ code: 'ERR_SSL_BAD_KEY_SHARE', reason: 'bad key share' }, /^bad key share$/],
    [{ code: 'ERR_SOMETHING_NEW' }, /^as Node says it$/],
    [{}, /^as Node says it$/],
  ])('puts %j into words', (fields, words) => {
    expect(describeTlsFailure(failure('as Node says it', fields))).toMatch(words);
  });

  it('takes for a departure what networks and probes do, and nothing else', () => {
    expect(isDeparture(failure('', { code: 'ECONNRESET' }))).toBe(true);
    expect(isDeparture(failure('', { code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' }))).toBe(false);
    expect(isDeparture(new Error('x'))).toBe(false);
  });

  it('has a code for every error', () => {
    expect(failureCode(failure('', { code: 'EPIPE' }))).toBe('EPIPE');
    expect(failureCode(new TypeError('x'))).toBe('TypeError');
  });
});
