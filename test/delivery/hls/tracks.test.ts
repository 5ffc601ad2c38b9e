import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HlsOptions } from '../../../src/delivery/index.ts';
import type { Publication } from '../../../src/hub/index.ts';
import { frameFromMessage, type Frame } from '../../../src/media/index.ts';
import { encodeAmf0, object } from '../../../src/protocol/index.ts';
import { enhancedClip } from '../../support/enhanced-clip.ts';
import { onTrack } from '../../support/frames.ts';
import { bytes, faultsOfStream, probe, text } from '../../support/hls-files.ts';
import { hlsStage, type HlsStage } from '../../support/hls-stage.ts';
import { attributes, readMediaPlaylist } from '../../support/hls-validator.ts';
import { has, missing } from '../../support/programs.ts';
import { recordingLog } from '../../support/recording-log.ts';

const SECONDS = 16;

describe.skipIf(!has('ffmpeg'))(`HLS of tracks that come and go${missing('ffmpeg')}`, () => {
  let folder: string;
  let clip: Frame[];
  let stage: HlsStage;
  let url: string;
  const { log, lines } = recordingLog();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    clip = await enhancedClip(folder, { video: 'avc1', audio: 'mp4a', seconds: SECONDS });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  afterEach(async () => {
    await stage?.stop();
    lines.length = 0;
  });

  async function start(first: readonly Frame[], options: Partial<HlsOptions> = {}): Promise<Publication> {
    stage = await hlsStage({ segmentMs: 1_000, ...options }, log);
    url = `${stage.url}/live/one`;
    const publication = stage.publish('one');
    const index = text(`${url}/index.m3u8`);
    await expect.poll(() => stage.hls.list().length).toBe(1);
    stage.send(publication, first);
    await index;
    return publication;
  }

  const both = (frames: readonly Frame[]) => frames.flatMap((frame) => [frame, onTrack(frame, 1)]);
  const until = (ms: number) => (frame: Frame) => frame.isConfig || frame.timestamp < ms;
  const from = (ms: number) => (frame: Frame) => !frame.isConfig && frame.timestamp >= ms;
  const named = async () => (await text(`${url}/index.m3u8`)).match(/[va]\d\.m3u8/g);
  const read = async (name: string) => readMediaPlaylist(await text(`${url}/${name}.m3u8`));
  const warnings = () => lines.filter(({ level }) => level === 'warn').map(({ message }) => message);

  it('no longer lists a track that the publisher stops to send, and players that wait for it get 404', async () => {
    const publication = await start(both(clip.filter(until(3_000))));
    expect(await named()).toEqual(['a1.m3u8', 'v0.m3u8', 'v1.m3u8']);
    const { mediaSequence, segments, tail } = await read('v1');
    const waiting = fetch(`${url}/v1.m3u8?_HLS_msn=${mediaSequence + segments.length}&_HLS_part=${tail.length + 3}`);
    await expect.poll(() => stage.hls.list()[0]?.waiting).toBe(1);
    stage.send(publication, clip.filter(from(3_000)));
    expect((await waiting).status).toBe(404);
    expect((await fetch(`${url}/v1.m3u8`)).status).toBe(404);
    expect(await named()).toEqual(['v0.m3u8']);
    expect(await text(`${url}/v0.m3u8`)).not.toContain('RENDITION-REPORT');
    expect(lines.map(({ message }) => message).filter((message) => message.includes('not come'))).toHaveLength(2);
  });

  it('lists it again when it comes again, behind what it was', async () => {
    const publication = await start(both(clip.filter(until(2_000))));
    const before = await read('v1');
    stage.send(publication, clip.filter(from(2_000)).filter(until(13_500)));
    await expect.poll(named).toEqual(['v0.m3u8']);
    stage.pass(12_000);
    stage.send(publication, both(clip.filter(from(13_500))));
    await expect.poll(named).toEqual(['a1.m3u8', 'v0.m3u8', 'v1.m3u8']);
    await expect.poll(async () => (await read('v1')).segments.length).toBeGreaterThan(0);
    const after = await read('v1');
    expect(after.mediaSequence).toBeGreaterThan(before.mediaSequence + before.segments.length);
  });

  it('lists a track that comes later', async () => {
    const publication = await start(clip.filter(until(4_000)));
    expect(await named()).toEqual(['v0.m3u8']);
    stage.send(publication, both(clip.filter((frame) => frame.isConfig || from(4_000)(frame))));
    await expect.poll(named).toEqual(['a1.m3u8', 'v0.m3u8', 'v1.m3u8']);
    expect((await read('v1')).segments.length).toBeGreaterThan(1);
    // The picture that was there before has not been interrupted for it.
    expect((await read('v0')).segments.at(-1)!.discontinuities).toBe(0);
    expect(await faultsOfStream(url)).toEqual([]);
  });

  it('no longer lists what the next publisher does not have', async () => {
    const publication = await start(both(clip.filter(until(3_000))));
    publication.end(1_000_000);
    stage.pass(1_000);
    stage.send(stage.publish('one'), clip);
    await expect.poll(named).toEqual(['v0.m3u8']);
    expect((await fetch(`${url}/v1.m3u8`)).status).toBe(404);
    expect((await read('v0')).segments.at(-1)!.discontinuities).toBe(1);
  });

  it('lists sound alone when the next publisher has no picture', async () => {
    const publication = await start(clip.filter(until(3_000)));
    publication.end(1_000_000);
    stage.pass(1_000);
    stage.send(
      stage.publish('one'),
      clip.filter(({ kind }) => kind === 'audio'),
    );
    await expect.poll(named).toEqual(['a0.m3u8']);
    expect((await fetch(`${url}/v0.m3u8`)).status).toBe(404);
  });

  it('counts discontinuities alike in all playlists, also in one that began after some of them', async () => {
    const publication = await start(clip.filter(until(3_000)));
    const again = (ms: number, frames: readonly Frame[]) => frames.map((frame) => moved(frame, ms));
    stage.send(publication, again(100_000, clip.filter(from(0)).filter(until(3_000))));
    stage.send(publication, again(300_000, both(clip.filter(until(4_000)))));
    stage.send(publication, again(700_000, both(clip.filter(from(0)).filter(until(4_000)))));
    await expect.poll(named).toEqual(['a1.m3u8', 'v0.m3u8', 'v1.m3u8']);
    const last = async (name: string) => (await read(name)).segments.at(-1)?.discontinuities;
    await expect.poll(() => Promise.all(['v0', 'v1', 'a1'].map(last))).toEqual([3, 3, 3]);
  });

  it('reports how far the other playlists are', async () => {
    await start(both(clip.filter(until(5_500))));
    for (const [own, others] of [
      ['v0', ['v1', 'a1']],
      ['a1', ['v0', 'v1']],
    ] as const) {
      const lines = (await text(`${url}/${own}.m3u8`)).split('\n');
      const reports = lines.filter((line) => line.startsWith('#EXT-X-RENDITION-REPORT:')).map(attributes);
      expect(reports.map(({ URI }) => URI)).toEqual(others.map((name) => `${name}.m3u8`));
      for (const report of reports) {
        const { mediaSequence, segments, tail } = readMediaPlaylist(await text(`${url}/${report.URI}`));
        const isOpen = tail.length > 0;
        expect(Number(report['LAST-MSN'])).toBe(mediaSequence + segments.length - (isOpen ? 0 : 1));
        expect(Number(report['LAST-PART'])).toBe((isOpen ? tail : segments.at(-1)!.parts).length - 1);
      }
    }
  });

  it('has sound that not everybody plays in a playlist of its own, and the picture without it', async () => {
    for (const [audio, codec, name] of [
      ['ac-3', 'ac-3', 'ac3'],
      ['ec-3', 'ec-3', 'eac3'],
      ['.mp3', 'mp4a.6B', 'mp3'],
    ] as const) {
      await start(await enhancedClip(folder, { video: 'avc1', audio, channels: 2, seconds: 4 }));
      const master = await text(`${url}/index.m3u8`);
      const found = [...master.matchAll(/CODECS="(.*?)".*\n(v0\.m3u8)/g)].map(([, codecs]) =>
        codecs!.split(',').slice(1),
      );
      expect(found).toEqual([[codec], []]);
      expect(await faultsOfStream(url)).toEqual([]);
      expect(warnings()).toMatchObject([new RegExp(`sound is ${codec}, which most browsers`)]);
      lines.length = 0;
      expect(master).toMatch(/TYPE=AUDIO.*NAME="Default",DEFAULT=YES.*CHANNELS="2",URI="a0\.m3u8"/);
      const { segments } = await read('a0');
      const media = await bytes(`${url}/${segments[0]!.uri}`);
      expect(await probe(folder, await bytes(`${url}/${segments[0]!.init}`), media)).toMatchObject([
        { codec_name: name },
      ]);
      await stage.stop();
    }
  }, 30_000);

  it('says the range of the picture: by its bitstream, or by what the publisher says beside it', async () => {
    const range = async () => /VIDEO-RANGE=(\w+)/.exec(await text(`${url}/index.m3u8`))?.[1];
    await start(await enhancedClip(folder, { video: 'hvc1', transfer: 'arib-std-b67', seconds: 3 }));
    expect(await range()).toBe('HLG');
    await stage.stop();
    const publication = await start(clip.filter(until(4_000)));
    expect(await range()).toBe('SDR');
    const colour = (transferCharacteristics: number) => {
      const values = encodeAmf0('colorInfo', object({ colorConfig: object({ transferCharacteristics }) }));
      const payload = Buffer.concat([Buffer.from([0x94]), Buffer.from('avc1'), values]);
      return frameFromMessage({ type: 9, streamId: 1, timestamp: 4_000, payload });
    };
    stage.send(publication, [colour(16)]);
    await expect.poll(range).toBe('PQ');
    // Nothing has been interrupted for it.
    stage.send(publication, clip.filter(from(4_000)));
    await expect.poll(async () => (await read('v0')).segments.at(-1)!.sequence).toBeGreaterThan(10);
    expect((await read('v0')).segments.at(-1)!.discontinuities).toBe(0);
  });

  it.each([
    ['Speex', [0xb2]],
    ['G.711', [0x7e]],
    ['Enhanced RTMP’s future', [0x91, ...Buffer.from('zzzz')]],
  ])('shows the picture, and says that it leaves out the sound: %s', async (_, head) => {
    const strange = clip.map((frame) =>
      frame.kind === 'audio' && !frame.isConfig ? saying(frame, Buffer.from([...head, 1, 2, 3])) : frame,
    );
    await start(strange.filter(({ kind, isConfig }) => kind === 'video' || !isConfig));
    expect(await text(`${url}/index.m3u8`)).toMatch(/CODECS="avc1\.\w{6}"/);
    expect((await read('v0')).segments.length).toBeGreaterThan(3);
    expect(warnings()).toMatchObject([/leaves out a publisher's sound/]);
  });

  it.each([
    ['VP8', [0x91, ...Buffer.from('vp08')]],
    ['VVC', [0x91, ...Buffer.from('vvc1'), 0, 0, 0]],
    ['Sorenson', [0x12]],
  ])('lets the sound be heard, and says that it leaves out the picture: %s', async (_, head) => {
    const strange = clip
      .filter(({ kind, isConfig }) => kind === 'audio' || !isConfig)
      .map((frame) => (frame.kind === 'video' ? saying(frame, Buffer.from([...head, 1, 2, 3])) : frame));
    await start(strange);
    expect(await named()).toEqual(['a0.m3u8']);
    expect((await read('a0')).segments.length).toBeGreaterThan(3);
    expect(warnings()).toMatchObject([/leaves out a publisher's picture/]);
  });

  it('takes sound of a profile that is not carried for none: the picture is shown', async () => {
    const main = clip.map((frame) =>
      frame.kind === 'audio' && frame.isConfig ? saying(frame, Buffer.from([0xaf, 0, 0x0a, 0x10])) : frame,
    );
    await start(main);
    expect(await text(`${url}/index.m3u8`)).toMatch(/CODECS="avc1\.\w{6}"/);
    expect(warnings()).toMatchObject([/cannot carry a configuration of mp4a/]);
  });
});

/** The same message with another payload. */
function saying({ type, timestamp }: Frame, payload: Buffer): Frame {
  return frameFromMessage({ type, streamId: 1, timestamp, payload });
}

function moved({ type, timestamp, payload }: Frame, by: number): Frame {
  return frameFromMessage({ type, streamId: 1, timestamp: timestamp + by, payload });
}
