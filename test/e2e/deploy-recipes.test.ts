import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dumpToEnd, makeClip, playToEnd, type Clip } from '../support/clip.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { expectUnchanged } from '../support/packets.ts';
import { has, missing } from '../support/programs.ts';
import { KINDS, recipe, startRecipe, type RecipeName, type RecipeProxy } from '../support/recipes.ts';
import { addressesOf, recordingLog } from '../support/recording-log.ts';

/** A way through a recipe: publish at the first address, play at the second; ports as the recipe publishes them. */
interface Way {
  readonly publish: string;
  readonly play: string;
  readonly player?: 'rtmpdump';
}

/** Clients come from ::1 where they can, proxies from 127.0.0.1: so it shows whose address the gateway logs. */
const TUNNELS: readonly Way[] = [
  { publish: 'rtmpt://[::1]:80', play: 'rtmpts://[::1]:443' },
  { publish: 'rtmpts://[::1]:443', play: 'rtmpt://[::1]:80' },
];
const WAYS: Readonly<Record<RecipeName, readonly Way[]>> = {
  'nginx-tunnel': TUNNELS,
  apache: TUNNELS,
  // Caddy's certificate is for a name, and for the test that is localhost.
  caddy: [
    { publish: 'rtmpt://[::1]:80', play: 'rtmpts://localhost:443' },
    { publish: 'rtmpts://localhost:443', play: 'rtmpt://[::1]:80' },
  ],
  'nginx-stream': [
    { publish: 'rtmp://[::1]:1935', play: 'rtmps://[::1]:443' },
    { publish: 'rtmps://[::1]:443', play: 'rtmpts://[::1]:443' },
    { publish: 'rtmpts://[::1]:443', play: 'rtmp://[::1]:1935' },
    { publish: 'rtmpt://[::1]:1935', play: 'rtmps://[::1]:1935' },
  ],
  haproxy: [
    { publish: 'rtmp://[::1]:1935', play: 'rtmps://[::1]:443' },
    { publish: 'rtmps://[::1]:443', play: 'rtmpts://[::1]:443' },
    { publish: 'rtmpts://[::1]:443', play: 'rtmpt://[::1]:80' },
    { publish: 'rtmpt://[::1]:80', play: 'rtmp://[::1]:1935' },
  ],
};

/** librtmp with GnuTLS names no server and breaks on TLS 1.3, so every recipe has to do something for it. */
function rtmpdumpWays(name: RecipeName): readonly Way[] {
  if (!has('rtmpdump')) return [];
  const host = name === 'caddy' ? 'localhost' : '127.0.0.1';
  return [{ publish: WAYS[name][0]!.publish, play: `rtmpts://${host}:443`, player: 'rtmpdump' }];
}

/** What FFmpeg throws away by itself when it stops publishing through a tunnel. */
const LOST_IN_TUNNEL = 10;

describe.skipIf(!has('ffmpeg'))(`Recipes for deployment${missing('ffmpeg')}`, () => {
  let gateway: TestGateway;
  let clip: Clip;
  const { log, lines } = recordingLog();

  beforeAll(async () => {
    clip = await makeClip(3);
    gateway = await startGateway({ ...settings(), core: { grace: '300ms' } }, log);
  });

  afterAll(async () => {
    await gateway?.stop();
    await clip?.remove();
  });

  /** Publishes the source one way, plays it another; fails unless the same packets arrive, under the client's address. */
  async function publishAndPlay(proxy: RecipeProxy, way: Way, path: string): Promise<void> {
    const url = (address: string) => address.replace(/\d+$/, (port) => `${proxy.port(Number(port))}/${path}`);
    const from = url(way.play);
    const file = join(clip.folder, `${path.replace('/', '-')}.flv`);
    const played = way.player === undefined ? playToEnd(from) : dumpToEnd(from, file);
    await gateway.until(() => gateway.subscribers(path) === 1);
    await clip.publish(url(way.publish));
    expectUnchanged(await played, clip.packets, way.publish.startsWith('rtmpt') ? LOST_IN_TUNNEL : 0);
    expect(addressesOf(lines, path)).toContain('::1');
    if (way.play.includes('[::1]') && way.publish.includes('[::1]')) expect(addressesOf(lines, path)).toEqual(['::1']);
  }

  for (const name of Object.keys(WAYS) as RecipeName[]) {
    const { program, file } = KINDS[name];
    const test = has(program) ? it.concurrent : it.skip;
    test(`${file} carries streams unchanged, each under its client's address${missing(program, 'rtmpdump')}`, async () => {
      const proxy = await startRecipe(name, { http: gateway.ports.http, bytes: gateway.ports.rtmp });
      try {
        const ways = [...WAYS[name], ...rtmpdumpWays(name)];
        await Promise.all(ways.map((way, index) => publishAndPlay(proxy, way, `${name}/${index}abc`)));
        if (proxy.port(80) !== undefined) {
          const answer = await fetch(`http://[::1]:${proxy.port(80)}/healthz`);
          expect([answer.status, (await answer.text()).trim()]).toEqual([200, 'ok']);
        }
      } finally {
        await proxy.stop();
      }
    }, 90_000);
  }
});

/** The gateway's two recipes as one: its ports, what they may speak, whom they trust; on free ports of loopback. */
function settings(): Record<string, unknown> {
  const { listen, trustedProxies } = parse(recipe('gateway-behind-bytes.yaml')) as {
    listen: ReadonlyArray<Record<string, unknown>>;
    trustedProxies: string[];
  };
  const anywhere = { host: '127.0.0.1', port: 0 };
  return { listen: [...listen.map((door) => ({ ...door, ...anywhere })), anywhere], trustedProxies };
}
