import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { look, openBrowser, openPage } from './browser.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { readMediaPlaylist } from './hls-validator.ts';
import { publishClock, READ_DELAY } from './time-picture.ts';
import { has, missing, run, type Running } from './programs.ts';

/** How long it is watched, and how many publishers follow each other on it. */
export interface BrowserRun {
  readonly watchSeconds: number;
  readonly publishers: number;
}

function publish(url: string, size: string): Running {
  return run('ffmpeg', [
    ...['-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`],
    ...['-f', 'lavfi', '-i', 'sine=440:sample_rate=48000', '-c:v', 'libx264', '-preset', 'ultrafast'],
    ...['-tune', 'zerolatency', '-g', '30', '-b:v', '400k', '-c:a', 'aac', '-f', 'flv', url],
  ]);
}

/** A stream on the page to watch, in Chromium. */
export function testInChromium({ watchSeconds, publishers }: BrowserRun): void {
  const title = `Chromium with hls.js${missing('ffmpeg', 'chromium')}`;
  describe.skipIf(!has('ffmpeg') || !has('chromium'))(title, () => {
    let browser: Browser;
    let gateway: TestGateway;
    let publisher: Running;

    beforeAll(async () => {
      browser = await openBrowser();
    });

    afterAll(() => browser?.close());

    beforeEach(async () => {
      gateway = await startGateway({ core: { republish: 'takeover' } });
    });

    afterEach(async () => {
      publisher?.child.kill();
      await gateway?.stop();
    });

    const address = (path: string): string => `http://127.0.0.1:${gateway.ports.http}/${path}`;

    it(
      `plays for ${watchSeconds} s on the page to watch, less than 3 s behind, and nothing is said against it`,
      async () => {
        publisher = publish(gateway.url('rtmp', 'live/page'), '640x360');
        await gateway.until(() => gateway.publishing('live/page'));
        const { page, complaints } = await openPage(browser, address('watch/live/page'));
        await expect.poll(async () => (await look(page)).at, { timeout: 15_000 }).toBeGreaterThan(1);
        const { at: start } = await look(page);
        await page.waitForTimeout(watchSeconds * 1000);
        const { at, behind, state, error } = await look(page);
        expect(error).toBeUndefined();
        expect(state).toBe('live');
        expect(at - start).toBeGreaterThan(watchSeconds - 2);
        expect(behind).toBeLessThan(3);
        expect(complaints).toEqual([]);
        await page.close();
      },
      60_000 + watchSeconds * 1_000,
    );

    it('shows a picture less than 3 s after it was made', async () => {
      const clock = publishClock(gateway.url('rtmp', 'live/clock'));
      try {
        await gateway.until(() => gateway.publishing('live/clock'));
        const { page } = await openPage(browser, address('watch/live/clock'));
        await expect.poll(async () => (await look(page)).at, { timeout: 15_000 }).toBeGreaterThan(4);
        const delays: number[] = [];
        for (let i = 0; i < 11; i++) {
          delays.push((await page.evaluate(READ_DELAY)) as number);
          await page.waitForTimeout(300);
        }
        const median = delays.toSorted((a, b) => a - b)[5]!;
        process.stdout.write(`glass to glass: ${median} ms (${delays.join(' ')})\n`);
        expect(median).toBeLessThan(3_000);
        await page.close();
      } finally {
        clock.stop();
      }
    }, 60_000);

    it(
      `goes on while ${publishers} publishers with as many sizes follow each other`,
      async () => {
        const url = gateway.url('rtmp', 'live/ten');
        const sequences: number[] = [];
        publisher = publish(url, '320x180');
        await gateway.until(() => gateway.publishing('live/ten'));
        const { page } = await openPage(browser, address('watch/live/ten'));
        await expect.poll(async () => (await look(page)).at, { timeout: 15_000 }).toBeGreaterThan(0.5);
        for (let round = 1; round <= publishers; round++) {
          const width = 320 + 32 * round;
          publisher.child.kill('SIGKILL');
          await publisher.finished;
          publisher = publish(url, `${width}x180`);
          await expect.poll(async () => (await look(page)).width, { timeout: 20_000, interval: 200 }).toBe(width);
          const { at, error } = await look(page);
          expect(error).toBeUndefined();
          await expect.poll(async () => (await look(page)).at, { timeout: 10_000 }).toBeGreaterThan(at + 0.5);
          const playlist = readMediaPlaylist(await (await fetch(address('hls/live/ten/v0.m3u8'))).text());
          sequences.push(playlist.mediaSequence + playlist.segments.length, playlist.discontinuitySequence);
        }
        const [newest, discontinuities] = [0, 1].map((offset) => sequences.filter((_, index) => index % 2 === offset));
        expect(newest).toEqual(newest!.toSorted((a, b) => a - b));
        expect(discontinuities).toEqual(discontinuities!.toSorted((a, b) => a - b));
        await page.close();
      },
      60_000 + publishers * 12_000,
    );
  });
}
