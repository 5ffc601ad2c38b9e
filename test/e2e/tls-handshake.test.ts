import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { has, missing } from '../support/programs.ts';
import { TestAuthority, type PemFiles } from '../support/tls-authority.ts';
import { curl, shakeHands, TLS_ALERT } from '../support/tls-clients.ts';
import { startTlsGateway, type TlsGateway } from '../support/tls-rig.ts';

const HOST = 'localhost';

describe.skipIf(!has('openssl'))(`A door's TLS as openssl sees it${missing('openssl')}`, () => {
  let authority: TestAuthority;

  beforeAll(async () => {
    authority = await TestAuthority.make();
  });

  afterAll(() => authority?.remove());

  it('must-do 28: the name chooses the certificate: exact, wildcard of one label, any case, unknown, absent, an address', async () => {
    const certificates = await Promise.all(
      ['default.test', 'media.example.com', '*.example.com'].map((name) => authority.issue('ec', name)),
    );
    const gateway = await startTlsGateway(...certificates);
    const expected = {
      'media.example.com': 'media.example.com',
      'MEDIA.Example.COM': 'media.example.com',
      'other.example.com': '*.example.com',
      'OTHER.example.com': '*.example.com',
      'two.labels.example.com': 'default.test',
      'example.com': 'default.test',
      'unknown.test': 'default.test',
      '127.0.0.1': 'default.test',
    };
    const found: Record<string, string | undefined> = {};
    for (const serverName of Object.keys(expected)) {
      found[serverName] = (await shakeHands(gateway.port('defaults'), { serverName })).subject?.replace(/ .*/, '');
    }
    expect(found).toEqual(expected);
    expect((await shakeHands(gateway.port('defaults'))).subject).toBe('default.test ec by root');
    await gateway.stop();
  });

  describe('with a certificate for localhost', () => {
    let gateway: TlsGateway;
    let pem: PemFiles;

    beforeAll(async () => {
      pem = await authority.issue('ec', HOST);
      gateway = await startTlsGateway(pem);
    });

    afterAll(() => gateway?.stop());

    it('must-do 29: takes rtmp and http/1.1 for the protocol, takes clients that offer none, and refuses those of HTTP/2 alone', async () => {
      const port = gateway.port('defaults');
      const offer = async (...alpn: string[]) => {
        const { succeeded, alpn: agreed, alert } = await shakeHands(port, { serverName: HOST, alpn });
        return succeeded ? agreed : alert;
      };
      expect(await offer('rtmp')).toBe('rtmp');
      expect(await offer('h2', 'http/1.1')).toBe('http/1.1');
      expect(await offer('h2')).toBe(TLS_ALERT.noApplicationProtocol);
      const silent = await shakeHands(port, { serverName: HOST });
      expect([silent.succeeded, silent.alpn]).toEqual([true, undefined]);
    });

    it.skipIf(!has('curl'))('must-do 29: curl, which would like HTTP/2, comes to HTTP/1.1', async () => {
      const url = `https://${HOST}:${gateway.port('defaults')}/healthz`;
      const { text } = await curl(url, authority.root, '--http2', '-w', ' %{http_version}');
      expect(text).toBe('ok 1.1');
    });

    const weak = { serverName: HOST, ciphers: 'ALL:@SECLEVEL=0' } as const;

    it.each(['TLSv1', 'TLSv1.1'] as const)('must-do 30: refuses %s by default', async (version) => {
      const { succeeded, alert } = await shakeHands(gateway.port('defaults'), { ...weak, version });
      expect({ succeeded, alert }).toEqual({ succeeded: false, alert: TLS_ALERT.protocolVersion });
    });

    it('must-do 30: takes TLS 1.0 and 1.1 at the one door that was told to, and at no other', async () => {
      const host = '127.0.0.1';
      const listen = [
        { host, port: 0, tls: { minVersion: 'TLSv1' } },
        { host, port: 0 },
        { host, port: 0 },
      ];
      const old = await startGateway({ listen, tls: { certificates: [pem] } });
      for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
        const options = version === 'TLSv1.3' ? { serverName: HOST, version } : { ...weak, version };
        const there = await shakeHands(old.ports.rtmp, { ...options, root: authority.root });
        expect(there, there.said).toMatchObject({ succeeded: true, version });
      }
      const elsewhere = await shakeHands(old.ports.http, { ...weak, version: 'TLSv1' });
      expect(elsewhere).toMatchObject({ succeeded: false, alert: TLS_ALERT.protocolVersion });
      await old.stop();
    });
  });
});
