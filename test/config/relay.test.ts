import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { InvalidConfigError } from '../../src/config/index.ts';
import { makeTestCertificate } from '../support/certificate.ts';
import { load } from '../support/config-file.ts';

const rules = (yaml: string) => load(`relay:\n${yaml}`).config.relay;

let certificate: string;

beforeAll(async () => {
  certificate = (await makeTestCertificate()).cert;
});

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

  it('takes with each rule how to get there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-'));
    const file = join(folder, 'ca.pem');
    writeFileSync(file, certificate);
    const access = `ca: ${file}, serverName: name.example, proxy: "http://me:geheim@proxy:3128", user: u, password: geheim`;
    const yaml = `
        - { push: "live/*", to: rtmps://h/a/b, codecs: [h264, aac], ${access} }
        - { pull: "cdn/*", from: rtmps://h/a/b, ${access} }`;
    const how = {
      ...{ verify: true, ca: [certificate], serverName: 'name.example', proxy: 'http://me:geheim@proxy:3128' },
      ...{ user: 'u', password: 'geheim' },
    };
    expect(rules(yaml)).toEqual([
      { push: 'live/*', to: ['rtmps://h/a/b'], codecs: ['h264', 'aac'], ...how },
      { pull: 'cdn/*', from: ['rtmps://h/a/b'], idleMs: 10_000, ...how },
    ]);
    const { effective } = load(`relay:\n${yaml}`);
    expect(effective).toContain(`proxy: http://***:***@proxy:3128`);
    expect(effective).toContain(file);
    expect(effective).not.toMatch(/geheim|BEGIN/);
    rmSync(folder, { recursive: true });
  });

  it.each([
    [
      '- { push: live/*, to: rtmp://h/a/b, proxy: "http://geheim@proxy" }',
      'relay[0].proxy: expected the URL of a proxy',
    ],
    ['- { push: live/*, to: rtmp://h/a/b, ca: /none.pem }', 'relay[0].ca[0]: expected the path of a PEM file'],
    ['- { push: live/*, to: rtmp://h/a/b, ca: package.json }', 'relay[0].ca[0]: expected the path of a PEM file'],
    ['- { push: live/*, to: rtmp://h/a/b, codecs: [x264] }', 'relay[0].codecs[0]: expected one of h264, hevc'],
    ['- { push: live/*, to: rtmp://h/a/b, serverName: "a b" }', 'relay[0].serverName: expected the name of a server'],
    ['- { push: live/*, to: rtmp://h/a/b, user: x }', 'relay[0]: user and password belong together'],
    [
      '- { push: live/*, to: "rtmp://a:geheim@h/a/b", user: x, password: geheim }',
      'relay[0]: user and password are there twice',
    ],
    ['- { pull: live/*, from: rtmp://h/a/b, codecs: [h264] }', 'relay[0]: codecs is no key of a pull rule'],
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
    const withUser = load('relay: [{ push: live/*, to: "rtmp://user:ge%40heim@h/app/{stream}" }]').effective;
    expect(withUser).toContain('rtmp://user:***@h/app/');
    expect(withUser).not.toContain('heim');
    expect(effective).not.toMatch(/secretkey|geheim|verysecret/);
  });
});
