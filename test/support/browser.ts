import { chromium, type Browser, type Page } from 'playwright-core';

/** What the page to watch shows of its player. */
export interface Watched {
  /** Seconds of the media that was played. */
  readonly at: number;
  readonly width: number;
  readonly state: string;
  /** Seconds behind the publisher, as the page says. */
  readonly behind: number;
  readonly error: string | undefined;
}

/** A real Chromium that plays by itself. */
export async function openBrowser(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--autoplay-policy=no-user-gesture-required'];
  return chromium.launch({ executablePath: '/usr/bin/chromium', args });
}

/** A watched page, and what its console complained of. `prepare`: routes, which a page that has begun to load heeds by chance only. */
export async function openPage(
  browser: Browser,
  url: string,
  prepare: (page: Page) => Promise<unknown> = () => Promise.resolve(),
): Promise<{ page: Page; complaints: string[] }> {
  const complaints: string[] = [];
  const page = await browser.newPage({ viewport: { width: 1000, height: 900 } });
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
  await prepare(page);
  await page.goto(url, { waitUntil: 'commit' });
  return { page, complaints };
}

/** Text for the browser: the tests' own compiler knows no page. */
const LOOK = `(() => {
  const video = document.querySelector('video');
  return {
    at: video.currentTime,
    width: video.videoWidth,
    state: document.querySelector('main').dataset.state,
    behind: parseFloat(document.getElementById('latency').textContent),
    error: video.error ? video.error.message : undefined,
  };
})()`;

export async function look(page: Page): Promise<Watched> {
  return page.evaluate(LOOK);
}
