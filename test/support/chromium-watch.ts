import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser, Page, Route } from 'playwright-core';
import { measureMarks, offsetsOfFile, publishMarks, SETTLE_MS, type Marks } from './flash-and-beep.ts';
import { look, openBrowser, openPage } from './browser.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { readMediaPlaylist } from './hls-validator.ts';
import { publishClock, READ_DELAY } from './time-picture.ts';
import { has, missing, run, type Running } from './programs.ts';

/** How long it is watched, and how many publishers follow each other on it. */
export interface BrowserRun {
  readonly watchSeconds: number;
  readonly publishers: number;
  /** How long flashes and beeps are compared. */
  readonly markSeconds: number;
  readonly thorough: boolean;
}

/** Streams whose sound and picture are compared; the last proves that a difference is seen. */
const MARKS = { reordered: { reordered: true }, inOrder: {}, late: { lateMs: 100 } } as const satisfies Record<
  string,
  Marks
>;

/** The name of a segment, and behind it no parts of another. */
const WHOLE_AT_END = /(\n[^#\n]+\n)(?:#EXT-X-PRELOAD-HINT.*\n)?$/;

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!);
}

function publish(url: string, size: string, seconds: number): Running {
  const args = [
    ...['-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`],
    ...['-f', 'lavfi', '-i', 'sine=440:sample_rate=48000', '-c:v', 'libx264', '-preset', 'ultrafast'],
    ...['-tune', 'zerolatency', '-g', '30', '-b:v', '400k', '-c:a', 'aac', '-f', 'flv', url],
  ];
  return run('ffmpeg', args, 60_000 + seconds * 1_000);
}

/** A stream on the page to watch, in Chromium. */
export function testInChromium({ watchSeconds, publishers, markSeconds, thorough }: BrowserRun): void {
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
        publisher = publish(gateway.url('rtmp', 'live/page'), '640x360', watchSeconds);
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

    it('says when a stream has ended, and plays the next', async () => {
      publisher = publish(gateway.url('rtmp', 'live/end'), '320x180', 0);
      await gateway.until(() => gateway.publishing('live/end'));
      let isOver = false;
      let last: string | undefined;
      // As the gateway does when a publisher leaves: a whole segment, nothing behind it, and a minute later the end.
      const answer = async (route: Route): Promise<void> => {
        const response = await route.fetch();
        const text = await response.text();
        const end = last?.replace(WHOLE_AT_END, '$1#EXT-X-ENDLIST\n');
        if (isOver && WHOLE_AT_END.test(text)) last ??= text;
        if (end !== undefined) await pause(1_000);
        await route.fulfill({ response, body: isOver ? (end ?? last ?? text) : text });
      };
      const prepare = (page: Page) => page.route('**/v0.m3u8*', answer);
      const { page } = await openPage(browser, address('watch/live/end'), prepare);
      const state = async (): Promise<string> => (await look(page)).state;
      await expect.poll(state, { timeout: 15_000 }).toBe('live');
      isOver = true;
      await expect.poll(() => page.textContent('#state'), { timeout: 15_000 }).toContain('has ended');
      await page.waitForTimeout(3_000);
      expect(await state()).toBe('waiting');
      isOver = false;
      await expect.poll(state, { timeout: 15_000 }).toBe('live');
      // There is always a request under way: for what comes next.
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      await page.close();
    }, 60_000);

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
        process.stdout.write(`glass to glass: ${median(delays)} ms (${delays.join(' ')})\n`);
        expect(median(delays)).toBeLessThan(3_000);
        await page.close();
      } finally {
        clock.stop();
      }
    }, 60_000);

    it(
      'keeps sound and picture within 40 ms of each other',
      async () => {
        // The browser's own ways to screen and loudspeaker are not of one length: what a plain file has is not ours.
        const ofFile = median(await offsetsOfFile(browser, markSeconds));
        for (const [name, marks] of Object.entries<Marks>(MARKS).slice(0, thorough ? Infinity : 1)) {
          const offset = median(await offsetsOfStream(`live/${name}`, marks)) - ofFile;
          process.stdout.write(
            `sound behind picture, ${name}: ${offset} ms more than in a plain file (${ofFile} ms)\n`,
          );
          expect(Math.abs(offset - (marks.lateMs ?? 0))).toBeLessThan(40);
        }
      },
      60_000 + markSeconds * 5_000,
    );

    async function offsetsOfStream(path: string, marks: Marks): Promise<number[]> {
      publisher = publishMarks(gateway.url('rtmp', path), marks);
      await gateway.until(() => gateway.publishing(path));
      const { page } = await openPage(browser, address(`watch/${path}`));
      await expect.poll(async () => (await look(page)).state, { timeout: 15_000 }).toBe('live');
      await page.waitForTimeout(SETTLE_MS);
      const offsets = (await page.evaluate(measureMarks(markSeconds))) as number[];
      await page.close();
      publisher.child.kill();
      await publisher.finished;
      expect(offsets.length).toBeGreaterThan(markSeconds / 2);
      return offsets;
    }

    it(
      `goes on while ${publishers} publishers with as many sizes follow each other`,
      async () => {
        const url = gateway.url('rtmp', 'live/ten');
        const sequences: number[] = [];
        publisher = publish(url, '320x180', 0);
        await gateway.until(() => gateway.publishing('live/ten'));
        const { page } = await openPage(browser, address('watch/live/ten'));
        await expect.poll(async () => (await look(page)).at, { timeout: 15_000 }).toBeGreaterThan(0.5);
        for (let round = 1; round <= publishers; round++) {
          const width = 320 + 32 * round;
          publisher.child.kill('SIGKILL');
          await publisher.finished;
          publisher = publish(url, `${width}x180`, 0);
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
