import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Message } from '../../src/protocol/index.ts';
import { flvTagsIn } from './flv-tags.ts';
import { run } from './programs.ts';
import { WATCH_WHITE } from './white-pictures.ts';

/** How far the flashes are apart, and how long each lasts. */
export const FLASH_EVERY_MS = 2_000;
const FLASH_MS = 300;
const FPS = 25;

/** A black picture that flashes white every two seconds, and a tone: as FFmpeg would publish it. */
export async function flashingClip(folder: string, seconds: number): Promise<Message[]> {
  const file = join(folder, 'flashes.flv');
  const when = `enable='lt(mod(t\\,${FLASH_EVERY_MS / 1000})\\,${FLASH_MS / 1000})'`;
  const picture = `color=black:size=320x192:rate=${FPS},drawbox=color=white:t=fill:${when}`;
  const { code, stderr } = await run('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', 'sine=440:sample_rate=48000'],
    ...['-t', String(seconds), '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(FPS)],
    ...['-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '64k', '-f', 'flv', file],
  ]).finished;
  if (code !== 0) throw new Error(stderr);
  const messages = flvTagsIn(await readFile(file)).map((tag) => ({ ...tag, streamId: 1 }));
  // FFmpeg begins where the sound's lead-in does.
  const first = Math.min(
    ...messages.filter(({ type, payload }) => type === 9 && payload[1] === 1).map((one) => one.timestamp),
  );
  return messages.map((message) => ({ ...message, timestamp: Math.max(0, message.timestamp - first) }));
}

/** For the browser: notes from now on in `flashes` when a white picture follows a black one, in seconds of media. */
export const NOTE_FLASHES = `(() => {
  ${WATCH_WHITE}
  window.flashes = [];
  watchWhite(document.querySelector('video'), ({ mediaTime }) => window.flashes.push(mediaTime));
})()`;

/** For the browser: the flashes so far, and all cues of the video's metadata track. */
export const TELL_FLASHES = `(() => {
  const tracks = [...document.querySelector('video').textTracks].filter(({ kind }) => kind === 'metadata');
  const plain = (data) => (data instanceof ArrayBuffer ? new Uint8Array(data)[0] : data);
  const cues = tracks.flatMap(({ cues }) => [...(cues || [])]).map((cue) => ({
    at: cue.startTime, end: Number.isFinite(cue.endTime) ? cue.endTime : null, type: cue.type, key: cue.value.key, info: cue.value.info, data: plain(cue.value.data),
  }));
  return { flashes: window.flashes, cues };
})()`;

export interface Told {
  readonly flashes: readonly number[];
  readonly cues: readonly {
    readonly at: number;
    readonly end: number | null;
    readonly type: string;
    readonly key: string;
    readonly info?: string;
    readonly data: unknown;
  }[];
}
