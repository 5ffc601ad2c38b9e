import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { frameFromMessage, type Frame } from '../../../src/media/index.ts';
import { dateRangeFaults, dateRangesIn } from '../../support/date-ranges.ts';
import { boxesIn, cuesIn, textIn, type ReadCue } from '../../support/emsg.ts';
import { enhancedClip } from '../../support/enhanced-clip.ts';
import { bytes, probe, text } from '../../support/hls-files.ts';
import { hlsStage, type HlsStage } from '../../support/hls-stage.ts';
import { readMediaPlaylist } from '../../support/hls-validator.ts';
import { has, missing, run } from '../../support/programs.ts';
import { spliceInsert } from '../../support/splices.ts';
import { adCue, cue, data } from '../../support/timed.ts';

/** With data among its frames where its time is. */
function mixed(frames: readonly Frame[], data: readonly Frame[]): Frame[] {
  const headers = frames.filter(({ isConfig }) => isConfig);
  const rest = [...frames.filter(({ isConfig }) => !isConfig), ...data];
  return [...headers, ...rest.toSorted((a, b) => a.timestamp - b.timestamp)];
}

/** The same some time later. */
function later(frames: readonly Frame[], ms: number): Frame[] {
  return frames.map(({ type, timestamp, payload, isConfig }) =>
    frameFromMessage({ type, streamId: 1, timestamp: isConfig ? 0 : timestamp + ms, payload }),
  );
}

describe.skipIf(!has('ffmpeg'))(`Timed data in HLS${missing('ffmpeg')}`, () => {
  let folder: string;
  let clip: Frame[];
  let sound: Frame[];
  let stage: HlsStage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    clip = await enhancedClip(folder, { video: 'avc1', audio: 'mp4a', seconds: 8, bframes: 2 });
    sound = await enhancedClip(folder, { audio: 'mp4a', seconds: 6 });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  afterEach(() => stage?.stop());

  /** A stream that is being watched, with these frames in it; tells the address of one of its playlists. */
  async function show(frames: readonly Frame[], rendition = 'v0') {
    stage = await hlsStage({ segmentMs: 1_000, window: 12 });
    const publication = stage.publish('one');
    const index = fetch(`${stage.url}/live/one/index.m3u8`);
    await expect.poll(() => stage.hls.list().length).toBe(1);
    stage.send(publication, frames);
    expect((await index).status).toBe(200);
    return { url: `${stage.url}/live/one/${rendition}.m3u8`, publication };
  }

  /** All segments of a playlist, and what its media are to be read with. */
  async function media(url: string): Promise<{ init: Buffer; segments: Buffer[] }> {
    const { segments } = readMediaPlaylist(await text(url));
    const base = url.slice(0, url.lastIndexOf('/') + 1);
    const init = await bytes(base + segments[0]!.init);
    return { init, segments: await Promise.all(segments.map(({ uri }) => bytes(base + uri))) };
  }

  /** When the packets of sound begin, in milliseconds. */
  async function times(init: Buffer, segments: readonly Buffer[]): Promise<number[]> {
    const file = join(folder, 'times.mp4');
    await writeFile(file, Buffer.concat([init, ...segments]));
    const args = ['-v', 'error', '-select_streams', 'a', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file];
    const { stdout, stderr } = await run('ffprobe', args).finished;
    expect(stderr).toBe('');
    const seconds = stdout.toString().split('\n').filter(Boolean).map(parseFloat);
    return seconds.map((one) => Math.round(one * 1000)).toSorted((a, b) => a - b);
  }

  /** What hls.js makes of a playlist's date ranges; throws at what it would ignore. */
  async function readByHlsJs(playlist: string, url: string): Promise<object[]> {
    vi.stubGlobal('self', globalThis);
    const { M3U8Parser, PlaylistLevelType } = await import('hls.js');
    const { playlistParsingError, dateRanges } = M3U8Parser.parseLevelPlaylist(
      playlist,
      url,
      0,
      PlaylistLevelType.MAIN,
      0,
      null,
    );
    vi.unstubAllGlobals();
    expect(playlistParsingError).toBeNull();
    return Object.values(dateRanges).map((range) => {
      const { isValid, duration, plannedDuration } = range!;
      return { isValid, duration, plannedDuration };
    });
  }

  const described = ({ message }: ReadCue): string => JSON.parse(textIn(message).value).name as string;

  it('is in the part that its time is in, at that time, and nothing else in the media changes', async () => {
    const at = [500, 1_333, 4_000, 5_900];
    const cues = at.map((time) => cue(time, `at ${time}`));
    const { url } = await show(mixed(clip, cues));
    const { init, segments } = await media(url);
    const found = segments.flatMap(cuesIn);
    expect(found.map(described)).toEqual(['at 500', 'at 1333', 'at 4000', 'at 5900']);
    expect(new Set(found.map(({ id }) => id)).size).toBe(4);
    const heard = await times(init, segments);
    // The first packet of sound is at 0 of the publisher's clock, as the first cue is half a second on.
    for (const [index, { time, timescale }] of found.entries()) {
      expect(Math.abs((time * 1000) / timescale - heard[0]! - at[index]!)).toBeLessThan(25);
    }
    for (const segment of segments) {
      expect(
        boxesIn(segment)
          .map(({ type }) => type)
          .join(' '),
      ).toMatch(/^(?:(?:emsg )*moof mdat ?)+$/);
      await probe(folder, init, segment);
    }
    expect(boxesIn(init)[0]!.body.includes('aid3')).toBe(true);
    await stage.stop();
    const bare = await media((await show(clip)).url);
    const isMedia = ({ type }: { type: string }): boolean => type === 'mdat';
    const all = (list: readonly Buffer[]) =>
      list.flatMap((one) =>
        boxesIn(one)
          .filter(isMedia)
          .map(({ body }) => body),
      );
    expect(all(segments)).toEqual(all(bare.segments));
  }, 30_000);

  it('is in parts as in segments', async () => {
    const { url } = await show(mixed(clip, [cue(6_100, 'late'), cue(6_400, 'later')]));
    const { segments, tail } = readMediaPlaylist(await text(url));
    const base = url.slice(0, url.lastIndexOf('/') + 1);
    const parts = [...segments.flatMap((one) => one.parts), ...tail];
    const withCues = [];
    for (const { uri } of parts) {
      const cues = cuesIn(await bytes(base + uri));
      withCues.push(...cues.map(described));
    }
    expect(withCues).toEqual(['late', 'later']);
  }, 30_000);

  it('is in a stream of sound alone', async () => {
    const { url } = await show(mixed(sound, [cue(2_000, 'song')]), 'a0');
    const { init, segments } = await media(url);
    const [found] = segments.flatMap(cuesIn);
    const heard = await times(init, segments);
    expect(Math.abs(found!.time - heard[0]! - 2_000)).toBeLessThan(25);
  }, 30_000);

  it('that is stamped with 0 belongs to the present', async () => {
    const frames = mixed(clip, []);
    const middle = frames.findIndex(({ timestamp }) => timestamp >= 4_000);
    const { url } = await show(frames.toSpliced(middle, 0, data(0, 'onTextData', 'x')));
    const { init, segments } = await media(url);
    const heard = await times(init, segments);
    expect(Math.abs(segments.flatMap(cuesIn)[0]!.time - heard[0]! - 4_000)).toBeLessThan(50);
  }, 30_000);

  it('of SCTE-35 is dated by the playlist, in whole playlists and delta updates, until its end has left the window', async () => {
    const markers = [adCue(2_000, spliceInsert(7, { seconds: 2 }), 3), adCue(5_000, spliceInsert(7, { out: false }))];
    const { url, publication } = await show(mixed(clip, markers));
    const whole = await text(url);
    expect(dateRangeFaults(whole)).toEqual([]);
    const [out, back] = dateRangesIn(whole);
    expect([out!['PLANNED-DURATION'], back!.DURATION, out!.ID]).toEqual(['2', '2', back!.ID]);
    const start = Date.parse(/PROGRAM-DATE-TIME:(.*)/.exec(whole)![1]!);
    expect(Math.abs(Date.parse(out!['START-DATE']!) - start - 3_000)).toBeLessThan(60);
    const { init, segments } = await media(url);
    expect(segments.flatMap(cuesIn)).toEqual([]);
    await probe(folder, init, segments[0]!);
    stage.send(publication, later(clip, 8_000));
    await expect.poll(async () => (await text(`${url}?_HLS_skip=YES`)).includes('#EXT-X-SKIP')).toBe(true);
    const delta = await text(`${url}?_HLS_skip=YES`);
    expect(dateRangeFaults(delta)).toEqual([]);
    expect(dateRangesIn(delta)).toEqual([out, back]);
    const read = [{ isValid: true, duration: 2, plannedDuration: 2 }];
    expect(await readByHlsJs(whole, url)).toEqual(read);
    expect(await readByHlsJs(delta, url)).toEqual(read);
    for (const ms of [16_000, 24_000]) stage.send(publication, later(clip, ms));
    await expect.poll(async () => dateRangesIn(await text(url)), { timeout: 5_000 }).toEqual([]);
  }, 30_000);

  it('goes on with the next publisher', async () => {
    const { url } = await show(mixed(clip, [cue(1_000, 'first')]));
    stage.send(stage.publish('one'), mixed(clip, [cue(1_000, 'second'), adCue(1_500, spliceInsert(1))]));
    await expect
      .poll(async () => (await media(url)).segments.flatMap(cuesIn).map(described), { timeout: 5_000 })
      .toContain('second');
    await expect.poll(async () => dateRangesIn(await text(url)).length).toBe(1);
  }, 30_000);
});
