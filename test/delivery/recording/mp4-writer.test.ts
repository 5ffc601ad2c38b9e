import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Mp4Writer } from '../../../src/delivery/recording/mp4-writer.ts';
import { DISK } from '../../../src/delivery/recording/store.ts';
import { NO_LOG } from '../../../src/log.ts';
import { frameFromMessage, packetsOf as packetsIn, type Frame, type MediaPacket } from '../../../src/media/index.ts';
import { makeCodedClip } from '../../support/coded-clip.ts';
import { packetsOf } from '../../support/packets.ts';
import { has, missing, run } from '../../support/programs.ts';
import { recordingLog } from '../../support/recording-log.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-mp4-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const AAC = ['-c:a', 'aac'];
const OPUS = ['-c:a', 'libopus', '-strict', '-2'];

const KINDS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['AVC with B-frames and AAC', ['-c:v', 'libx264', '-g', '25', '-bf', '3'], AAC],
  ['AVC with one keyframe and Opus', ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250'], OPUS],
  [
    'HEVC with open groups of pictures and AAC',
    [
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-tag:v',
      'hvc1',
      '-x265-params',
      'keyint=25:open-gop=1:bframes=3:log-level=none',
    ],
    AAC,
  ],
  ['AV1 and Opus', ['-c:v', 'libsvtav1', '-preset', '12', '-g', '25'], OPUS],
  ['VP9 and Opus', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '25'], OPUS],
  ['AVC and MP3', ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'], ['-c:a', 'libmp3lame']],
  ['AVC and FLAC', ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'], ['-c:a', 'flac', '-strict', '-2']],
  ['AC-3 of six channels', ['-vn'], ['-c:a', 'ac3', '-ac', '6']],
  ['AVC and E-AC-3', ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'], ['-c:a', 'eac3']],
  ['sound alone', ['-vn'], AAC],
  ['pictures alone', ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'], ['-an']],
];

describe.skipIf(!has('ffmpeg'))(`A recording as MP4${missing('ffmpeg')}`, () => {
  it.each(KINDS)(
    'holds %s, packet for packet, and FFmpeg decodes it without complaint',
    async (_, video, audio) => {
      const clip = await makeCodedClip(join(folder, 'source.mp4'), video, audio);
      const file = await DISK.create(folder, [], 'recorded', 'mp4');
      const writer = new Mp4Writer(file, clip.headers, NO_LOG);
      for (const frame of clip.frames) {
        writer.add(frame, frame.timestamp);
        await writer.flush();
      }
      await writer.close();
      const [recorded, source] = [await packetsOf(file.path), await packetsOf(clip.file)];
      expect(withoutTimes(recorded.video)).toEqual(withoutTimes(source.video));
      expect(withoutTimes(recorded.audio)).toEqual(withoutTimes(source.audio));
      const decoded = await run('ffmpeg', ['-v', 'warning', '-xerror', '-i', file.path, '-f', 'null', '-']).finished;
      expect(decoded.stderr).toBe('');
      const shown = await run('ffprobe', [
        '-v',
        'error',
        '-show_entries',
        'format=duration',
        '-of',
        'csv=p=0',
        file.path,
      ]).finished;
      expect(Number(shown.stdout.toString())).toBeGreaterThan(1.8);
      expect(Number(shown.stdout.toString())).toBeLessThan(2.3);
      rmSync(file.path);
    },
    60_000,
  );

  it('has every picture at its time, B-frames too', async () => {
    const clip = await makeCodedClip(join(folder, 'times.mp4'), ['-c:v', 'libx264', '-g', '25', '-bf', '3'], ['-an']);
    const file = await DISK.create(folder, [], 'times-recorded', 'mp4');
    const writer = new Mp4Writer(file, clip.headers, NO_LOG);
    for (const frame of clip.frames) writer.add(frame, frame.timestamp);
    await writer.close();
    const times = await presentationTimes(file.path);
    const steps = times.slice(1).map((time, index) => Math.round((time - times[index]!) * 1000));
    expect(new Set(steps)).toEqual(new Set([40]));
  }, 60_000);

  it.each([0, 3])(
    'has sound as far from the picture as RTMP had it: %i B-frames',
    async (bframes) => {
      const video = ['-c:v', 'libx264', '-g', '25', '-bf', String(bframes)];
      const clip = await makeCodedClip(join(folder, 'sync.mp4'), video, AAC);
      const file = await DISK.create(folder, [], `sync-${bframes}`, 'mp4');
      const writer = new Mp4Writer(file, clip.headers, NO_LOG);
      for (const frame of clip.frames) writer.add(frame, frame.timestamp);
      await writer.close();
      const [pictures, sounds] = [await presentationTimes(file.path, 'v'), await presentationTimes(file.path, 'a')];
      const sent = (kind: string) =>
        clip.frames
          .filter((frame) => frame.kind === kind)
          .map((frame) => frame.timestamp + packetOf(frame).compositionMs);
      const apart = Math.min(...sent('video')) - Math.min(...sent('audio'));
      expect(Math.abs((pictures[0]! - sounds[0]!) * 1000 - apart)).toBeLessThan(2);
    },
    60_000,
  );

  it('has the picture of OBS before 29.1, which sent HEVC under the id of AVC', async () => {
    const video = ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', 'log-level=none'];
    const clip = await makeCodedClip(join(folder, 'old-obs.mp4'), video, ['-an']);
    const old = [...clip.headers, ...clip.frames].map((frame) => {
      const { role, isKeyframe, data } = packetOf(frame);
      const head = Buffer.from([isKeyframe || role === 'config' ? 0x17 : 0x27, role === 'config' ? 0 : 1, 0, 0, 0]);
      const payload = Buffer.concat([head, data]);
      return frameFromMessage({ type: 9, streamId: 1, timestamp: frame.timestamp, payload });
    });
    const file = await DISK.create(folder, [], 'old-obs-recorded', 'mp4');
    const writer = new Mp4Writer(file, old.slice(0, 1), NO_LOG);
    for (const frame of old.slice(1)) writer.add(frame, frame.timestamp);
    await writer.close();
    expect((await packetsOf(file.path)).video).toHaveLength(50);
  }, 60_000);

  it('writes the sound on while no picture comes, and the pictures when they come again', async () => {
    const clip = await makeCodedClip(join(folder, 'camera-off.mp4'), ['-c:v', 'libx264', '-g', '25'], AAC);
    const file = await DISK.create(folder, [], 'camera-off-recorded', 'mp4');
    const writer = new Mp4Writer(file, clip.headers, NO_LOG);
    const media = (shift: number, wanted: (frame: Frame) => boolean) =>
      clip.frames.filter(wanted).map((frame) => [frame, frame.timestamp + shift] as const);
    const all = [
      ...media(0, () => true),
      ...Array.from({ length: 15 }, (_, i) => media(2_000 * (i + 1), ({ kind }) => kind === 'audio')).flat(),
    ];
    for (const [frame, at] of all) {
      writer.add(frame, at);
      await writer.flush();
    }
    const written = (await stat(`${file.path}.part`)).size;
    const sound = clip.frames
      .filter(({ kind }) => kind === 'audio')
      .reduce((sum, { payload }) => sum + payload.length, 0);
    expect(written).toBeGreaterThan(12 * sound);
    for (const [frame, at] of media(32_000, () => true)) writer.add(frame, at);
    await writer.close();
    const { video } = await packetsOf(file.path);
    expect(video).toHaveLength(100);
    const decoded = await run('ffmpeg', ['-v', 'warning', '-xerror', '-i', file.path, '-f', 'null', '-']).finished;
    expect(decoded.stderr).toBe('');
  }, 60_000);

  it('can be played as far as it was written when it is torn', async () => {
    const clip = await makeCodedClip(join(folder, 'torn-source.mp4'), ['-c:v', 'libx264', '-g', '25'], AAC);
    const file = await DISK.create(join(folder, 'torn'), [], 'x', 'mp4');
    const writer = new Mp4Writer(file, clip.headers, NO_LOG);
    for (const frame of clip.frames) {
      writer.add(frame, frame.timestamp);
      await writer.flush();
    }
    await writer.close();
    const whole = await readFile(file.path);
    rmSync(file.path);
    await writeFile(`${file.path}.part`, whole.subarray(0, whole.length - 100));
    await DISK.mend(`${file.path}.part`);
    expect(await readdir(join(folder, 'torn'))).toEqual(['x.mp4']);
    const { video } = await packetsOf(file.path);
    expect(video).toHaveLength(25);
  }, 60_000);
});

describe('What MP4 recordings cannot hold', () => {
  const legacy = (type: number, byte: number) =>
    frameFromMessage({ type, streamId: 1, timestamp: 0, payload: Buffer.from([byte, 1, 2, 3, 4, 5]) });

  it('alone is an error that names it', async () => {
    const file = await DISK.create(folder, [], 'none', 'mp4');
    const writer = new Mp4Writer(file, [], NO_LOG);
    const vp8 = Buffer.concat([Buffer.from([0x91]), Buffer.from('vp08'), Buffer.from([1, 2, 3])]);
    writer.add(frameFromMessage({ type: 9, streamId: 1, timestamp: 0, payload: vp8 }), 0);
    await expect(writer.close()).rejects.toMatchObject({ code: 'RECORD_CODEC', message: /vp08/ });
    expect(await readdir(folder)).not.toContain('none.mp4.part');
  });

  it('without a FourCC, such as Sorenson video, is an error too', async () => {
    const file = await DISK.create(folder, [], 'old', 'mp4');
    const writer = new Mp4Writer(file, [], recordingLog().log);
    writer.add(legacy(9, 0x12), 0);
    await writer.close();
    expect(await readdir(folder)).not.toContain('old.mp4');
  });
});

async function presentationTimes(file: string, stream = 'v'): Promise<number[]> {
  const args = ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file];
  const { stdout } = await run('ffprobe', args).finished;
  return stdout
    .toString()
    .trim()
    .split('\n')
    .map(Number)
    .sort((a, b) => a - b);
}

function packetOf(frame: Frame): MediaPacket {
  return packetsIn(frame)[0]!;
}

function withoutTimes(packets: readonly string[]): string[] {
  return packets.map((packet) => packet.replace(/^\S+ /, ''));
}
