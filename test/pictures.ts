/** The pictures in `docs/`: `npm run pictures` makes them anew with FFmpeg and Chromium, of the pages as they are. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { look, openBrowser } from './support/browser.ts';
import { startGateway, type TestGateway } from './support/gateway.ts';
import { run } from './support/programs.ts';
import { ROOT } from './support/sources.ts';

interface Picture {
  readonly file: string;
  readonly path: string;
  readonly colorScheme: 'light' | 'dark';
  readonly size: { readonly width: number; readonly height: number };
}

const DESK = { width: 1000, height: 890 };
const PHONE = { width: 390, height: 844 };
const WATCH = 'watch/live/stream';

const PICTURES: readonly Picture[] = [
  { file: 'front.png', path: '', colorScheme: 'light', size: DESK },
  { file: 'front-phone.png', path: '', colorScheme: 'dark', size: PHONE },
  { file: 'watch.png', path: WATCH, colorScheme: 'light', size: DESK },
  { file: 'watch-phone.png', path: WATCH, colorScheme: 'dark', size: PHONE },
];

/** Seconds that a stream has played when its picture is taken: the figures below it have settled. */
const SETTLED = 5;

async function untilSettled(page: Page): Promise<void> {
  while ((await look(page)).state !== 'live') await page.waitForTimeout(250);
  const { at: start } = await look(page);
  while ((await look(page)).at < start + SETTLED) await page.waitForTimeout(250);
}

async function take(browser: Browser, { url }: { readonly url: string }, picture: Picture): Promise<void> {
  const { colorScheme, size: viewport, path, file } = picture;
  const page = await browser.newPage({ viewport, colorScheme, deviceScaleFactor: 1 });
  await page.goto(`${url}/${path}`, { waitUntil: 'commit' });
  if (path === WATCH) await untilSettled(page);
  await page.screenshot({ path: join(ROOT, 'docs', file), fullPage: viewport !== PHONE });
  await page.close();
}

async function takeAll(browser: Browser, gateway: TestGateway): Promise<void> {
  const publisher = run('ffmpeg', [
    ...['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30'],
    ...[
      '-f',
      'lavfi',
      '-i',
      'sine=440:sample_rate=48000',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
    ],
    ...['-g', '60', '-b:v', '2500k', '-c:a', 'aac', '-f', 'flv', gateway.url('rtmp', 'live/stream')],
  ]);
  try {
    await gateway.until(() => gateway.publishing('live/stream'));
    for (const picture of PICTURES) await take(browser, { url: `http://localhost:${gateway.ports.http}` }, picture);
  } finally {
    publisher.child.kill();
    await publisher.finished;
  }
}

const browser = await openBrowser();
// The usual ports: they are on the pictures.
const gateway = await startGateway({ listen: [1935, 8080, 8443].map((port) => ({ host: '127.0.0.1', port })) });
try {
  await takeAll(browser, gateway);
} finally {
  await browser.close();
  await gateway.stop();
}
