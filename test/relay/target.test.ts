import { describe, expect, it } from 'vitest';
import { streamName } from '../../src/hub/index.ts';
import { targetTemplate } from '../../src/relay/index.ts';

const NAME = streamName('live', 'show');

describe('a target', () => {
  it.each([
    ['rtmp://h/app/{stream}', 'app', 'show', 'rtmp://h/app'],
    ['rtmps://h:443/rtmp/FB-12-0-Ab?s_bl=1&s_ps=/x/', 'rtmp', 'FB-12-0-Ab?s_bl=1&s_ps=/x/', 'rtmps://h:443/rtmp'],
    ['rtmpt://h:80/{app}/inst/{stream}', 'live/inst', 'show', 'rtmpt://h:80/live/inst'],
    ['rtmp://[::1]:1936/a/{app}-{stream}?x={stream}', 'a', 'live-show?x=show', 'rtmp://[::1]:1936/a'],
    ['rtmp://h/a/%7Ekey+%2F=#', 'a', '%7Ekey+%2F=#', 'rtmp://h/a'],
    ['RTMP://H.Example/A/KeY', 'A', 'KeY', 'RTMP://H.Example/A'],
    ['rtmp://h/key', '', 'key', 'rtmp://h/'],
  ])('%s says its parts byte for byte', (url, app, key, tcUrl) => {
    expect(targetTemplate(url).fill(NAME)).toMatchObject({ app, key, tcUrl });
  });

  it('whose key is given apart has the whole path for its application, query included', () => {
    const target = targetTemplate('rtmp://h/live?token=a/b', '{stream}?k=1').fill(NAME);
    expect(target).toMatchObject({ app: 'live?token=a/b', key: 'show?k=1', tcUrl: 'rtmp://h/live?token=a/b' });
  });

  it('fills each place once, whatever the stream is called', () => {
    const name = streamName('live', '{app}$&');
    expect(targetTemplate('rtmp://h/x/{stream}').fill(name).key).toBe('{app}$&');
  });

  it('shows no key: not in the rule, not filled in, not in a query', () => {
    const { shown, fill } = targetTemplate('rtmps://h/app/secret-key-{stream}?token=geheim');
    expect(shown).toBe('rtmps://h/app/secr…{stream}?…');
    expect(fill(streamName('live', 'alsosecret')).shown).toBe('rtmps://h/app/secr…');
    expect(targetTemplate('rtmp://h/app?token=geheim', 'secretkey').shown).toBe('rtmp://h/app?…/secr…');
    expect(targetTemplate('rtmp://h/app/{stream}').shown).toBe('rtmp://h/app/{stream}');
  });

  it.each([
    'http://h/app/key',
    'rtmp:///app/key',
    'rtmp://h',
    'rtmp://h/app/',
    'rtmp://{app}.h/app/key',
    'rtmp://h/app/{name}',
    'rtmp://user:geheim@h/app/key',
    'rtmpe://h/a/b',
    '',
  ])('%s is none, and the reason repeats none of it', (url) => {
    expect(() => targetTemplate(url)).toThrow(expect.objectContaining({ code: 'BAD_URL' }));
    expect(() => targetTemplate(url)).not.toThrow(/geheim/);
  });
});
