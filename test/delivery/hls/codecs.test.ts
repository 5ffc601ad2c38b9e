import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enhancedClip, type ClipKind } from '../../support/enhanced-clip.ts';
import { bytes, faultsOfStream, PlaylistReader, probe, text } from '../../support/hls-files.ts';
import { hlsStage, type HlsStage } from '../../support/hls-stage.ts';
import { attributes } from '../../support/hls-validator.ts';
import { has, missing, run } from '../../support/programs.ts';

const KINDS: readonly (ClipKind & { readonly codecs: RegExp; readonly names: readonly string[] })[] = [
  { video: 'avc1', audio: 'mp4a', bframes: 3, seconds: 5, codecs: /^avc1\.\w{6},mp4a\.40\.2$/, names: ['h264', 'aac'] },
  {
    video: 'hvc1',
    audio: 'mp4a',
    bframes: 2,
    seconds: 5,
    codecs: /^hvc1\.1\.6\.L\d+\.90,mp4a\.40\.2$/,
    names: ['hevc', 'aac'],
  },
  { video: 'av01', audio: 'Opus', seconds: 5, codecs: /^av01\.0\.00M\.08,opus$/, names: ['av1', 'opus'] },
  { video: 'vp09', audio: 'Opus', seconds: 5, codecs: /^vp09\.00\.10\.08,opus$/, names: ['vp9', 'opus'] },
  { video: 'avc1', audio: 'fLaC', seconds: 5, codecs: /^avc1\.\w{6},fLaC$/, names: ['h264', 'flac'] },
  { audio: '.mp3', seconds: 5, codecs: /^mp4a\.6B$/, names: ['mp3'] },
  { audio: 'ac-3', channels: 6, seconds: 5, codecs: /^ac-3$/, names: ['ac3'] },
  { audio: 'ec-3', seconds: 5, codecs: /^ec-3$/, names: ['eac3'] },
  { audio: 'fLaC', sampleRate: 96_000, channels: 2, seconds: 5, codecs: /^fLaC$/, names: ['flac'] },
  { video: 'avc1', seconds: 5, codecs: /^avc1\.\w{6}$/, names: ['h264'] },
  { audio: 'mp4a', seconds: 5, codecs: /^mp4a\.40\.2$/, names: ['aac'] },
  { audio: 'Opus', seconds: 5, codecs: /^opus$/, names: ['opus'] },
];

describe.skipIf(!has('ffmpeg'))(`HLS of what Enhanced RTMP brings${missing('ffmpeg')}`, () => {
  let stage: HlsStage;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    stage = await hlsStage();
  });

  afterEach(async () => {
    await stage.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(KINDS)(
    '$video and $audio: every segment is read by ffprobe, all of it decodes',
    async (kind) => {
      const frames = await enhancedClip(folder, kind);
      const publication = stage.publish('clip');
      stage.send(publication, frames.slice(0, 3));
      const index = text(`${stage.url}/live/clip/index.m3u8`);
      await expect.poll(() => stage.hls.list().length).toBe(1);
      stage.send(publication, frames.slice(3));
      const [, info = '', uri = ''] = /#EXT-X-STREAM-INF:(.*)\n(.*)\n/.exec(await index) ?? [];
      const { CODECS, RESOLUTION, BANDWIDTH } = attributes(info);
      expect(CODECS).toMatch(kind.codecs);
      expect(RESOLUTION).toBe(kind.video === undefined ? undefined : '320x240');
      expect(Number(BANDWIDTH)).toBeGreaterThan(20_000);
      const reader = new PlaylistReader(`${stage.url}/live/clip/${uri}`);
      await expect.poll(async () => (await reader.next()).segments.length, { timeout: 5_000 }).toBeGreaterThan(1);
      expect(reader.faults).toEqual([]);
      expect(await faultsOfStream(`${stage.url}/live/clip`)).toEqual([]);
      const files: Buffer[] = [];
      for (const segment of reader.latest.segments) {
        const init = await bytes(`${stage.url}/live/clip/${segment.init}`);
        const media = await bytes(`${stage.url}/live/clip/${segment.uri}`);
        const parts = await Promise.all(segment.parts.map((part) => bytes(`${stage.url}/live/clip/${part.uri}`)));
        expect(Buffer.concat(parts).equals(media)).toBe(true);
        expect((await probe(folder, init, media)).map(({ codec_name }) => codec_name)).toEqual(kind.names);
        if (files.length === 0) files.push(init);
        files.push(media);
      }
      const [init, ...media] = files;
      const streams = await probe(folder, init!, Buffer.concat(media));
      const seconds = reader.latest.segments.reduce((sum, { duration }) => sum + duration, 0);
      const pictures = Number(streams.find(({ codec_type }) => codec_type === 'video')?.nb_read_packets ?? 0);
      if (kind.video !== undefined) expect(Math.abs(pictures - seconds * 30)).toBeLessThan(2);
      const decoded = await run('ffmpeg', ['-v', 'warning', '-i', join(folder, 'probed.mp4'), '-f', 'null', '-'])
        .finished;
      expect(decoded.stderr).toBe('');
    },
    60_000,
  );
});
