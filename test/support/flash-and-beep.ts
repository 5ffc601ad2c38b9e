import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { run, type Running } from './programs.ts';
import { WATCH_WHITE } from './white-pictures.ts';

/** How long in each second the picture is white and a tone sounds; the rest is black and silent. */
const MARK_S = 0.1;
const FPS = 60;

export interface Marks {
  /** With B-frames, as OBS sends them: pictures do not come in the order in which they are shown. */
  readonly reordered?: boolean;
  /** How late the beeps are. */
  readonly lateMs?: number;
}

function encoded({ reordered = false, lateMs = 0 }: Marks): string[] {
  const on = (t: string): string => `lt(mod(${t}\\,1)\\,${MARK_S})`;
  const picture = `color=black:size=320x180:rate=${FPS},drawbox=c=white:t=fill:enable='${on('t')}'`;
  const sound = `aevalsrc='0.8*sin(2*PI*1000*t)*${on(`t+1-${lateMs / 1000}`)}':s=48000`;
  const order = reordered ? ['-bf', '3'] : ['-tune', 'zerolatency'];
  return [
    ...['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', ...order, '-g', String(FPS), '-c:a', 'aac'],
  ];
}

/** Publishes flashes and beeps that begin together, once a second. */
export function publishMarks(url: string, marks: Marks = {}): Running {
  return run('ffmpeg', ['-v', 'error', '-re', ...encoded(marks), '-f', 'flv', url]);
}

/** The same, muxed by FFmpeg and played as a file: what this browser and the measuring make of it. Offsets as `measureMarks` tells them. */
export async function offsetsOfFile(browser: Browser, seconds: number): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-marks-'));
  const page = await browser.newPage();
  try {
    const file = join(folder, 'marks.mp4');
    await run('ffmpeg', ['-v', 'error', ...encoded({}), '-t', String(seconds + 10), file]).finished;
    const body = await readFile(file);
    await page.route('**/marks.mp4', (route) => route.fulfill({ body, contentType: 'video/mp4' }));
    const html = '<video src="/marks.mp4" autoplay muted></video>';
    await page.route('**/', (route) => route.fulfill({ body: html, contentType: 'text/html' }));
    await page.goto('http://marks.test/');
    await page.waitForTimeout(SETTLE_MS);
    return (await page.evaluate(measureMarks(seconds))) as number[];
  } finally {
    await page.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Until a player has found its pace. */
export const SETTLE_MS = 2_000;

/**
 * For the browser: watches for `seconds`, and tells by how many milliseconds each beep came after the flash beside it, both where
 * they leave the machine: the picture when it is due on the screen, the sound when it is due at the loudspeaker.
 */
export const measureMarks = (seconds: number): string => `(async () => {
  const video = document.querySelector('video');
  video.muted = false;
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  context.createMediaElementSource(video).connect(analyser).connect(context.destination);
  await context.resume();
  ${WATCH_WHITE}
  const flashes = [];
  const beeps = [];
  watchWhite(video, ({ expectedDisplayTime }) => flashes.push(expectedDisplayTime));
  const samples = new Float32Array(analyser.fftSize);
  let silentUntil = 0;
  const hear = () => {
    const end = context.currentTime;
    analyser.getFloatTimeDomainData(samples);
    const index = samples.findIndex((sample) => Math.abs(sample) > 0.2);
    const at = end - (samples.length - index) / context.sampleRate;
    if (index <= 0 || at < silentUntil) return;
    silentUntil = at + 0.5;
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    beeps.push(performanceTime + (at - contextTime) * 1000);
  };
  const timer = setInterval(hear, 50);
  await new Promise((resolve) => setTimeout(resolve, ${seconds * 1000}));
  clearInterval(timer);
  return beeps.flatMap((beep) => {
    const near = flashes.map((flash) => beep - flash).filter((offset) => Math.abs(offset) < 500);
    return near.length === 0 ? [] : [near[0]];
  });
})()`;
