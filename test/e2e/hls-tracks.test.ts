import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Publication } from '../../src/hub/index.ts';
import type { Frame } from '../../src/media/index.ts';
import { openBrowser } from '../support/browser.ts';
import { enhancedClip } from '../support/enhanced-clip.ts';
import { onTrack } from '../support/frames.ts';
import { hlsStage, type HlsStage } from '../support/hls-stage.ts';
import { has, missing } from '../support/programs.ts';
import { ROOT } from '../support/sources.ts';

const BEAT_MS = 50;

/** Text for the browser: the tests' own compiler knows no page. */
const play = (source: string, wanted: number): string => `(() => {
  const video = document.querySelector('video');
  const hls = window.hls = new Hls({ lowLatencyMode: true, startLevel: ${wanted} });
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
  hls.loadSource('${source}');
  hls.attachMedia(video);
})()`;
const LOOK = `(() => {
  const video = document.querySelector('video');
  const codecs = window.hls.levels.map(({ attrs }) => attrs.CODECS);
  return { at: video.currentTime, width: video.videoWidth, codecs };
})()`;

interface Seen {
  readonly at: number;
  readonly width: number;
  readonly codecs: readonly string[];
}

describe.skipIf(!has('ffmpeg') || !has('chromium'))(
  `Tracks in Chromium with hls.js${missing('ffmpeg', 'chromium')}`,
  () => {
    let browser: Browser;
    let folder: string;
    let stage: HlsStage;
    let page: Page;
    let publication: Publication;
    let feed: NodeJS.Timeout;
    /** How much of the stream has been sent, milliseconds. */
    let elapsed: number;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
      browser = await openBrowser();
    });

    afterAll(async () => {
      await browser?.close();
      await rm(folder, { recursive: true, force: true });
    });

    beforeEach(async () => {
      elapsed = 0;
      stage = await hlsStage({ segmentMs: 1_000 });
      publication = stage.publish('one');
      page = await browser.newPage();
      await page.setContent('<video muted></video>');
      await page.addScriptTag({ path: join(ROOT, 'node_modules/hls.js/dist/hls.min.js') });
    });

    afterEach(async () => {
      clearInterval(feed);
      await page.close();
      await stage.stop();
    });

    /** Sends frames in their order at their times, which may be made to go on faster by adding to `elapsed`. */
    function send(frames: readonly Frame[]): void {
      const left = frames.toSorted((a, b) => a.timestamp - b.timestamp);
      feed = setInterval(() => {
        elapsed += BEAT_MS;
        stage.pass(BEAT_MS);
        const due = left.findIndex(({ isConfig, timestamp }) => !isConfig && timestamp > elapsed);
        stage.send(publication, left.splice(0, due < 0 ? left.length : due));
      }, BEAT_MS);
    }

    const look = () => page.evaluate(LOOK) as Promise<Seen>;

    it('go on with another picture when the one that is watched does not come any more', async () => {
      const small = await enhancedClip(folder, { video: 'avc1', audio: 'mp4a', seconds: 40 });
      const large = await enhancedClip(folder, { video: 'avc1', size: '640x480', seconds: 5 });
      send([...small, ...large.map((frame) => onTrack(frame, 1))]);
      await page.evaluate(play(`${stage.url}/live/one/index.m3u8`, 1));
      await expect.poll(async () => (await look()).width, { timeout: 10_000 }).toBe(640);
      elapsed += 12_000;
      await expect.poll(async () => (await look()).width, { timeout: 20_000 }).toBe(320);
      const { at } = await look();
      await expect.poll(async () => (await look()).at, { timeout: 5_000 }).toBeGreaterThan(at + 2);
    }, 60_000);

    it('show the picture where the browser does not know the sound', async () => {
      send(await enhancedClip(folder, { video: 'avc1', audio: '.mp3', channels: 2, seconds: 15 }));
      await page.evaluate(play(`${stage.url}/live/one/index.m3u8`, -1));
      await expect.poll(async () => (await look()).at, { timeout: 10_000 }).toBeGreaterThan(2);
      expect((await look()).codecs).toMatchObject([/^avc1\.\w{6}$/]);
    }, 30_000);

    it('are heard, as FLAC too', async () => {
      send(await enhancedClip(folder, { video: 'avc1', audio: 'fLaC', channels: 2, seconds: 15 }));
      await page.evaluate(play(`${stage.url}/live/one/index.m3u8`, -1));
      await expect.poll(async () => (await look()).at, { timeout: 10_000 }).toBeGreaterThan(2);
      expect(await page.evaluate(`document.querySelector('video').webkitAudioDecodedByteCount`)).toBeGreaterThan(
        10_000,
      );
    }, 30_000);
  },
);
