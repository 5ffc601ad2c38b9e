import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AudioClock } from '../../../src/delivery/fmp4/audio-clock.ts';
import { FragmentMuxer } from '../../../src/delivery/fmp4/muxer.ts';
import type { PartPlan } from '../../../src/delivery/hls/part-plan.ts';
import { Segmenter } from '../../../src/delivery/hls/segmenter.ts';
import { audioConfig, frameFromMessage, packetsOf, type Frame, type MediaPacket } from '../../../src/media/index.ts';
import { enhancedClip } from '../../support/enhanced-clip.ts';
import { bytes, text } from '../../support/hls-files.ts';
import { hlsStage, type HlsStage } from '../../support/hls-stage.ts';
import { readMediaPlaylist } from '../../support/hls-validator.ts';
import { has, missing, run } from '../../support/programs.ts';

/** One packet: its size and when it is shown or heard, milliseconds. */
interface Timed {
  readonly size: number;
  readonly at: number;
}

/** What RTMP's whole milliseconds and a sample's length may make of a time. */
const ROUNDING_MS = 1.1;

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The packets of a fragmented MP4 as FFmpeg reads them, in their order. */
async function packetsIn(media: Buffer): Promise<Record<'video' | 'audio', Timed[]>> {
  const file = join(folder, 'timed.mp4');
  await writeFile(file, media);
  const entries = 'packet=codec_type,pts_time,size';
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'csv=p=0', file]).finished;
  const rows = stdout
    .toString()
    .trim()
    .split('\n')
    .map((row) => row.split(','));
  const of = (type: string): Timed[] =>
    rows.filter(([kind]) => kind === type).map(([, pts, size]) => ({ size: Number(size), at: Number(pts) * 1000 }));
  return { video: of('video'), audio: of('audio') };
}

/** What the publisher sent, by its own times. */
function sent(frames: readonly Frame[], kind: 'audio' | 'video'): Timed[] {
  const timed = ({ compositionMs, data }: MediaPacket, at: number): Timed => ({
    size: data.length,
    at: at + compositionMs,
  });
  return frames
    .filter((frame) => frame.kind === kind && !frame.isConfig)
    .flatMap((frame) => packetsOf(frame).map((packet) => timed(packet, frame.timestamp)));
}

/** How much later each packet is than its publisher said; the two lists are the same from some packet on. */
function shifts(received: readonly Timed[], source: readonly Timed[]): number[] {
  const sizes = (list: readonly Timed[]): string => list.map(({ size }) => size).join();
  const first = source.findIndex((_, index) => sizes(source.slice(index, index + 12)) === sizes(received.slice(0, 12)));
  expect(first).toBeGreaterThanOrEqual(0);
  return received.map(({ at, size }, index) => {
    expect(size).toBe(source[first + index]!.size);
    return at - source[first + index]!.at;
  });
}

function moved({ type, timestamp, payload }: Frame, by: number): Frame {
  return frameFromMessage({ type, streamId: 1, timestamp: (timestamp + by) >>> 0, payload });
}

describe.skipIf(!has('ffmpeg'))(`Sound and picture in HLS${missing('ffmpeg')}`, () => {
  let stage: HlsStage;
  afterEach(() => stage?.stop());

  /** The media of each run between discontinuities, once `count` of them have segments. */
  async function runsOf(frames: readonly Frame[], count: number): Promise<Buffer[]> {
    stage = await hlsStage({ segmentMs: 1_000, window: 30, always: true });
    stage.send(stage.publish('one'), frames);
    const url = `${stage.url}/live/one`;
    const read = async () => readMediaPlaylist(await text(`${url}/v0.m3u8`)).segments;
    await expect.poll(async () => (await read()).at(-1)?.discontinuities).toBe(count - 1);
    const runs: Buffer[][] = [];
    for (const { init, uri, discontinuities } of await read()) {
      runs[discontinuities] ??= [await bytes(`${url}/${init}`)];
      runs[discontinuities].push(await bytes(`${url}/${uri}`));
    }
    return runs.map((pieces) => Buffer.concat(pieces));
  }

  it.each([
    [0, 48_000, 0],
    [3, 48_000, 0],
    [3, 44_100, 0],
    [3, 44_100, 137],
    [0, 44_100, -250],
    [2, 22_050, 0],
  ])(
    'are as far apart as RTMP has them: %i B-frames, %i Hz, sound %i ms late',
    async (bframes, sampleRate, late) => {
      const clip = await enhancedClip(folder, { video: 'avc1', audio: 'mp4a', bframes, sampleRate, seconds: 6 });
      const frames = clip.map((frame) =>
        moved(frame, frame.isConfig ? 0 : 1_000 + (frame.kind === 'audio' ? late : 0)),
      );
      frames.sort((a, b) => a.timestamp - b.timestamp);
      const [media] = await runsOf(frames, 1);
      const received = await packetsIn(media!);
      const pictures = shifts(received.video, sent(frames, 'video'));
      const sounds = shifts(received.audio, sent(frames, 'audio'));
      expect(received.video.length).toBeGreaterThan(100);
      expect(Math.max(...pictures) - Math.min(...pictures)).toBeLessThan(ROUNDING_MS);
      for (const shift of sounds) expect(Math.abs(shift - pictures[0]!)).toBeLessThan(ROUNDING_MS);
    },
    30_000,
  );

  it("are after each discontinuity, and across the wrap of RTMP's times", async () => {
    const clip = await enhancedClip(folder, {
      video: 'avc1',
      audio: 'mp4a',
      bframes: 3,
      sampleRate: 44_100,
      seconds: 4,
    });
    const [headers, media] = [clip.filter(({ isConfig }) => isConfig), clip.filter(({ isConfig }) => !isConfig)];
    const at = [2 ** 32 - 2_000, 500_000, 100_000];
    const pieces = at.map((by) => media.map((frame) => moved(frame, by)));
    const runs = await runsOf([...headers, ...pieces.flat()], 3);
    for (const [index, bytesOfRun] of runs.entries()) {
      const received = await packetsIn(bytesOfRun);
      const source = media.map((frame) => moved(frame, 0));
      const pictures = shifts(received.video, sent(source, 'video'));
      const sounds = shifts(received.audio, sent(source, 'audio'));
      expect(received.video.length, `run ${index}`).toBeGreaterThan(60);
      for (const shift of [...sounds, ...pictures]) expect(Math.abs(shift - pictures[0]!)).toBeLessThan(ROUNDING_MS);
    }
  }, 30_000);
});

const TRACKS = {
  video: { codec: 'vp9', codecString: 'vp09.00.10.08', width: 320, height: 240, description: undefined },
  audio: audioConfig('mp4a', Buffer.from([0x12, 0x10])),
} as const;

/** Many hours of pictures and sound, by whole milliseconds; no bytes to speak of. */
function cut(hours: number, truncate: (ms: number) => number): PartPlan[] {
  const segmenter = new Segmenter(TRACKS, { partMs: 333, segmentMs: 2_000 });
  const clock = new AudioClock();
  const [data, packetMs] = [Buffer.alloc(1), 1024 / 44.1];
  const plans: (PartPlan | undefined)[] = [];
  for (let picture = 0, packet = 0; picture < hours * 3600 * 25; picture++) {
    const at = picture * 40;
    for (; packet * packetMs < at; packet++) {
      const placed = clock.place(truncate(packet * packetMs), packetMs);
      plans.push(segmenter.addAudio({ data, at: placed, duration: packetMs }));
    }
    plans.push(segmenter.addVideo({ data, isKeyframe: picture % 50 === 0, dts: at, pts: at }));
  }
  return plans.filter((plan) => plan !== undefined);
}

describe('An hour of sound at 44.1 kHz', () => {
  it.each([
    ['rounded', Math.round],
    ['cut off', Math.floor],
  ] as const)('stays where it was in RTMP, whose times are %s to milliseconds', (_, truncate) => {
    const plans = cut(1, truncate);
    let [packet, worst, strays] = [0, 0, 0];
    for (const { audio, start, duration } of plans) {
      for (const { at } of audio) {
        worst = Math.max(worst, Math.abs(at - (packet++ * 1024) / 44.1));
        if (at >= start + duration || at < start - 25) strays++;
      }
    }
    expect(worst).toBeLessThan(1);
    expect(strays).toBe(0);
    expect(packet).toBeGreaterThan(155_000);
  });

  it.skipIf(!has('ffmpeg'))(`is muxed at its time, also after ten hours${missing('ffmpeg')}`, async () => {
    const muxer = await FragmentMuxer.open(TRACKS, 0);
    const start = 36_000_000;
    const packetMs = 1024 / 44.1;
    const coded = (at: number, duration: number) => ({ data: Buffer.alloc(9, 1), isKeyframe: true, at, duration });
    const parts: Buffer[] = [];
    for (let part = 0; part < 30; part++) {
      const video = Array.from({ length: 8 }, (_, i) => coded(start + (part * 8 + i) * 40, 40));
      const audio = Array.from({ length: 14 }, (_, i) => coded(start + (part * 14 + i) * packetMs, packetMs));
      const { init, data } = await muxer.mux({ video, audio });
      if (part === 0) parts.push(init);
      parts.push(data);
    }
    await muxer.close();
    const { video, audio } = await packetsIn(Buffer.concat(parts));
    expect([video.length, audio.length]).toEqual([240, 420]);
    for (const [index, { at }] of video.entries()) expect(Math.abs(at - start - index * 40)).toBeLessThan(0.05);
    for (const [index, { at }] of audio.entries()) expect(Math.abs(at - start - index * packetMs)).toBeLessThan(0.05);
  });
});
