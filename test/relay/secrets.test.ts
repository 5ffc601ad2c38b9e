import { describe, expect, it } from 'vitest';
import { streamName } from '../../src/hub/index.ts';
import { withoutSecrets } from '../../src/relay/secrets.ts';
import { targetTemplate } from '../../src/relay/target.ts';

const NAME = streamName('live', 'show');
const at = (url: string, key?: string) => targetTemplate(url, key).fill(NAME);

describe('the words of another server', () => {
  const far = at('rtmp://user:pass%2Fword@far/app/secret%2Fkey?token=a+b/c==&expires=1700000000');

  it.each([
    ['no stream secret%2Fkey here', 'no stream secr… here'],
    ['no stream secret/key here', 'no stream secr… here'],
    ['no stream secret%252fkey here', 'no stream secr… here'],
    ['secret%2Fkey?token=a+b/c==&expires=1700000000 is held', 'secr… is held'],
    ['expired: 1700000000', 'expired: …'],
    ['bad token a+b/c==', 'bad token …'],
    ['bad token a%2Bb%2Fc%3D%3D', 'bad token …'],
    ['bad query "token=a+b/c==&expires=1700000000"', 'bad query "…"'],
    ['SECRET%2FKEY, pass/word and pass%2fword', 'secr…, … and …'],
    ['live?authmod=adobe&user=me&challenge=ab12&response=cd34', 'live?authmod=adobe&user=…&challenge=…&response=…'],
    ['the server is closed', 'the server is closed'],
  ])('%j are shown as %j', (said, shown) => {
    expect(withoutSecrets(said, [far])).toBe(shown);
  });

  it('are searched for what is in the application, too', () => {
    expect(withoutSecrets('no app?auth=geheimnis', [at('rtmp://far/app?auth=geheimnis', 'key')])).toBe('no app?…');
  });

  it('are searched for the keys of all servers that are asked', () => {
    const both = [at('rtmp://one/app/first-key'), at('rtmp://two/app/second-key')];
    expect(withoutSecrets('neither first-key nor second-key', both)).toBe('neither firs… nor seco…');
  });

  it('stay what they are where a key is too short to be one, or no text at all', () => {
    expect(withoutSecrets('a live key', [at('rtmp://far/app/live?a=key')])).toBe('a live key');
    expect(withoutSecrets('x', [{ ...far, key: '\ud800\ud800\ud800\ud800\ud800%' }])).toBe('x');
  });

  it('are no more than a sentence', () => {
    expect(withoutSecrets('x'.repeat(300), [far])).toBe('x'.repeat(300));
    expect(withoutSecrets('x'.repeat(301), [far])).toBe(`${'x'.repeat(300)}…`);
    expect(withoutSecrets(`${'x'.repeat(295)}secret%2Fkey`, [far])).toBe(`${'x'.repeat(295)}secr…`);
  });
});
