import { describe, expect, it } from 'vitest';
import { makeClip, playToEnd } from '../support/clip.ts';
import { startGateway } from '../support/gateway.ts';
import { keeping } from '../support/kept.ts';
import { has, missing } from '../support/programs.ts';
import { pictures } from '../support/relay-targets.ts';

const { kept, later } = keeping();

describe.skipIf(!has('ffmpeg'))(`A push of some codecs${missing('ffmpeg')}`, () => {
  it('is a whole stream of these: FFmpeg plays it at once, unchanged, and misses nothing in it', async () => {
    const clip = await makeClip(4);
    later(() => clip.remove());
    const target = kept(await startGateway({ core: { grace: '300ms' } }));
    const rule = (name: string, codec: string) => ({
      push: 'live/*',
      to: target.url('rtmp', `copy/${name}`),
      codecs: codec,
    });
    const relay = [rule('sound', 'aac'), rule('picture', 'h264')];
    const source = kept(await startGateway({ core: { grace: '300ms' }, relay }));
    const playing = ['sound', 'picture'].map((name) => playToEnd(target.url('rtmp', `copy/${name}`)));
    await target.until(() => target.subscribers('copy/sound') + target.subscribers('copy/picture') === 2);
    const publishing = clip.publish(source.url('rtmp', 'live/show'));
    await source.until(() => source.gateway.relays().every(({ links }) => links[0]?.traffic.leftOut.length === 1));
    expect(source.gateway.relays().map(({ links }) => links[0]!.traffic.leftOut)).toEqual([['avc1'], ['mp4a']]);
    await publishing;
    const [sound, picture] = await Promise.all(playing);
    // A player's first stream is its only one, and begins at 0.
    const sent = { sound: { ...clip.packets, video: clip.packets.audio }, picture: clip.packets };
    expect([pictures(sound!), sound!.audio]).toEqual([pictures(sent.sound), []]);
    expect([pictures(picture!), picture!.audio]).toEqual([pictures(sent.picture), []]);
  }, 60_000);
});
