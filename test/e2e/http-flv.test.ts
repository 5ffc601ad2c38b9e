import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip, playToEnd, type Clip } from '../support/clip.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { expectUnchanged } from '../support/packets.ts';
import { has, missing } from '../support/programs.ts';

describe.skipIf(!has('ffmpeg'))(`HTTP-FLV with FFmpeg${missing('ffmpeg')}`, () => {
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

  it('plays the packets that RTMP plays, over http and https, to the end of the stream', async () => {
    const players = [
      playToEnd(`http://127.0.0.1:${gateway.ports.http}/flv/live/web.flv`),
      playToEnd(`https://127.0.0.1:${gateway.ports.https}/flv/live/web.flv`),
      playToEnd(gateway.url('rtmp', 'live/web')),
    ];
    await gateway.until(() => gateway.subscribers('live/web') === players.length);
    await clip.publish(gateway.url('rtmp', 'live/web'));
    const [http, https, rtmp] = await Promise.all(players);
    expectUnchanged(http!, clip.packets, 0);
    expect(https).toEqual(http);
    expect(rtmp).toEqual(http);
  }, 60_000);

  it('starts at once with the last group of pictures, as RTMP does', async () => {
    const publishing = clip.publish(gateway.url('rtmp', 'live/late'));
    await gateway.until(() => (gateway.gateway.streams()[0]?.frames ?? 0) > 100);
    const late = playToEnd(`http://127.0.0.1:${gateway.ports.http}/flv/live/late.flv`);
    await publishing;
    const video = withoutTimes((await late).video);
    const source = withoutTimes(clip.packets.video);
    expect(source.slice(-video.length)).toEqual(video);
    // The keyframes are a second apart, and the second of them had passed.
    expect(video.length).toBe(60);
  }, 60_000);

  it('lets the gateway stop at once while somebody plays', async () => {
    const stopping = await startGateway({ core: { grace: '300ms' } });
    const publishing = clip.publish(stopping.url('rtmp', 'live/stop')).catch(() => undefined);
    const playing = playToEnd(`http://127.0.0.1:${stopping.ports.http}/flv/live/stop.flv`);
    await stopping.until(() => stopping.subscribers('live/stop') === 1 && stopping.publishing('live/stop'));
    const began = Date.now();
    await stopping.stop();
    expect(Date.now() - began).toBeLessThan(4_000);
    await Promise.all([publishing, playing]);
  }, 60_000);
});

/** Players count from their own beginning. */
function withoutTimes(packets: readonly string[]): string[] {
  return packets.map((packet) => packet.replace(/^\S+ /, ''));
}
