import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dumpToEnd } from '../support/clip.ts';
import { expectUnchanged, makeSource, packetsOf, type Packets } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';
import { TestAuthority, type PemFiles } from '../support/tls-authority.ts';
import {
  chromium,
  curl,
  playVerified,
  publishVerified,
  rtmpdumpUsesGnutls,
  shakeHands,
  TLS_ALERT,
} from '../support/tls-clients.ts';
import { DOOR_NAMES, startTlsGateway, type DoorName, type TlsGateway } from '../support/tls-rig.ts';

/** What the gateway serves with, and how its publisher comes here: each door is published to in both ways. */
const KINDS = {
  'RSA only': 'rtmps',
  'EC only': 'rtmpts',
  'RSA and EC side by side': 'rtmps',
  'a chain with an intermediate': 'rtmpts',
} as const;
type Kind = keyof typeof KINDS;
const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** What FFmpeg throws away by itself when it stops publishing through a tunnel. */
const LOST_IN_TUNNEL = 10;
const HOST = 'localhost';

describe.skipIf(!has('openssl'))(`Clients over TLS${missing('openssl')}`, () => {
  let authority: TestAuthority;
  const gateways = new Map<Kind, TlsGateway>();
  const portOf = (kind: Kind, door: DoorName) => gateways.get(kind)!.port(door);

  beforeAll(async () => {
    authority = await TestAuthority.make();
    const names = [HOST, '127.0.0.1'] as const;
    const [rsa, ec, chain] = await Promise.all([
      authority.issue('rsa', ...names),
      authority.issue('ec', ...names),
      authority.issueChain('ec', ...names),
    ]);
    const served: Readonly<Record<Kind, readonly PemFiles[]>> = {
      'RSA only': [rsa],
      'EC only': [ec],
      'RSA and EC side by side': [rsa, ec],
      'a chain with an intermediate': [chain],
    };
    for (const kind of KIND_NAMES) gateways.set(kind, await startTlsGateway(...served[kind]));
  });

  afterAll(async () => {
    await Promise.all([...gateways.values()].map((gateway) => gateway.stop()));
    await authority?.remove();
  });

  const everywhere = KIND_NAMES.flatMap((kind) => DOOR_NAMES.map((door) => ({ kind, door })));

  describe('openssl, with the authority trusted', () => {
    it.each(everywhere)('finds nothing to complain of: $kind, $door', async ({ kind, door }) => {
      const named = await shakeHands(portOf(kind, door), { serverName: HOST, root: authority.root });
      expect(named, named.said).toMatchObject({
        succeeded: true,
        version: door === 'TLS 1.2 only' ? 'TLSv1.2' : 'TLSv1.3',
      });
    });

    it.each(everywhere)('nor when it names no server: $kind, $door', async ({ kind, door }) => {
      const anonymous = await shakeHands(portOf(kind, door), { root: authority.root });
      expect(anonymous, anonymous.said).toMatchObject({
        succeeded: true,
        // rtmpdump names none, and breaks on TLS 1.3.
        version: door === 'TLS 1.3 only' ? 'TLSv1.3' : 'TLSv1.2',
      });
    });

    it('sees that the check can fail: another name, another authority', async () => {
      const other = await TestAuthority.make();
      const port = portOf('EC only', 'defaults');
      expect((await shakeHands(port, { serverName: 'elsewhere', root: authority.root })).succeeded).toBe(false);
      expect((await shakeHands(port, { serverName: HOST, root: other.root })).succeeded).toBe(false);
      await other.remove();
    });

    it.each([
      ['TLS 1.2 only', 'TLSv1.3'],
      ['TLS 1.3 only', 'TLSv1.2'],
    ] as const)('is told of the version where it offers the other one: %s, %s', async (door, version) => {
      const port = portOf('EC only', door);
      const { succeeded, alert } = await shakeHands(port, { serverName: HOST, version });
      expect({ succeeded, alert }).toEqual({ succeeded: false, alert: TLS_ALERT.protocolVersion });
    });
  });

  describe.skipIf(!has('curl'))(`curl${missing('curl')}`, () => {
    it.each(everywhere)('fetches the front page with the authority trusted: $kind, $door', async ({ kind, door }) => {
      const page = await curl(`https://${HOST}:${portOf(kind, door)}/`, authority.root);
      expect(page, page.complaint).toMatchObject({ succeeded: true, complaint: '' });
      expect(page.text).toContain('<title>rtmp-gateway</title>');
    });

    it('fetches it by address, too', async () => {
      const page = await curl(`https://127.0.0.1:${portOf('EC only', 'defaults')}/healthz`, authority.root);
      expect(page).toEqual({ succeeded: true, text: 'ok', complaint: '' });
    });
  });

  const browser = has('chromium') && has('certutil');
  describe.skipIf(!browser)(`Chromium${missing('chromium', 'certutil')}`, () => {
    it('shows the front page with the authority in its certificate store, and no warning', async () => {
      const { fetch } = await chromium(authority.folder, authority.root);
      const doors = [
        ...KIND_NAMES.map((kind) => ({ kind, door: 'defaults' as const })),
        ...DOOR_NAMES.slice(1).map((door) => ({ kind: 'RSA and EC side by side' as const, door })),
      ];
      for (const { kind, door } of doors) {
        const page = await fetch(`https://${HOST}:${portOf(kind, door)}/`);
        expect([kind, door, page.complaint]).toEqual([kind, door, '']);
        expect(page.text).toContain('<title>rtmp-gateway</title>');
      }
    }, 60_000);

    it('shows none without', async () => {
      const { fetch } = await chromium(authority.folder);
      const { complaint } = await fetch(`https://${HOST}:${portOf('EC only', 'defaults')}/`);
      expect(complaint).toBe('net::ERR_CERT_AUTHORITY_INVALID');
    }, 30_000);
  });

  describe.skipIf(!has('ffmpeg'))(`FFmpeg and rtmpdump${missing('ffmpeg', 'rtmpdump')}`, () => {
    let source: string;
    let packets: Packets;

    beforeAll(async () => {
      source = join(authority.folder, 'source.flv');
      await makeSource(source, 1);
      packets = await packetsOf(source);
    });

    /** Publishes one way and plays in all others; the same packets must arrive. */
    async function publishAndPlay(kind: Kind, door: DoorName): Promise<void> {
      const gateway = gateways.get(kind)!;
      const stream = `${kind} ${door}`.replace(/\W+/g, '-');
      const url = (scheme: string) => `${scheme}://${HOST}:${gateway.port(door)}/live/${stream}`;
      const dump = (scheme: string) => dumpToEnd(url(scheme), join(authority.folder, `${stream}-${scheme}.flv`));
      const dumping = has('rtmpdump') && door !== 'TLS 1.3 only' ? ['rtmps', 'rtmpts'].map(dump) : [];
      const playing = ['rtmps', 'rtmpts'].map((scheme) => playVerified(url(scheme), authority.root));
      const players = [...dumping, ...playing];
      await gateway.until(() => gateway.subscribers(`live/${stream}`) === players.length);
      await publishVerified(source, url(KINDS[kind]), authority.root);
      for (const played of players) {
        expectUnchanged(await played, packets, KINDS[kind] === 'rtmpts' ? LOST_IN_TUNNEL : 0);
      }
    }

    it.each(KIND_NAMES)(
      'publish and play over rtmps and rtmpts at each door, packets unchanged: %s',
      async (kind) => {
        await Promise.all(DOOR_NAMES.map((door) => publishAndPlay(kind, door)));
      },
      60_000,
    );

    it.skipIf(!rtmpdumpUsesGnutls())(
      'rtmpdump with GnuTLS plays nothing over TLS 1.3 only: its own fault',
      async () => {
        const gateway = gateways.get('RSA and EC side by side')!;
        const url = (scheme: string) => `${scheme}://${HOST}:${gateway.port('TLS 1.3 only')}/live/none`;
        const live = publishVerified(source, url('rtmps'), authority.root);
        const dumps = ['rtmps', 'rtmpts'].map((scheme) =>
          dumpToEnd(url(scheme), join(authority.folder, `none-${scheme}.flv`), 6_000),
        );
        for (const dumped of await Promise.all(dumps)) expect(dumped).toEqual({ video: [], audio: [] });
        await live;
      },
    );

    it('FFmpeg refuses the same certificate over rtmps without the authority', async () => {
      const url = `rtmps://${HOST}:${portOf('EC only', 'defaults')}/live/refused`;
      const args = ['-v', 'error', '-i', source, '-c', 'copy', '-f', 'flv', '-tls_verify', '1', url];
      const { code, stderr } = await run('ffmpeg', args).finished;
      expect(code).not.toBe(0);
      expect(stderr).toContain('certificate failed verification');
    });
  });
});
