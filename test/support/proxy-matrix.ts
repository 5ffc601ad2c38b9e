import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestCertificate } from './certificate.ts';
import { dumpToEnd, makeClip, playToEnd, type Clip } from './clip.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { PROXY_KINDS, type HttpProxy, type ProxyKind } from './http-proxies.ts';
import { expectUnchanged } from './packets.ts';
import { has, missing } from './programs.ts';
import { TAIL_LOST_BY_FFMPEG } from './sixteen-pairs.ts';

type Way = 'rtmpt' | 'rtmpts';
type Player = 'ffmpeg' | 'rtmpdump';
type Watching = readonly [Player, Way];

const PAGE_MS = 100;

/** Who publishes how, and who plays it how. */
export type Line = readonly [publisher: Way, ...players: readonly Watching[]];

/** FFmpeg publishes, FFmpeg and rtmpdump play, all through each kind of proxy: packets unchanged and contiguous. */
export function describeProxyMatrix(seconds: number, lines: readonly Line[]): void {
  describe.skipIf(!has('ffmpeg') || !has('rtmpdump'))(
    `${seconds} s of RTMPT and RTMPTS behind reverse proxies${missing('ffmpeg', 'rtmpdump')}`,
    () => {
      let gateway: TestGateway;
      let clip: Clip;

      beforeAll(async () => {
        clip = await makeClip(seconds);
        const { cert, key } = await makeTestCertificate();
        await writeFile(join(clip.folder, 'proxy.pem'), `${cert}\n${key}`);
        gateway = await startGateway({ core: { grace: '300ms' } });
      }, 120_000);

      afterAll(async () => {
        await gateway?.stop();
        await clip?.remove();
      });

      for (const kind of PROXY_KINDS) {
        const test = has(kind.programs[0]!) && has(kind.programs.at(-1)!) ? it.concurrent : it.skip;
        test(
          `${kind.name}: packets unchanged and contiguous${missing(...kind.programs)}`,
          async () => {
            const proxy = await kind.start(gateway.ports.http, join(clip.folder, 'proxy.pem'));
            const visitor = visit(`http://127.0.0.1:${proxy.http}/healthz`);
            try {
              await Promise.all(lines.map((line) => publishAndPlay(kind, proxy, line)));
              expect(visitor.statuses).toEqual(new Set([200]));
            } finally {
              visitor.stop();
              await proxy.stop();
            }
          },
          seconds * 1_000 + 50_000,
        );
      }

      async function publishAndPlay(kind: ProxyKind, proxy: HttpProxy, [publisher, ...players]: Line): Promise<void> {
        const path = `live/${kind.name.replaceAll(/\W/g, '')}-${publisher}`;
        const url = (way: Way) => `${way}://127.0.0.1:${way === 'rtmpt' ? proxy.http : proxy.https}/${path}`;
        const limitMs = seconds * 1_000 + 40_000;
        const received = players.map(([player, way]) =>
          player === 'ffmpeg'
            ? playToEnd(url(way), limitMs)
            : dumpToEnd(url(way), join(clip.folder, `${way}-${path.slice('live/'.length)}.flv`), limitMs),
        );
        await gateway.until(() => gateway.subscribers(path) === players.length);
        await clip.publish(url(publisher), limitMs);
        for (const packets of await Promise.all(received))
          expectUnchanged(packets, clip.packets, TAIL_LOST_BY_FFMPEG[publisher]);
      }
    },
  );
}

/** Asks for a page again and again, so that connections to the gateway serve sessions and other requests in turn. */
function visit(url: string): { readonly statuses: Set<number>; stop(): void } {
  const statuses = new Set<number>();
  const ask = (): void =>
    void fetch(url)
      .then(({ status }) => statuses.add(status))
      .catch(() => statuses.add(0));
  const timer = setInterval(ask, PAGE_MS);
  return { statuses, stop: () => clearInterval(timer) };
}
