import { describe, expect, it } from 'vitest';
import { streamName } from '../../src/hub/index.ts';
import { movedTarget, targetTemplate } from '../../src/relay/target.ts';

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
    'rtmp://geheim@h/app/key',
    'rtmp://:geheim@h/app/key',
    'rtmp://us%26er:geheim@h/app/key',
    'rtmp://user:ge@heim@h/app/key',
    'rtmp://user:ge/heim@h/app/key',
    'rtmpe://h/a/b',
    '',
  ])('%s is none, and the reason repeats none of it', (url) => {
    expect(() => targetTemplate(url)).toThrow(expect.objectContaining({ code: 'BAD_URL' }));
    expect(() => targetTemplate(url)).not.toThrow(/geheim/);
  });
});

describe('a user and a password', () => {
  const given = { user: 'u', password: 'geheim' };

  it('stand in the URL or beside it, and nowhere else', () => {
    const template = targetTemplate('rtmps://u%40x:ge%40heim@h:443/app/{stream}');
    const target = template.fill(NAME);
    expect(target).toMatchObject({ dial: 'rtmps://h:443', tcUrl: 'rtmps://h:443/app', app: 'app', key: 'show' });
    expect(target.credentials).toEqual({ user: 'u@x', password: 'ge@heim' });
    expect([template.shown, target.shown]).toEqual(['rtmps://h:443/app/{stream}', 'rtmps://h:443/app/show']);
    expect(targetTemplate('rtmp://h/app/key', undefined, given).fill(NAME).credentials).toEqual(given);
    expect(targetTemplate('rtmp://h/app/key').fill(NAME).credentials).toBeUndefined();
  });

  it('are not there twice', () => {
    expect(() => targetTemplate('rtmp://u:geheim@h/app/key', undefined, given)).toThrow(/^(?!.*geheim).*twice/);
  });
});

describe('where a server sends us', () => {
  const at = targetTemplate('rtmps://u:p@h:444/app?x=1', 'secretkey?k=v').fill(NAME);

  it.each([
    [undefined, 'rtmps://h:444', 'app?x=1', 'rtmps://h:444/app?x=1'],
    ['', 'rtmps://h:444', 'app?x=1', 'rtmps://h:444/app?x=1'],
    ['/new/app?y', 'rtmps://h:444', 'new/app?y', 'rtmps://h:444/new/app?y'],
    ['//other/new', 'rtmps://other', 'new', 'rtmps://other/new'],
    ['rtmpts://other:8443/a/b', 'rtmpts://other:8443', 'a/b', 'rtmpts://other:8443/a/b'],
    ['rtmps://other', 'rtmps://other', '', 'rtmps://other'],
  ])('by %j: the same stream, at another place', (tcUrl, dial, app, told) => {
    const moved = movedTarget(at, tcUrl);
    expect(moved).toMatchObject({ dial, app, tcUrl: told, key: 'secretkey?k=v', credentials: at.credentials });
    expect(moved.shown).not.toContain('secretkey');
  });

  it('is shown without the key that the server may name', () => {
    expect(movedTarget(at, '/new/secretkey/k').shown).toBe('rtmps://h:444/new/secr…/k/secr…');
    expect(movedTarget(at, `/${'a'.repeat(2048 - 'rtmps://h:444/'.length)}`).shown.length).toBeLessThan(400);
  });

  it.each([
    'http://other/app',
    'app',
    'rtmp:///app',
    '//',
    'rtmp://u:p@other/app',
    'rtmpe://other/app',
    'rtmp://a:99999/b',
    'rtmp://other/\u001b[2J',
    `//other/${'a'.repeat(2049 - 'rtmps://other/'.length)}`,
  ])('%j is no place', (tcUrl) => {
    expect(() => movedTarget(at, tcUrl)).toThrow(expect.objectContaining({ code: 'BAD_URL' }));
  });
});
