import { describe, expect, it } from 'vitest';
import { makeTestCertificate } from '../support/certificate.ts';
import { compileRule, DEFAULT_IDLE_MS, type RelayRule } from '../../src/relay/rules.ts';

const to = 'rtmps://far/app/{stream}';

describe('a rule', () => {
  it('that pushes matches streams by its pattern, and has a place for each URL', () => {
    const rule = compileRule({ push: 'live/*', to: [to, 'rtmp://near/x'], key: '{app}-{stream}' });
    expect([rule.matches('live/show'), rule.matches('other/show')]).toEqual([true, false]);
    const filled = rule.templates.map((template) => template.fill({ app: 'live', key: 'show' }));
    expect(filled.map(({ app, key }) => [app, key])).toEqual([
      ['app/{stream}'.replace('{stream}', 'show'), 'live-show'],
      ['x', 'live-show'],
    ]);
    expect(rule).toMatchObject({
      kind: 'push',
      match: 'live/*',
      codecs: undefined,
      access: { tls: {}, proxy: undefined },
    });
  });

  it('that pulls keeps a stream for ten seconds unless told otherwise', () => {
    expect(compileRule({ pull: 'a/*', from: to }).idleMs).toBe(DEFAULT_IDLE_MS);
    expect(compileRule({ pull: 'a/*', from: to, idleMs: 0 })).toMatchObject({ kind: 'pull', idleMs: 0 });
  });

  it('says how to get there', async () => {
    const ca = [(await makeTestCertificate()).cert];
    const { access } = compileRule({
      push: '*',
      to,
      verify: false,
      ca,
      serverName: 'name',
      proxy: 'socks5h://u:p@proxy:1',
    });
    expect(access.tls).toEqual({ ca, serverName: 'name', rejectUnauthorized: false });
    expect(access.proxy).toMatchObject({
      scheme: 'socks5h',
      host: 'proxy',
      port: 1,
      credentials: { user: 'u', password: 'p' },
    });
    expect(compileRule({ push: '*', to }).access).toEqual({ tls: { serverName: undefined }, proxy: undefined });
  });

  it.each(['', '-----BEGIN CERTIFICATE-----', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'trusts no certificate that cannot be read: %j',
    async (bad) => {
      const { cert } = await makeTestCertificate();
      expect(() => compileRule({ push: '*', to, ca: [cert, bad] })).toThrow(/^ca: expected certificates/);
    },
  );

  it('names a server by its name or its address', () => {
    for (const serverName of ['a.example', 'xn--bcher-kva.example', 'a_b', 'x', '192.0.2.1', '::1', 'a'.repeat(253)])
      expect(compileRule({ push: '*', to, serverName }).access.tls).toMatchObject({ serverName });
    for (const serverName of ['', 'a b', 'a\0b', 'bücher.example', '-a', 'a.', 'a'.repeat(254), 'a/b'])
      expect(() => compileRule({ push: '*', to, serverName })).toThrow(/^serverName: expected the name/);
  });

  it('gives its user and password to all its servers', () => {
    const { templates } = compileRule({ push: '*', to: [to, 'rtmp://b/c/d'], user: 'u', password: 'p' });
    const known = templates.map((template) => template.fill({ app: 'a', key: 'k' }).credentials);
    expect(known).toEqual([
      { user: 'u', password: 'p' },
      { user: 'u', password: 'p' },
    ]);
  });

  it('names codecs as people do', () => {
    expect(compileRule({ push: '*', to, codecs: ['H264', 'hevc', 'aac'] }).codecs).toEqual(
      new Set(['avc1', 'hvc1', 'mp4a']),
    );
  });

  it.each<[RelayRule, string, string]>([
    [{ push: 'a**', to }, 'BAD_RELAY', 'the pattern of a relay'],
    [{ push: '*', to: [] }, 'BAD_RELAY', 'at least one URL'],
    [{ push: '*', to: 'http://geheim' }, 'BAD_URL', 'begins with rtmp'],
    [{ push: '*', to, user: 'u' }, 'BAD_RELAY', 'belong together'],
    [{ push: '*', to, password: 'geheim' }, 'BAD_RELAY', 'belong together'],
    [{ push: '*', to: 'rtmp://u:geheim@h/a/b', user: 'u', password: 'geheim' }, 'BAD_URL', 'twice'],
    [{ push: '*', to, proxy: 'ftp://geheim@x' }, 'BAD_PROXY', 'expected http://HOST:PORT'],
    [{ push: '*', to, codecs: [] }, 'BAD_RELAY', 'names none'],
    [{ push: '*', to, codecs: ['h264', 'x'] }, 'BAD_RELAY', 'known are h264, hevc'],
  ])('%j is none', (rule, code, reason) => {
    expect(() => compileRule(rule)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(reason) }),
    );
    expect(() => compileRule(rule)).not.toThrow(/geheim/);
  });
});
