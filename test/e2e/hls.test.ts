import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { bytes, complaints, faultsOfStream, PlaylistReader, probe, text } from '../support/hls-files.ts';
import { readMultivariant } from '../support/hls-rules.ts';
import { readMediaPlaylist } from '../support/hls-validator.ts';
import { has, missing, run, type Running } from '../support/programs.ts';

/** A live picture and tone, for as long as nobody stops it. */
function publish(url: string, extra: readonly string[] = ['-bf', '0'], sound: readonly string[] = ['aac']): Running {
  return run('ffmpeg', [
    ...['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=30'],
    ...['-f', 'lavfi', '-i', 'sine=440:sample_rate=44100', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30'],
    ...[...extra, '-b:v', '400k', '-c:a', ...sound, '-f', 'flv', url],
  ]);
}

describe.skipIf(!has('ffmpeg'))(`HLS of what FFmpeg publishes${missing('ffmpeg')}`, () => {
  let gateway: TestGateway;
  let folder: string;
  let publisher: Running;
  let base: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    gateway = await startGateway({ hls: { segment: '1s' } });
    base = `http://127.0.0.1:${gateway.ports.http}/hls/live/camera`;
    publisher = publish(gateway.url('rtmp', 'live/camera'));
    await gateway.until(() => gateway.publishing('live/camera'));
  });

  afterAll(async () => {
    publisher?.child.kill();
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('starts with the first request, keeps the rules, and every segment is read by ffprobe', async () => {
    expect(gateway.subscribers('live/camera')).toBe(0);
    const reader = new PlaylistReader(`${base}/v0.m3u8`);
    while ((reader.versions.at(-1)?.segments.length ?? 0) < 5) await reader.next();
    expect(reader.faults).toEqual([]);
    expect(reader.versions.length).toBeGreaterThan(10);
    expect(await faultsOfStream(base)).toEqual([]);
    const { variants } = readMultivariant(await text(`${base}/index.m3u8`));
    expect(variants).toMatchObject([{ 'FRAME-RATE': '30.000', 'VIDEO-RANGE': 'SDR', RESOLUTION: '320x240' }]);
    for (const { init, uri, duration } of reader.latest.segments) {
      const streams = await probe(folder, await bytes(`${base}/${init}`), await bytes(`${base}/${uri}`));
      expect(streams.map(({ codec_name }) => codec_name)).toEqual(['h264', 'aac']);
      expect(Math.abs(Number(streams[0]!.nb_read_packets) - duration * 30)).toBeLessThan(2);
    }
  }, 30_000);

  it('is played by FFmpeg without a complaint', async () => {
    const args = ['-v', 'warning', '-i', `${base}/index.m3u8`, '-t', '3', '-f', 'null', '-'];
    const { code, stderr } = await run('ffmpeg', args, 20_000).finished;
    expect(code).toBe(0);
    expect(complaints(stderr)).toBe('');
  }, 30_000);

  it('refuses to wait for what is far ahead, and for nobody', async () => {
    const { mediaSequence, segments } = readMediaPlaylist(await (await fetch(`${base}/v0.m3u8`)).text());
    const newest = mediaSequence + segments.length;
    expect((await fetch(`${base}/v0.m3u8?_HLS_msn=${newest + 5}`)).status).toBe(400);
    expect((await fetch(`${base}/v0.m3u8?_HLS_part=2`)).status).toBe(400);
    expect((await fetch(`${base}/v0.m3u8?_HLS_msn=x`)).status).toBe(400);
    const nobody = `http://127.0.0.1:${gateway.ports.http}/hls/live/nobody`;
    expect((await fetch(`${nobody}/index.m3u8`)).status).toBe(404);
    expect((await fetch(`${nobody}/v0-1.m4s`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${gateway.ports.http}/hls/live/..%2f..%2fetc/index.m3u8`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${gateway.ports.http}/hls/live/%ff/index.m3u8`)).status).toBe(400);
  });

  it('lets pages of any origin ask, and tells caches what may be kept', async () => {
    const playlist = await fetch(`${base}/v0.m3u8`);
    expect(playlist.headers.get('access-control-allow-origin')).toBe('*');
    expect(playlist.headers.get('cache-control')).toBe('no-cache');
    expect(playlist.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(playlist.headers.get('content-encoding')).toBe('gzip');
    const { segments } = readMediaPlaylist(await playlist.text());
    const media = await fetch(`${base}/${segments[0]!.uri}`);
    expect(media.headers.get('cache-control')).toMatch(/max-age=3600, immutable/);
    expect(media.headers.get('content-type')).toBe('video/mp4');
    expect((await fetch(`${base}/v0.m3u8`, { method: 'POST' })).status).toBe(405);
  });
});

describe.skipIf(!has('ffmpeg'))(`HLS of H.264 and MP3, as old encoders send them${missing('ffmpeg')}`, () => {
  it('has a playlist for each, and FFmpeg plays both', async () => {
    const gateway = await startGateway({ hls: { segment: '1s' } });
    const publisher = publish(gateway.url('rtmp', 'live/old'), ['-bf', '2'], ['libmp3lame']);
    try {
      await gateway.until(() => gateway.publishing('live/old'));
      const base = `http://127.0.0.1:${gateway.ports.http}/hls/live/old`;
      const { variants, media } = readMultivariant(await text(`${base}/index.m3u8`));
      expect(variants.map(({ CODECS }) => CODECS)).toMatchObject([/^avc1\.\w{6},mp4a\.6B$/, /^avc1\.\w{6}$/]);
      expect(media).toMatchObject([{ URI: 'a0.m3u8', CHANNELS: '1' }]);
      expect(await faultsOfStream(base)).toEqual([]);
      const args = [
        '-v',
        'warning',
        '-i',
        `${base}/index.m3u8`,
        '-map',
        '0:v:0',
        '-map',
        '0:a:0',
        '-t',
        '3',
        '-f',
        'null',
        '-',
      ];
      const { code, stderr } = await run('ffmpeg', args, 20_000).finished;
      expect(code).toBe(0);
      expect(complaints(stderr)).toBe('');
    } finally {
      publisher.child.kill();
      await gateway.stop();
    }
  }, 30_000);
});

describe.skipIf(!has('ffmpeg'))(`HLS across publishers${missing('ffmpeg')}`, () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway({ hls: { segment: '1s' }, core: { grace: '300ms' } });
  });

  afterAll(() => gateway?.stop());

  it('goes on with a discontinuity and a new initialisation when another comes, with another size and with B-frames', async () => {
    const url = gateway.url('rtmp', 'live/again');
    const reader = new PlaylistReader(`http://127.0.0.1:${gateway.ports.http}/hls/live/again/v0.m3u8`);
    for (const extra of [[], ['-s', '640x360', '-bf', '2'], ['-s', '160x120']]) {
      const publisher = publish(url, extra);
      await gateway.until(() => gateway.publishing('live/again'));
      const seen = reader.versions.length === 0 ? 0 : reader.latest.mediaSequence + reader.latest.segments.length;
      const has3More = (): boolean =>
        reader.versions.length > 0 &&
        reader.latest.mediaSequence + reader.latest.segments.length >= Math.max(seen, 1) + 3;
      while (!has3More()) await reader.next();
      publisher.child.kill();
      await publisher.finished;
      await gateway.until(() => !gateway.publishing('live/again'));
    }
    // Pictures that can be cut only every 100 ms do not fit into what was promised for others.
    expect(reader.faults.filter((fault) => !/85 %|part target/.test(fault))).toEqual([]);
    const { segments } = reader.latest;
    expect(new Set(reader.versions.flatMap((version) => version.segments.map(({ init }) => init))).size).toBe(3);
    expect(segments.at(-1)!.discontinuities).toBe(2);
  }, 60_000);
});
