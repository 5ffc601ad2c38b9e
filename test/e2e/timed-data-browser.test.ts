import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../src/media/index.ts';
import type { Message } from '../../src/protocol/index.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { dateRangeFaults } from '../support/date-ranges.ts';
import { FLASH_EVERY_MS, flashingClip, NOTE_FLASHES, TELL_FLASHES, type Told } from '../support/flashes.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { text } from '../support/hls-files.ts';
import { publishLive } from '../support/live-publisher.ts';
import { has, missing } from '../support/programs.ts';
import { spliceInsert } from '../support/splices.ts';
import { adCue, cue } from '../support/timed.ts';

const SECONDS = 20;
const BREAK_AT = 8_000;

/** A cue for each flash, and a break that begins with one of them and ends with the next. */
function withCues(clip: readonly Message[]): Message[] {
  const flashes = Array.from({ length: (SECONDS * 1000) / FLASH_EVERY_MS }, (_, index) => index * FLASH_EVERY_MS);
  const cues = flashes.slice(1).map((time) => cue(time, `flash ${time / FLASH_EVERY_MS}`));
  const out = adCue(BREAK_AT - 1_500, spliceInsert(7, { seconds: 2 }), BREAK_AT / 1000);
  const back = adCue(BREAK_AT + FLASH_EVERY_MS, spliceInsert(7, { out: false }));
  const data = [...cues, out, back].map(({ type, timestamp, payload }: Frame) => ({
    type,
    timestamp,
    payload,
    streamId: 1,
  }));
  return [...clip, ...data].toSorted((a, b) => a.timestamp - b.timestamp);
}

describe.skipIf(!has('ffmpeg') || !has('chromium'))(
  `Timed data in Chromium with hls.js${missing('ffmpeg', 'chromium')}`,
  () => {
    let folder: string;
    let browser: Browser;
    let gateway: TestGateway;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
      browser = await openBrowser();
      gateway = await startGateway();
    });

    afterAll(async () => {
      await browser?.close();
      await gateway?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    it('cues and breaks are less than 100 ms from the pictures they belong to', async () => {
      const clip = await flashingClip(folder, SECONDS);
      const publisher = await publishLive(gateway, 'live', 'flash', withCues(clip));
      try {
        await gateway.until(() => gateway.publishing('live/flash'));
        const web = `http://127.0.0.1:${gateway.ports.http}`;
        const { page, complaints } = await openPage(browser, `${web}/watch/live/flash`);
        await page.evaluate(NOTE_FLASHES);
        const told = async (): Promise<Told> => page.evaluate(TELL_FLASHES);
        // The playlist is ahead of the picture.
        const isOver = ({ cues, flashes }: Told): boolean => {
          const end = cues.find(({ key }) => key === 'SCTE35-OUT')?.end ?? Infinity;
          return flashes.length >= 4 && flashes.at(-1)! > end - FLASH_EVERY_MS / 4_000;
        };
        await expect.poll(async () => isOver(await told()), { timeout: 25_000, interval: 200 }).toBe(true);
        const playlist = await text(`${web}/hls/live/flash/v0.m3u8`);
        expect(dateRangeFaults(playlist)).toEqual([]);
        const { cues, flashes } = await told();
        const distance = (at: number): number =>
          Math.min(...flashes.map((flash) => Math.round(Math.abs(flash - at) * 1000)));
        const events = cues.filter(({ key }) => key === 'TXXX');
        expect(new Set(events.map(({ info }) => info))).toEqual(new Set(['onCuePoint']));
        const names = events.map(({ data }) => (JSON.parse(String(data)) as { name: string }).name);
        expect(new Set(names).size).toBe(names.length);
        const last = flashes.at(-1)! + 0.5;
        const seen = events.filter(({ at }) => at > flashes[0]! - 0.5 && at < last).map(({ at }) => distance(at));
        const [out, back] = ['SCTE35-OUT', 'SCTE35-IN'].map((name) => cues.find(({ key }) => key === name)!);
        process.stdout.write(
          `cues from their pictures: ${seen.join(' ')} ms; the break ${distance(out!.at)} ms, to ${distance(out!.end!)} ms\n`,
        );
        // A busy machine shows a picture late now and then, and never early: in the middle it tells the truth.
        const median = seen.toSorted((a, b) => a - b)[Math.floor(seen.length / 2)]!;
        expect(seen.length).toBeGreaterThanOrEqual(flashes.length - 1);
        expect(median).toBeLessThan(100);
        const named = (time: number) => events[names.indexOf(`flash ${time / FLASH_EVERY_MS}`)]!.at;
        expect(Math.abs(out!.at - named(BREAK_AT))).toBeLessThan(0.1);
        expect(Math.abs(out!.end! - named(BREAK_AT + FLASH_EVERY_MS))).toBeLessThan(0.1);
        expect([out!.data, back!.data]).toEqual([0xfc, 0xfc]);
        expect(complaints).toEqual([]);
        await page.close();
      } finally {
        publisher.stop();
      }
    }, 60_000);
  },
);
