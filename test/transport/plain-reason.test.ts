import { expect, it } from 'vitest';
import { TransportError } from '../../src/errors.ts';
import { plainReason } from '../../src/transport/plain-reason.ts';

const system = (code: string): Error => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });

it.each([
  ['connection refused', system('ECONNREFUSED')],
  ['no such host', new TransportError('CONNECT_FAILED', 'no connection', { cause: system('ENOTFOUND') })],
  ['no answer', new AggregateError([system('ETIMEDOUT'), system('ENETUNREACH')])],
  ['a certificate nobody knows', new TransportError('TLS_FAILED', 'a certificate nobody knows')],
  ['odd', 'odd'],
])('says "%s"', (words, error) => {
  expect(plainReason(error)).toBe(words);
});
