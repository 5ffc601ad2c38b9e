import { expect, it } from 'vitest';
import { MAX_CREDENTIAL_BYTES, readUserinfo } from '../../src/transport/credentials.ts';

it.each([
  ['user:password', { user: 'user', password: 'password' }],
  ['user:a:b', { user: 'user', password: 'a:b' }],
  ['DOMAIN\\user:', { user: 'DOMAIN\\user', password: '' }],
  ['a%40b:%2f%25%C3%BC', { user: 'a@b', password: '/%ü' }],
])('%s is read', (text, credentials) => {
  expect(readUserinfo(text)).toEqual(credentials);
});

it.each(['geheim', ':geheim', 'user:100%geheim', 'user%3A:geheim', 'user:geheim@x'])(
  '%s is told as wrong, not repeated',
  (text) => {
    expect(readUserinfo(text)).toEqual(expect.stringMatching(/^(?!.*geheim).+$/));
  },
);

it('neither part may be longer than RFC 1929 takes', () => {
  const longest = 'ü'.repeat((MAX_CREDENTIAL_BYTES - 1) / 2) + 'x';
  expect(readUserinfo(`${longest}:${longest}`)).toEqual({ user: longest, password: longest });
  expect(readUserinfo(`user:${longest}x`)).toEqual(expect.any(String));
});
