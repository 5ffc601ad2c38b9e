import { describe, expect, it } from 'vitest';
import { InvalidConfigError } from '../../src/config/index.ts';
import { load } from '../support/config-file.ts';

const rules = (yaml: string) => load(`relay:\n${yaml}`).config.relay;

function complaint(yaml: string): string {
  try {
    rules(yaml);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidConfigError);
    return (error as Error).message;
  }
}

describe('relay', () => {
  it('is nothing by default', () => {
    expect(load('').config.relay).toEqual([]);
    expect(load('relay: []').config.relay).toEqual([]);
  });

  it('takes rules that push and rules that pull, with one server or several', () => {
    expect(
      rules(`
        - { push: "live/*", to: "rtmps://h/app/{stream}?k=v" }
        - { push: "live/*", to: [rtmp://a/x/y, rtmpt://b/x], key: "{app}-{stream}", verify: false }
        - { pull: "cdn/*", from: ["rtmp://o/live/{stream}"], idle: 30s }`),
    ).toEqual([
      { push: 'live/*', to: ['rtmps://h/app/{stream}?k=v'], verify: true },
      { push: 'live/*', to: ['rtmp://a/x/y', 'rtmpt://b/x'], key: '{app}-{stream}', verify: false },
      { pull: 'cdn/*', from: ['rtmp://o/live/{stream}'], idleMs: 30_000, verify: true },
    ]);
  });

  it.each([
    ['- { push: live/* }', 'relay[0]: push needs to'],
    ['- { pull: live/*, from: [] }', 'relay[0]: pull needs from'],
    ['- { to: rtmp://h/a/b }', 'relay[0]: expected either push and to, or pull and from'],
    ['- { push: live/*, pull: live/*, to: rtmp://h/a/b }', 'relay[0]: expected either'],
    ['- { push: live/*, to: rtmp://h/a/b, idle: 3s }', 'relay[0]: idle is no key of a push rule'],
    ['- { pull: live/*, from: rtmp://h/a/b, key: x }', 'relay[0]: key is no key of a pull rule'],
    ['- { push: live/a**, to: rtmp://h/a/b }', 'relay[0].push: expected a pattern'],
    ['- { push: live/*, to: rtmp://h/a/ }', 'relay[0]: no stream is named'],
    ['- { push: live/*, to: "http://h/geheim" }', 'relay[0].to[0]: expected a URL'],
    ['- { push: live/*, to: "rtmp://h/a/{geheim}" }', 'relay[0].to[0]: expected a URL'],
    ['- { push: live/*, to: rtmp://h/a/b, tp: 1 }', 'relay[0].tp: unknown key'],
  ])('complains of %s without repeating a URL', (yaml, reason) => {
    const said = complaint(yaml);
    expect(said).toContain(reason);
    expect(said).not.toContain('geheim');
  });

  it('is printed without keys', () => {
    const { effective } = load('relay: [{ push: live/*, to: "rtmp://h/app/secretkey?token=geheim", key: verysecret }]');
    expect(effective).toContain('rtmp://h/app/secr…?…');
    expect(effective).not.toMatch(/secretkey|geheim|verysecret/);
  });
});
