import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { expectUnchanged, makeSource, packetsOf } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';
import { describeSixteenPairs, SCHEMES } from '../support/sixteen-pairs.ts';

describe.skipIf(!has('ffmpeg'))(`FFmpeg publishes and plays, all sixteen pairs${missing('ffmpeg')}`, () => {
  describeSixteenPairs(async () => {
    const gateway = await startGateway({ core: { grace: '300ms' } });
    const awaitPlayers = (name: string, count: number) =>
      gateway.until(() => gateway.subscribers(`live/${name}`) === count);
    return { url: gateway.url, awaitPlayers, stop: gateway.stop };
  });
});

describe.skipIf(!has('ffmpeg') || !has('rtmpdump'))(`rtmpdump plays${missing('ffmpeg', 'rtmpdump')}`, () => {
  let gateway: TestGateway;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
    await makeSource(join(folder, 'source.flv'), 3);
    gateway = await startGateway({ core: { grace: '300ms' } });
  });

  afterAll(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('over rtmp, rtmps, rtmpt and rtmpts, packets unchanged and contiguous', async () => {
    const dumps = SCHEMES.map((scheme) => {
      const file = join(folder, `${scheme}.flv`);
      return {
        file,
        running: run('rtmpdump', ['-q', '--live', '-r', gateway.url(scheme, 'live/dumped'), '-o', file], 30_000),
      };
    });
    await gateway.until(() => gateway.subscribers('live/dumped') === dumps.length);
    const file = join(folder, 'source.flv');
    const target = gateway.url('rtmp', 'live/dumped');
    await run('ffmpeg', ['-v', 'error', '-re', '-i', file, '-c', 'copy', '-f', 'flv', target]).finished;
    const source = await packetsOf(file);
    for (const { file, running } of dumps) {
      await running.finished;
      expectUnchanged(await packetsOf(file), source, 0);
    }
  }, 60_000);
});
