import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { frameFromMessage, type Frame } from '../../../src/media/index.ts';
import { HLS_DEFAULTS, type HlsOptions } from '../../../src/delivery/index.ts';
import type { Publication } from '../../../src/hub/index.ts';
import { enhancedClip } from '../../support/enhanced-clip.ts';
import { onTrack } from '../../support/frames.ts';
import { text } from '../../support/hls-files.ts';
import { hlsStage, WALL_CLOCK, type HlsStage } from '../../support/hls-stage.ts';
import { faultsIn, readMediaPlaylist } from '../../support/hls-validator.ts';
import { has, missing } from '../../support/programs.ts';
import { recordingLog } from '../../support/recording-log.ts';

describe.skipIf(!has('ffmpeg'))(`HLS of a stream in the hub${missing('ffmpeg')}`, () => {
  let folder: string;
  let clip: Frame[];
  let stage: HlsStage;
  const { log, lines } = recordingLog();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    clip = await enhancedClip(folder, { video: 'avc1', audio: 'mp4a', seconds: 8 });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  afterEach(() => stage?.stop());

  /** A stream that is being watched: its playlist's address. */
  async function start(options: Partial<HlsOptions> = {}): Promise<{ url: string; publication: Publication }> {
    const { publication, index } = await begin({ segmentMs: 1_000, ...options });
    stage.send(publication, clip);
    expect((await index).status).toBe(200);
    return { url: `${stage.url}/live/one/v0.m3u8`, publication };
  }

  /** A stream of which nothing has come yet, and somebody who waits for it. */
  async function begin(options?: Partial<HlsOptions>): Promise<{ publication: Publication; index: Promise<Response> }> {
    stage = await hlsStage(options, log);
    const publication = stage.publish('one');
    const index = fetch(`${stage.url}/live/one/index.m3u8`);
    await expect.poll(() => stage.hls.list().length).toBe(1);
    return { publication, index };
  }

  it('answers 404 at once where nobody publishes, and keeps nothing', async () => {
    stage = await hlsStage();
    expect((await fetch(`${stage.url}/live/one/index.m3u8`)).status).toBe(404);
    expect(stage.hls.list()).toEqual([]);
    expect([...stage.hub.streams()]).toEqual([]);
  });

  it('waits for a publisher where it is told to', async () => {
    stage = await hlsStage({ awaitPublisherMs: 5_000, segmentMs: 1_000 });
    const index = fetch(`${stage.url}/live/one/index.m3u8`);
    await expect.poll(() => stage.hls.list().length).toBe(1);
    const publication = stage.publish('one');
    stage.pass(100);
    stage.send(publication, clip);
    expect((await index).status).toBe(200);
  });

  it('begins with a whole segment: FFmpeg gives up on a playlist that has parts alone', async () => {
    stage = await hlsStage({ segmentMs: 1_000 });
    const publication = stage.publish('one');
    const index = fetch(`${stage.url}/live/one/index.m3u8`);
    await expect.poll(() => stage.hls.list().length).toBe(1);
    const [before, after] = [
      clip.filter(({ timestamp }) => timestamp < 900),
      clip.filter(({ timestamp }) => timestamp >= 900),
    ];
    stage.send(publication, before);
    await expect.poll(() => stage.hls.list()[0]?.waiting).toBe(1);
    stage.send(publication, after);
    expect((await index).status).toBe(200);
    expect(readMediaPlaylist(await text(`${stage.url}/live/one/v0.m3u8`)).segments.length).toBeGreaterThan(0);
  });

  it('answers 503 when nothing to show comes in time', async () => {
    stage = await hlsStage();
    stage.publish('one');
    const index = fetch(`${stage.url}/live/one/index.m3u8`);
    await expect.poll(() => stage.hls.list()[0]?.waiting).toBe(1);
    stage.pass(HLS_DEFAULTS.startMs - 1);
    expect(stage.hls.list()[0]?.waiting).toBe(1);
    stage.pass(1);
    expect((await index).status).toBe(503);
  });

  it('answers a blocking reload that nothing comes for with 503 after three target durations', async () => {
    const { url } = await start();
    const { mediaSequence, segments, tail, targetDuration } = readMediaPlaylist(await text(url));
    const newest = mediaSequence + segments.length;
    const reload = fetch(`${url}?_HLS_msn=${newest}&_HLS_part=${tail.length}`);
    const hinted = fetch(`${url.replace('.m3u8', '')}-${newest}.${tail.length}.m4s`);
    await expect.poll(() => stage.hls.list()[0]?.waiting).toBe(2);
    stage.pass(3_000 * targetDuration - 1);
    expect(stage.hls.list()[0]?.waiting).toBe(2);
    stage.pass(1);
    expect((await reload).status).toBe(503);
    expect((await hinted).status).toBe(404);
  });

  it('refuses at once to wait for parts that nobody can know of', async () => {
    const { url } = await start();
    const { mediaSequence, segments, tail, partTarget } = readMediaPlaylist(await text(url));
    const newest = mediaSequence + segments.length;
    const furthest = tail.length - 1 + Math.ceil(3 / partTarget!);
    const status = async (query: string) => (await fetch(`${url}?${query}`)).status;
    expect(await status(`_HLS_msn=${newest}&_HLS_part=${furthest + 1}`)).toBe(400);
    expect(await status(`_HLS_msn=${newest + 3}`)).toBe(400);
    expect(await status('_HLS_part=0')).toBe(400);
    const waiting = [`_HLS_msn=${newest}&_HLS_part=${furthest}`, `_HLS_msn=${newest + 2}`].map(status);
    await expect.poll(() => stage.hls.list()[0]?.waiting).toBe(2);
    stage.pass(10_000);
    expect(await Promise.all(waiting)).toEqual([503, 503]);
    // What has left the playlist is no reason to wait.
    expect(await status(`_HLS_msn=${mediaSequence - 5}&_HLS_part=99`)).toBe(200);
  });

  it('promises the same segments to all, whatever somebody asked for before there was one', async () => {
    const long = await enhancedClip(folder, { video: 'avc1', audio: 'mp4a', gop: 60, seconds: 8 });
    const { publication, index } = await begin();
    stage.send(publication, long.slice(0, 12));
    await expect.poll(() => stage.hls.list()[0]?.renditions).toBe(1);
    // As players do that still have a playlist of yesterday.
    expect((await fetch(`${stage.url}/live/one/v0-1600000000.0.m4s`)).status).toBe(404);
    stage.send(publication, long.slice(12));
    await index;
    const playlist = readMediaPlaylist(await text(`${stage.url}/live/one/v0.m3u8`));
    expect(playlist.targetDuration).toBe(2);
    expect(faultsIn(playlist)).toEqual([]);
  });

  it('says in the list how far apart keyframes are', async () => {
    await start();
    await expect.poll(() => stage.hls.list()[0]?.keyframeMs).toBe(1_000);
  });

  it('shows a stream that has one keyframe and no more', async () => {
    const all = await enhancedClip(folder, { video: 'avc1', audio: 'mp4a', gop: 9_999, seconds: 40 });
    const { publication, index } = await begin();
    for (let i = 0; i < all.length; i += 200) {
      stage.send(publication, all.slice(i, i + 200));
      await new Promise(setImmediate);
    }
    expect((await index).status).toBe(200);
    const url = `${stage.url}/live/one/v0.m3u8`;
    await expect.poll(async () => readMediaPlaylist(await text(url)).segments.length).toBeGreaterThan(2);
    const playlist = readMediaPlaylist(await text(url));
    expect(faultsIn(playlist)).toEqual([]);
    expect(playlist.targetDuration).toBe(11);
    expect(playlist.tags.has('EXT-X-INDEPENDENT-SEGMENTS')).toBe(false);
    expect(lines).toMatchObject([{ level: 'warn', fields: { app: 'live' }, message: /no keyframe for 15 s/ }]);
  }, 30_000);

  it('tells of media when it came, also after a jump and after a pause', async () => {
    const { url, publication } = await start({ window: 30 });
    const media = clip.filter(({ isConfig }) => !isConfig);
    const sum = (list: readonly { readonly duration: number }[]) =>
      list.reduce((all, { duration }) => all + duration, 0);
    /** When the end of the playlist came, by its last date. */
    const end = async () => {
      const { segments, tail } = readMediaPlaylist(await text(url));
      const dated = segments.findLastIndex(({ date }) => date !== undefined);
      return { end: segments[dated]!.date! + 1000 * (sum(segments.slice(dated)) + sum(tail)), dated };
    };
    const came = WALL_CLOCK + 1_000_000;
    expect(Math.abs((await end()).end - came)).toBeLessThan(400);
    stage.pass(25_000);
    stage.send(
      publication,
      media.map(({ type, timestamp, payload }) =>
        frameFromMessage({ type, streamId: 1, timestamp: timestamp + 500_000, payload }),
      ),
    );
    await expect.poll(async () => (await end()).dated).toBeGreaterThan(0);
    await expect.poll(async () => Math.abs((await end()).end - came - 25_000)).toBeLessThan(400);
  });

  it('muxes until some time after the last request', async () => {
    await start();
    stage.pass(HLS_DEFAULTS.idleMs);
    expect(stage.hls.list().length).toBe(1);
    stage.pass(1);
    expect(stage.hls.list()).toEqual([]);
    expect([...stage.hub.streams()][0]?.subscribers).toBe(0);
  });

  it('muxes unwatched streams where a setting says so', async () => {
    stage = await hlsStage({ always: true });
    stage.send(stage.publish('one'), clip);
    expect(stage.hls.list().length).toBe(1);
    stage.pass(HLS_DEFAULTS.idleMs + 1);
    expect(stage.hls.list().length).toBe(1);
  });

  it('says that it is over only when no other publisher has come, and the next playlist does not go back', async () => {
    const { url, publication } = await start();
    const before = readMediaPlaylist(await text(url));
    publication.end(1_000_000);
    stage.pass(20_000);
    expect(readMediaPlaylist(await text(url)).ended).toBe(false);
    await text(url);
    stage.pass(25_000);
    await text(url);
    stage.pass(HLS_DEFAULTS.lingerMs - 44_000);
    expect(readMediaPlaylist(await text(url)).ended).toBe(true);
    const next = stage.publish('one');
    stage.pass(100);
    expect(stage.hls.list()).toEqual([]);
    const index = fetch(`${stage.url}/live/one/index.m3u8`);
    await expect.poll(() => stage.hls.list().length).toBe(1);
    stage.send(next, clip);
    await index;
    const after = readMediaPlaylist(await text(url));
    expect(after.mediaSequence).toBeGreaterThanOrEqual(before.mediaSequence + before.segments.length);
    expect(after.discontinuitySequence).toBeGreaterThan(before.discontinuitySequence);
  });

  it('goes on with a discontinuity after a jump of the times', async () => {
    const { url, publication } = await start();
    const before = readMediaPlaylist(await text(url));
    const later = clip.filter(({ isConfig }) => !isConfig);
    stage.send(
      publication,
      later.map(({ type, timestamp, payload }) =>
        frameFromMessage({ type, streamId: 1, timestamp: timestamp + 500_000, payload }),
      ),
    );
    await expect
      .poll(async () => readMediaPlaylist(await text(url)).mediaSequence)
      .toBeGreaterThan(before.mediaSequence + 2);
    const after = readMediaPlaylist(await text(url));
    expect(after.segments.at(-1)!.discontinuities).toBe(before.segments.at(-1)!.discontinuities + 1);
  });

  it('has room for so many streams', async () => {
    await start({ maxStreams: 1 });
    stage.publish('two');
    expect((await fetch(`${stage.url}/live/two/index.m3u8`)).status).toBe(503);
  });

  it('gives the room of one that waits for a publisher to another', async () => {
    stage = await hlsStage({ maxStreams: 1, awaitPublisherMs: 5_000, segmentMs: 1_000 });
    const nobody = fetch(`${stage.url}/live/nobody/index.m3u8`);
    await expect.poll(() => stage.hls.list().length).toBe(1);
    const publication = stage.publish('one');
    const index = fetch(`${stage.url}/live/one/index.m3u8`);
    expect((await nobody).status).toBe(404);
    stage.send(publication, clip);
    expect((await index).status).toBe(200);
  });

  it('forgets who has gone while it waited', async () => {
    const { url } = await start();
    const { mediaSequence, segments } = readMediaPlaylist(await text(url));
    const leaving = new AbortController();
    const reload = fetch(`${url}?_HLS_msn=${mediaSequence + segments.length + 1}`, { signal: leaving.signal });
    await expect.poll(() => stage.hls.list()[0]?.waiting).toBe(1);
    leaving.abort();
    await expect(reload).rejects.toThrow();
    await expect
      .poll(() => {
        stage.pass(1);
        return stage.hls.list()[0]?.waiting;
      })
      .toBe(0);
  });

  it('uses no number twice, however fast the segments of a stream were', async () => {
    const { url, publication } = await start({ segmentMs: 500, window: 3 });
    const media = clip.filter(({ isConfig }) => !isConfig);
    // Each time that the clock jumps a segment ends: far more of them than seconds pass.
    for (let i = 1; i <= 40; i++) {
      const moved = media
        .slice(0, 80)
        .map(({ type, timestamp, payload }) =>
          frameFromMessage({ type, streamId: 1, timestamp: timestamp + i * 500_000, payload }),
        );
      stage.send(publication, moved);
      await new Promise(setImmediate);
    }
    const newest = async () => {
      const { mediaSequence, segments } = readMediaPlaylist(await text(url));
      return mediaSequence + segments.length;
    };
    await expect.poll(newest).toBeGreaterThan((WALL_CLOCK + 1_000_000) / 1000 + 40);
    const before = await newest();
    const { discontinuitySequence } = readMediaPlaylist(await text(url));
    publication.end(1_000_000);
    stage.pass(HLS_DEFAULTS.idleMs + 1);
    expect(stage.hls.list()).toEqual([]);
    const next = stage.publish('one');
    const index = fetch(`${stage.url}/live/one/index.m3u8`);
    await expect.poll(() => stage.hls.list().length).toBe(1);
    stage.send(next, clip);
    await index;
    const after = readMediaPlaylist(await text(url));
    expect(after.mediaSequence).toBeGreaterThanOrEqual(before);
    expect(after.discontinuitySequence).toBeGreaterThan(discontinuitySequence);
  });

  it('makes so many playlists of one stream and no more', async () => {
    for (const [maxRenditions, count] of [
      [1, 1],
      [2, 2],
      [3, 3],
    ] as const) {
      stage = await hlsStage({ segmentMs: 1_000, maxRenditions });
      const publication = stage.publish('one');
      const index = fetch(`${stage.url}/live/one/index.m3u8`);
      await expect.poll(() => stage.hls.list().length).toBe(1);
      stage.send(
        publication,
        clip.flatMap((frame) => [frame, onTrack(frame, 1)]),
      );
      expect((await (await index).text()).match(/[va]\d+\.m3u8/g)?.length).toBe(count);
      if (count < 3) await stage.stop();
    }
  });

  it('makes a playlist for each track, and names them all', async () => {
    stage = await hlsStage({ segmentMs: 1_000 });
    const publication = stage.publish('one');
    const index = fetch(`${stage.url}/live/one/index.m3u8`);
    await expect.poll(() => stage.hls.list().length).toBe(1);
    stage.send(
      publication,
      clip.flatMap((frame) => [frame, onTrack(frame, 1)]),
    );
    const master = await (await index).text();
    expect(master).toMatch(/\nv0\.m3u8\n[^]*\nv1\.m3u8\n/);
    expect(master).toMatch(/TYPE=AUDIO.*URI="a1\.m3u8"/);
    expect(readMediaPlaylist(await text(`${stage.url}/live/one/v1.m3u8`)).segments.length).toBeGreaterThan(2);
    expect(readMediaPlaylist(await text(`${stage.url}/live/one/a1.m3u8`)).segments.length).toBeGreaterThan(2);
  });
});
