import { describe, expect, it } from 'vitest';
import { authStep, withQuery } from '../../src/protocol/client-auth.ts';

const USER = { user: 'myuser', password: 'mypass' };
const random = (): Buffer => Buffer.from('0badcafe', 'hex');
const step = (description: string, app = 'live', credentials: typeof USER | undefined = USER) =>
  authStep(description, app, credentials, random);

/** As AMS lays its refusals out (GStreamer reads them so). */
const ams = (query: string): string => `[ AccessManager.Reject ] : [ authmod=adobe ] : ${query}`;

describe('a refused connect', () => {
  it.each([
    '',
    'no such app',
    'code=403',
    'no app live?authmod=adobe&user=u&challenge=c&response=r',
    '[ Server.Reject ] : (_defaultRoot_) : Connection failed.',
  ])('that says %j is not about a password', (description) => {
    expect(step(description)).toBeUndefined();
  });

  it.each([
    ['[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ', 'adobe'],
    ['code=403 need auth; authmod=adobe', 'adobe'],
    ['[ AccessManager.Reject ] : [ code=403 need auth; authmod=llnw ] :', 'llnw'],
  ])('%j asks who comes', (description, mode) => {
    expect(step(description)).toEqual({ type: 'ask', query: `authmod=${mode}&user=myuser` });
    expect(authStep(description, 'live', undefined, random)).toEqual({ type: 'needed' });
  });

  it.each([
    // FFmpeg answers the same to such challenges (test/e2e/relay-auth.test.ts).
    ['?reason=needauth&user=myuser&salt=testsalt&challenge=testchallenge', ''],
    ['?reason=needauth&user=myuser&salt=testsalt&challenge=testchallenge&opaque=testopaque', '&opaque=testopaque'],
  ])('%j is answered by base64 of md5 of base64 of md5', (query, opaque) => {
    const answer = step(ams(query));
    // md5 and base64 by `openssl md5 -binary | base64`.
    const response = opaque === '' ? 'ES5ACUsfy7LHc8EcMNXIOg==' : 'KtVWlTaJWagCpFpHKJ0vQQ==';
    expect(answer).toEqual({
      type: 'ask',
      query: `authmod=adobe&user=myuser&challenge=0badcafe&response=${response}${opaque}`,
    });
  });

  it('keeps base64 as it stands, and reads no further than its query goes', () => {
    const answer = step(ams('?reason=needauth&user=myuser&salt=a+b/c=&challenge=d==&opaque=e+/== ] : more&opaque=x'));
    expect(answer).toMatchObject({ query: expect.stringMatching(/&opaque=e\+\/==$/) });
  });

  it('by Limelight is answered as librtmp does', () => {
    const description = '[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=needauth&user=myuser&nonce=testnonce';
    const query = (response: string) =>
      `authmod=llnw&user=myuser&nonce=testnonce&cnonce=0badcafe&nc=00000001&response=${response}`;
    expect(step(description)).toEqual({ type: 'ask', query: query('eb91879e43ca3cf7223fd26e71849d17') });
    expect(step(description, 'live/_definst_?x')).toEqual({
      type: 'ask',
      query: query('eb91879e43ca3cf7223fd26e71849d17'),
    });
    expect(step(description, 'live/inst')).toEqual({ type: 'ask', query: query('295f280c45b733ce6b43ea8db137f2d8') });
  });

  it.each(['authfailed', 'nosuchuser'])('with the reason %s is the end', (reason) => {
    expect(step(ams(`?reason=${reason}&user=myuser`))).toEqual({ type: 'refused', reason });
  });

  it.each([
    ams('?reason=needauth&user=myuser'),
    ams('?reason=needauth&salt=x'),
    ams(`?reason=needauth&salt=${'x'.repeat(256)}&challenge=y`),
    ams('?reason=needauth&salt=\u0001&challenge=y'),
  ])('%j has no challenge that could be answered', (description) => {
    expect(step(description)).toEqual({ type: 'refused', reason: 'no challenge' });
  });

  it('has a challenge of 255 characters at most', () => {
    expect(step(ams(`?reason=needauth&salt=${'x'.repeat(255)}&challenge=y`))).toMatchObject({ type: 'ask' });
  });
});

it('a query goes behind one that is there', () => {
  expect([withQuery('live', 'a=b'), withQuery('live?k=v', 'a=b'), withQuery('live', '')]).toEqual([
    'live?a=b',
    'live?k=v&a=b',
    'live',
  ]);
});
