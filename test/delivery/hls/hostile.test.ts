import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { frameFromMessage, type Frame } from '../../../src/media/index.ts';
import { enhancedClip } from '../../support/enhanced-clip.ts';
import { hlsStage, type HlsStage } from '../../support/hls-stage.ts';
import { has, missing } from '../../support/programs.ts';
import { seeded } from '../../support/random.ts';

const KINDS = [
  ['avc1', 'mp4a'],
  ['hvc1', 'ec-3'],
  ['av01', 'Opus'],
  ['vp09', 'fLaC'],
  ['avc1', '.mp3'],
  ['avc1', 'ac-3'],
] as const;

/** A publisher's clip of which bytes are changed, frames cut short, left out and repeated, and times moved. */
function mangled(clip: readonly Frame[], seed: number): Frame[] {
  const random = seeded(seed);
  return clip.flatMap(({ type, timestamp, payload }) => {
    const bytes = Buffer.from(payload.subarray(0, random.int(6) === 0 ? 1 + random.int(payload.length) : undefined));
    for (let i = random.int(4); i > 0; i--) bytes[random.int(bytes.length)] = random.int(256);
    const time = random.int(20) === 0 ? random.int(2 ** 31) * 2 : timestamp;
    const frame = frameFromMessage({ type, streamId: 1, timestamp: time, payload: bytes });
    return Array.from({ length: random.int(8) === 0 ? random.int(3) : 1 }, () => frame);
  });
}

describe.skipIf(!has('ffmpeg'))(`HLS of a publisher that sends nonsense${missing('ffmpeg')}`, () => {
  let folder: string;
  let stage: HlsStage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  afterEach(() => stage.stop());

  it.each(KINDS)('harms nobody else, whatever becomes of its own stream: %s and %s', async (video, audio) => {
    const clip = await enhancedClip(folder, { video, audio, seconds: 3 });
    stage = await hlsStage({ segmentMs: 1_000, always: true });
    for (let seed = 1; seed <= 20; seed++) {
      const publication = stage.publish('nonsense');
      stage.send(publication, mangled(clip, seed));
      await new Promise(setImmediate);
      publication.end(1_000_000);
      stage.pass(100);
    }
    const good = stage.publish('good');
    const index = fetch(`${stage.url}/live/good/index.m3u8`);
    stage.send(good, clip);
    const answer = await index;
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('v0.m3u8');
  });
});
