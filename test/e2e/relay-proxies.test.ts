import { describe, expect, it } from 'vitest';
import { makeClip, playToEnd } from '../support/clip.ts';
import { PROXY_PASSWORD, PROXY_USERINFO, startSocks, startSquid } from '../support/egress-proxies.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { keeping } from '../support/kept.ts';
import { expectUnchanged } from '../support/packets.ts';
import { has, missing } from '../support/programs.ts';
import { recordingLog } from '../support/recording-log.ts';
import { TAIL_LOST_BY_FFMPEG } from '../support/sixteen-pairs.ts';

const SCHEMES = ['rtmp', 'rtmps', 'rtmpt', 'rtmpts'] as const;

const { kept, later } = keeping();

/** Publishes to a gateway that pushes over all four schemes through `proxy`; fails unless everything arrives unchanged. */
async function pushThrough(target: TestGateway, proxy: string): Promise<void> {
  const clip = await makeClip(4);
  later(() => clip.remove());
  const { log, lines } = recordingLog();
  const to = SCHEMES.map((scheme) => target.url(scheme, `copy/${scheme}-{stream}`));
  const rules = [{ push: 'live/*', to, verify: false, proxy }];
  const source = kept(await startGateway({ core: { grace: '300ms' }, relay: rules }, log));
  const played = SCHEMES.map((scheme) => playToEnd(target.url('rtmp', `copy/${scheme}-show`)));
  await target.until(() => SCHEMES.every((scheme) => target.subscribers(`copy/${scheme}-show`) === 1));
  await clip.publish(source.url('rtmp', 'live/show'));
  for (const packets of await Promise.all(played)) expectUnchanged(packets, clip.packets, TAIL_LOST_BY_FFMPEG.rtmp);
  await source.until(() => source.gateway.counts().relays === 0);
  const said = JSON.stringify([lines, source.gateway.relays()]);
  expect([PROXY_PASSWORD, PROXY_USERINFO].filter((secret) => said.includes(secret))).toEqual([]);
}

describe.skipIf(!has('ffmpeg') || !has('squid'))(`A push through Squid${missing('ffmpeg', 'squid')}`, () => {
  it('over rtmp, rtmps, rtmpt and rtmpts: packets unchanged', async () => {
    const target = kept(await startGateway({ core: { grace: '300ms' } }));
    const squid = kept(await startSquid([target.ports.rtmp, target.ports.https]));
    await pushThrough(target, `http://${PROXY_USERINFO}@127.0.0.1:${squid.http}`);
  }, 60_000);
});

describe.skipIf(!has('ffmpeg') || !has('microsocks'))(`A push through SOCKS${missing('ffmpeg', 'microsocks')}`, () => {
  it('over rtmp, rtmps, rtmpt and rtmpts: packets unchanged', async () => {
    const target = kept(await startGateway({ core: { grace: '300ms' } }));
    const socks = kept(await startSocks());
    await pushThrough(target, `socks5h://${PROXY_USERINFO}@127.0.0.1:${socks.port}`);
  }, 60_000);
});
