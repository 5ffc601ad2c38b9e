import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectUnchanged, makeSource, packetsOf } from '../support/packets.ts';
import { has, missing } from '../support/programs.ts';
import { chromium, curl, playVerified, publishVerified, shakeHands } from '../support/tls-clients.ts';
import { startWithDevelopmentCa, type DevelopmentGateway } from '../support/tls-development.ts';

const HOST = 'localhost';

describe.each(['ec', 'rsa'])('The development CA, trusted, with a certificate of kind %s', (kind) => {
  let gateway: DevelopmentGateway;

  beforeAll(async () => {
    gateway = await startWithDevelopmentCa(HOST, '127.0.0.1', '--key', kind);
  });

  afterAll(() => gateway?.stop());

  it.skipIf(!has('openssl'))(`makes openssl content, by name and without${missing('openssl')}`, async () => {
    const { root, ports } = gateway;
    for (const options of [{ root, serverName: HOST }, { root }]) {
      const { succeeded, said } = await shakeHands(ports.https, options);
      expect(succeeded, said).toBe(true);
    }
    const stranger = await shakeHands(ports.https, { root, serverName: 'elsewhere.test' });
    expect(stranger.succeeded).toBe(false);
  });

  it.skipIf(!has('curl'))(`makes curl content, by name and address${missing('curl')}`, async () => {
    for (const host of [HOST, '127.0.0.1']) {
      const page = await curl(`https://${host}:${gateway.ports.https}/`, gateway.root);
      expect(page).toMatchObject({ succeeded: true, complaint: '' });
    }
  });

  const browser = has('chromium') && has('certutil');
  it.skipIf(!browser)(
    `makes Chromium content, by name and address${missing('chromium', 'certutil')}`,
    async () => {
      const { fetch } = await chromium(gateway.folder, gateway.root);
      for (const host of [HOST, '127.0.0.1']) {
        const page = await fetch(`https://${host}:${gateway.ports.https}/`);
        expect([host, page.complaint]).toEqual([host, '']);
        expect(page.text).toContain('<title>rtmp-gateway</title>');
      }
    },
    60_000,
  );

  it.skipIf(!has('ffmpeg'))(`makes FFmpeg content, publishing and playing${missing('ffmpeg')}`, async () => {
    const source = join(gateway.folder, 'source.flv');
    await makeSource(source, 1);
    const url = gateway.url('rtmps', 'live/trusted').replace('127.0.0.1', HOST);
    const played = playVerified(url, gateway.root);
    await gateway.until(() => gateway.subscribers('live/trusted') === 1);
    await publishVerified(source, url, gateway.root);
    expectUnchanged(await played, await packetsOf(source), 0);
  });
});
