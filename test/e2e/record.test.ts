import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip, type Clip } from '../support/clip.ts';
import { startGateway } from '../support/gateway.ts';
import { expectUnchanged, packetsOf } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';

interface Probe {
  readonly format: { readonly duration?: string };
  readonly streams: readonly {
    readonly codec_name: string;
    readonly nb_read_packets: string;
    readonly start_time: string;
  }[];
}

async function probe(file: string): Promise<Probe> {
  const what = ['-show_entries', 'format=duration:stream=codec_name,nb_read_packets,start_time'];
  const args = ['-v', 'error', '-count_packets', ...what, '-of', 'json', file];
  const { stdout, stderr } = await run('ffprobe', args).finished;
  expect(stderr).toBe('');
  return JSON.parse(stdout.toString()) as Probe;
}

describe.skipIf(!has('ffmpeg'))(`Recordings of what FFmpeg publishes${missing('ffmpeg')}`, () => {
  let clip: Clip;

  beforeAll(async () => {
    clip = await makeClip(5);
  });

  afterAll(() => clip?.remove());

  /** One publication, recorded in four ways at once. */
  const RULES = {
    flv: { format: 'flv' },
    mp4: { format: 'mp4' },
    'split-flv': { format: 'flv', split: '2s' },
    'split-mp4': { format: 'mp4', split: '2s' },
  };

  beforeAll(async () => {
    const record = Object.entries(RULES).map(([directory, rule]) => ({
      match: 'live/*',
      directory: join(clip.folder, directory),
      ...rule,
    }));
    const gateway = await startGateway({ core: { grace: '100ms' }, record });
    await clip.publish(gateway.url('rtmp', 'live/cam'));
    await gateway.stop();
  });

  /** The recordings of one rule, oldest first. */
  async function recorded(directory: keyof typeof RULES): Promise<string[]> {
    const folder = join(clip.folder, directory, 'live');
    return (await readdir(folder)).sort().map((name) => join(folder, name));
  }

  it('as FLV have the packets that were sent, at their times, and say how long they are', async () => {
    const files = await recorded('flv');
    expect(files).toEqual([expect.stringMatching(/\/live\/cam-\d{8}T\d{6}\.\d{3}Z\.flv$/)]);
    expectUnchanged(await packetsOf(files[0]!), clip.packets, 0);
    await expectWhole(files[0]!);
  }, 60_000);

  it('as MP4 have the same packets', async () => {
    const files = await recorded('mp4');
    expect(files).toEqual([expect.stringMatching(/\.mp4$/)]);
    const [got, sent] = [await packetsOf(files[0]!), clip.packets];
    expect(withoutTimes(got.video)).toEqual(withoutTimes(sent.video));
    expect(withoutTimes(got.audio)).toEqual(withoutTimes(sent.audio));
    await expectWhole(files[0]!);
  }, 60_000);

  it.each(['split-flv', 'split-mp4'] as const)(
    'are split at a keyframe, %s, and lose nothing between the files',
    async (rule) => {
      const files = await recorded(rule);
      expect(files).toHaveLength(3);
      const parts = await Promise.all(files.map((file) => packetsOf(file)));
      expect(parts.flatMap(({ video }) => withoutTimes(video))).toEqual(withoutTimes(clip.packets.video));
      expect(parts.flatMap(({ audio }) => withoutTimes(audio))).toEqual(withoutTimes(clip.packets.audio));
      expect(parts.map(({ video }) => video.length)).toEqual([60, 60, 30]);
      for (const file of files) expect(Number((await probe(file)).streams[0]!.start_time)).toBeLessThan(0.1);
    },
    60_000,
  );

  it('go on in one file when the publisher returns within the grace time', async () => {
    const directory = join(clip.folder, 'again');
    const gateway = await startGateway({ core: { grace: '5s' }, record: [{ match: 'live/*', directory }] });
    await clip.publish(gateway.url('rtmp', 'live/cam'));
    await clip.publish(gateway.url('rtmp', 'live/cam'));
    await gateway.stop();
    const files = await readdir(join(directory, 'live'));
    expect(files).toHaveLength(1);
    const { video } = await packetsOf(join(directory, 'live', files[0]!));
    expect(withoutTimes(video)).toEqual([...withoutTimes(clip.packets.video), ...withoutTimes(clip.packets.video)]);
    await rm(directory, { recursive: true });
  }, 60_000);
});

async function expectWhole(file: string): Promise<void> {
  const { format, streams } = await probe(file);
  expect(Number(format.duration)).toBeCloseTo(5, 0);
  expect(streams.map(({ codec_name }) => codec_name)).toEqual(['h264', 'aac']);
}

function withoutTimes(packets: readonly string[]): string[] {
  return packets.map((packet) => packet.replace(/^\S+ /, ''));
}
