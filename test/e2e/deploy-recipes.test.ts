import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { expectUnchanged, makeSource, packetsOf, parseFrameHashes, type Packets } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';
import { KINDS, recipe, startRecipe, type RecipeName, type RecipeProxy } from '../support/recipes.ts';
import { recordingLog } from '../support/recording-log.ts';

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
  let folder: string;
  let source: Packets;
  const { log, lines } = recordingLog();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    await makeSource(join(folder, 'source.flv'), 3);
    source = await packetsOf(join(folder, 'source.flv'));
    gateway = await startGateway({ ...settings(), core: { grace: '300ms' } }, log);
  });

  afterAll(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Publishes the source one way, plays it another; fails unless the same packets arrive, under the client's address. */
  async function publishAndPlay(proxy: RecipeProxy, way: Way, path: string): Promise<void> {
    const url = (address: string) => address.replace(/\d+$/, (port) => `${proxy.port(Number(port))}/${path}`);
    const played = play(url(way.play), way.player, path);
    await gateway.until(() => gateway.subscribers(path) === 1);
    const input = ['-v', 'error', '-re', '-i', join(folder, 'source.flv'), '-c', 'copy', '-f', 'flv'];
    const { code, stderr } = await run('ffmpeg', [...input, url(way.publish)], 40_000).finished;
    expect(code, stderr).toBe(0);
    expectUnchanged(await played, source, way.publish.startsWith('rtmpt') ? LOST_IN_TUNNEL : 0);
    expect(addressesOf(path)).toContain('::1');
    if (way.play.includes('[::1]') && way.publish.includes('[::1]')) expect(addressesOf(path)).toEqual(['::1']);
  }

  /** Plays to the end of the stream. */
  async function play(url: string, player: Way['player'], path: string): Promise<Packets> {
    if (player === undefined) {
      const args = ['-v', 'error', '-i', url, '-c', 'copy', '-f', 'framemd5', '-'];
      return parseFrameHashes((await run('ffmpeg', args, 40_000).finished).stdout.toString());
    }
    const file = join(folder, `${path.replace('/', '-')}.flv`);
    await run(player, ['-q', '--live', '-r', url, '-o', file], 40_000).finished;
    return packetsOf(file);
  }

  /** The addresses that the log names for a stream; its name is cut after four characters there. */
  function addressesOf(path: string): string[] {
    const [app, stream = ''] = path.split('/');
    const fields = lines.map(({ fields }) => fields as { app?: string; stream?: string; address?: string });
    const about = fields.filter((line) => line.app === app && line.stream?.slice(0, 4) === stream.slice(0, 4));
    return [...new Set(about.flatMap(({ address }) => address ?? []))].sort();
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
