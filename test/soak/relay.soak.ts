import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FLV_BACK_POINTER_BYTES, FLV_HEADER_BYTES, FLV_TAG_HEAD_BYTES, readFlvTagHead } from '../../src/media/flv.ts';
import { frameFromMessage, type Frame } from '../../src/media/index.ts';
import { dumpToEnd, playToEnd } from '../support/clip.ts';
import type { TestGateway } from '../support/gateway.ts';
import { keeping } from '../support/kept.ts';
import { expectUnchanged } from '../support/packets.ts';
import { has, missing } from '../support/programs.ts';
import { expectFromKeyframe, twoTargets } from '../support/relay-targets.ts';
import { TAIL_LOST_BY_FFMPEG } from '../support/sixteen-pairs.ts';

const PROGRAMS = ['ffmpeg', 'rtmpdump', 'nginx-rtmp', 'haproxy'] as const;
const CLIP_SECONDS = 75;
const DOWN_MS = 30_000;
const LIMIT_MS = 120_000;

/** The longest pause between attempts is 15 s, a quarter more or less; an attempt itself takes no time here. */
const BACK_WITHIN_MS = 20_000;

const { kept } = keeping();

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Looks ten times a second for how long a stream brought nothing new. */
function watchForGaps({ gateway }: TestGateway, path: string): { stop(): number } {
  let [frames, since, longest] = [0, performance.now(), 0];
  const timer = setInterval(() => {
    const now = gateway.streams().find(({ name }) => `${name.app}/${name.key}` === path)?.frames ?? 0;
    longest = frames === 0 || now === 0 ? 0 : Math.max(longest, performance.now() - since);
    if (now !== frames) since = performance.now();
    frames = now;
  }, 20);
  return { stop: () => (clearInterval(timer), Math.round(longest)) };
}

/** All of an FLV file, as it would have come over RTMP. */
async function framesIn(file: string): Promise<Frame[]> {
  const bytes = await readFile(file);
  const frames: Frame[] = [];
  for (let at = FLV_HEADER_BYTES; at + FLV_TAG_HEAD_BYTES <= bytes.length;) {
    const { type, size, timestamp } = readFlvTagHead(bytes.subarray(at))!;
    const payload = bytes.subarray(at + FLV_TAG_HEAD_BYTES, at + FLV_TAG_HEAD_BYTES + size);
    frames.push(frameFromMessage({ type, streamId: 1, timestamp, payload }));
    at += FLV_TAG_HEAD_BYTES + size + FLV_BACK_POINTER_BYTES;
  }
  return frames;
}

const timesOf = (frames: readonly Frame[], kind: Frame['kind']): number[] =>
  frames.filter((frame) => frame.kind === kind && !frame.isConfig).map(({ timestamp }) => timestamp);

describe.skipIf(!PROGRAMS.every(has))(`A target that is down for 30 s${missing(...PROGRAMS)}`, () => {
  it('gets its stream again at a keyframe, with everything that belongs before it, and nobody else notices', async () => {
    const { clip, nginx, target, source } = await twoTargets(CLIP_SECONDS, kept);
    const link = () => source.gateway.relays()[0]!.links[0]!;
    const unbroken = playToEnd(target.url('rtmp', 'copy/show'), LIMIT_MS);
    await target.until(() => target.subscribers('copy/show') === 1);
    const gaps = watchForGaps(target, 'copy/show');
    const begun = performance.now();
    const publishing = clip
      .publish(source.url('rtmpt', 'live/show'), LIMIT_MS)
      .then(() => Math.round(performance.now() - begun));
    await nginx.has('show', 1);
    await pause(5_000);
    await nginx.kill();
    await source.until(() => link().state !== 'live');
    await pause(DOWN_MS);
    const { attempts } = link();
    await nginx.start();
    const backAt = performance.now();
    const file = join(clip.folder, 'resumed.flv');
    const resumed = [
      playToEnd(`${nginx.url}/live/show`, LIMIT_MS),
      dumpToEnd(`${nginx.url}/live/show`, file, LIMIT_MS),
    ] as const;
    await source.until(() => link().state === 'live', BACK_WITHIN_MS);
    const resumedMs = Math.round(performance.now() - backAt);
    const publishedMs = await publishing;
    const longestGapMs = gaps.stop();

    expectUnchanged(await unbroken, clip.packets, TAIL_LOST_BY_FFMPEG.rtmpt);
    const start = expectFromKeyframe(await resumed[0], clip.packets, TAIL_LOST_BY_FFMPEG.rtmpt);
    await resumed[1];
    const frames = await framesIn(file);
    const firstPicture = frames.findIndex(({ kind, isConfig }) => kind === 'video' && !isConfig);
    const before = frames.slice(0, firstPicture).map(({ configKey, kind }) => configKey ?? kind);
    expect(before).toEqual(expect.arrayContaining(['data:onMetaData', 'video:0:header', 'audio:0:header']));
    expect(frames[firstPicture]).toMatchObject({ isKeyframe: true });
    for (const kind of ['video', 'audio'] as const) {
      const times = timesOf(frames, kind);
      expect(times[0]).toBeLessThan(1_000);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
    expect(longestGapMs).toBeLessThan(1_000);
    expect(publishedMs).toBeLessThan(CLIP_SECONDS * 1_000 + 3_000);
    const figures = { attempts, resumedMs, start, publishedMs, longestGapMs, firstTime: timesOf(frames, 'video')[0] };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  });
});
