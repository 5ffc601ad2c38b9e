import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { dumpToEnd, makeClip, type Clip } from '../support/clip.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { expectUnchanged } from '../support/packets.ts';
import { has, missing } from '../support/programs.ts';
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
  let clip: Clip;

  beforeAll(async () => {
    clip = await makeClip(3);
    gateway = await startGateway({ core: { grace: '300ms' } });
  });

  afterAll(async () => {
    await gateway?.stop();
    await clip?.remove();
  });

  it('over rtmp, rtmps, rtmpt and rtmpts, packets unchanged and contiguous', async () => {
    const dumps = SCHEMES.map((scheme) =>
      dumpToEnd(gateway.url(scheme, 'live/dumped'), join(clip.folder, `${scheme}.flv`)),
    );
    await gateway.until(() => gateway.subscribers('live/dumped') === dumps.length);
    await clip.publish(gateway.url('rtmp', 'live/dumped'));
    for (const played of dumps) expectUnchanged(await played, clip.packets, 0);
  }, 60_000);
});
