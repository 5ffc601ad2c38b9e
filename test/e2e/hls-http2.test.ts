import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readPlaylist } from '../../bench/load/hls-reader.ts';
import { look, openBrowser } from '../support/browser.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { Http2Client } from '../support/http2-client.ts';
import { has, missing, run, type Running } from '../support/programs.ts';
import { KINDS, startRecipe, type RecipeName, type RecipeProxy } from '../support/recipes.ts';

/** Apple's players play low-latency HLS over HTTP/2 only, so a proxy has to bring it. */
const RECIPES: readonly RecipeName[] = ['nginx-tunnel', 'caddy'];

const PARTS = 10;
/** A part and its playlist, which are asked for as soon as the last ones were there, come after a third of a second. */
const PATIENCE_MS = PARTS * 333 + 3_000;

describe.skipIf(!has('ffmpeg'))(`Low-latency HLS through a proxy that speaks HTTP/2${missing('ffmpeg')}`, () => {
  let gateway: TestGateway;
  let publisher: Running;

  beforeAll(async () => {
    gateway = await startGateway({ trustedProxies: ['loopback'] });
    publisher = run('ffmpeg', [
      ...['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30'],
      ...['-f', 'lavfi', '-i', 'sine=440:sample_rate=48000', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30'],
      ...['-tune', 'zerolatency', '-c:a', 'aac', '-f', 'flv', gateway.url('rtmp', 'live/h2')],
    ]);
    await gateway.until(() => gateway.publishing('live/h2'));
  });

  afterAll(async () => {
    publisher?.child.kill();
    await gateway?.stop();
  });

  for (const name of RECIPES) {
    const { program, file } = KINDS[name];

    it.skipIf(!has(program))(
      `follows a stream by hinted parts and blocked playlists, on one connection through ${file}${missing(program)}`,
      async () => {
        const proxy = await start(name);
        // Caddy makes its certificate when it has begun to listen.
        const client = await vi.waitFor(() => Http2Client.connect(origin(proxy)), { timeout: 15_000, interval: 200 });
        try {
          await follow(client);
        } finally {
          await client.close();
          await proxy.stop();
        }
      },
      40_000,
    );

    it.skipIf(!has(program) || !has('chromium'))(
      `plays the page to watch in Chromium through ${file}${missing(program, 'chromium')}`,
      async () => {
        const proxy = await start(name);
        const browser = await openBrowser();
        try {
          const page = await browser.newPage({ ignoreHTTPSErrors: true });
          await page.goto(`${origin(proxy)}/watch/live/h2`, { waitUntil: 'commit' });
          await expect.poll(async () => (await look(page)).state, { timeout: 15_000 }).toBe('live');
          const { at } = await look(page);
          await expect.poll(async () => (await look(page)).at, { timeout: 15_000 }).toBeGreaterThan(at + 1.5);
          expect((await look(page)).behind).toBeLessThan(3);
          expect(await page.evaluate(PROTOCOLS)).toEqual(['h2']);
        } finally {
          await browser.close();
          await proxy.stop();
        }
      },
      60_000,
    );
  }

  function start(name: RecipeName): Promise<RecipeProxy> {
    return startRecipe(name, { http: gateway.ports.http, bytes: gateway.ports.rtmp });
  }
});

/** For the browser: what media and playlists came over. */
const PROTOCOLS = `[...new Set(performance.getEntriesByType('resource')
  .filter(({ name }) => name.includes('/hls/')).map(({ nextHopProtocol }) => nextHopProtocol))]`;

/** Caddy chooses the certificate by the name. */
function origin(proxy: RecipeProxy): string {
  return `https://localhost:${proxy.port(443)}`;
}

/** As Apple's players do: the part that is hinted at and the playlist that will have it are asked for before they are there. */
async function follow(client: Http2Client): Promise<void> {
  const base = '/hls/live/h2/';
  const [uri] = (await client.get(`${base}index.m3u8`)).body.split('\n').filter((line) => /^[^#]/.test(line));
  let { body } = await client.get(base + uri);
  const started = Date.now();
  for (let index = 0; index < PARTS; index++) {
    const { nextSegment, nextPart } = readPlaylist(body);
    const hint = /#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/.exec(body)![1]!;
    const [playlist, part] = await Promise.all([
      client.get(`${base}${uri}?_HLS_msn=${nextSegment}&_HLS_part=${nextPart}`),
      client.get(base + hint),
    ]);
    expect([playlist.status, part.status]).toEqual([200, 200]);
    expect(part.headers['cache-control']).toContain('immutable');
    expect(part.body.slice(4, 8)).toMatch(/moof|styp|emsg/);
    expect(readPlaylist(playlist.body).parts).toContain(hint);
    body = playlist.body;
  }
  expect(Date.now() - started).toBeLessThan(PATIENCE_MS);
}
