import { expect, it } from 'vitest';
import { object } from '../../src/protocol/amf0.ts';
import { connectObject } from '../../src/protocol/connect-object.ts';

it('is app first, as some servers read no further, with what the caller adds or changes', () => {
  const made = connectObject({ app: 'a', tcUrl: 't', properties: object({ flashVer: 'mine', capsEx: 6 }) });
  expect([...made.keys()][0]).toBe('app');
  expect([made.get('tcUrl'), made.get('swfUrl'), made.get('flashVer'), made.get('capsEx')]).toEqual([
    't',
    't',
    'mine',
    6,
  ]);
  expect(connectObject({ app: 'a', tcUrl: 't' }).get('flashVer')).toMatch(/^FMLE/);
});
