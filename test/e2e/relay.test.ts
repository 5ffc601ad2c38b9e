import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip, playToEnd, type Clip } from '../support/clip.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { keeping } from '../support/kept.ts';
import { expectUnchanged } from '../support/packets.ts';
import { has, missing, run } from '../support/programs.ts';
import { expectFromKeyframe, KEYFRAME_EVERY, pictures, twoTargets } from '../support/relay-targets.ts';
import { TAIL_LOST_BY_FFMPEG } from '../support/sixteen-pairs.ts';

const LOST = TAIL_LOST_BY_FFMPEG.rtmpt;

const { kept, later } = keeping();

/** To be stopped after the test, the last first. */
async function gateway(overrides: Record<string, unknown> = {}): Promise<TestGateway> {
  return kept(await startGateway({ core: { grace: '300ms' }, ...overrides }));
}

const framesOf = ({ gateway }: TestGateway, path: string) =>
  gateway.streams().find(({ name }) => `${name.app}/${name.key}` === path)?.frames;

const links = ({ gateway }: TestGateway) => gateway.relays()[0]!.links;

describe.skipIf(!has('ffmpeg'))(`FFmpeg's stream goes on to other servers${missing('ffmpeg')}`, () => {
  let clip: Clip;

  beforeAll(async () => {
    clip = await makeClip(4);
  });

  afterAll(() => clip?.remove());

  it('over rtmp, rtmps, rtmpt and rtmpts, published over rtmpt: packets unchanged', async () => {
    const target = await gateway();
    const schemes = ['rtmp', 'rtmps', 'rtmpt', 'rtmpts'] as const;
    const to = schemes.map((scheme) => target.url(scheme, `copy/${scheme}-{stream}?token=a/b%2F+c=`));
    const source = await gateway({ relay: [{ push: 'live/*', to, verify: false }] });
    const played = schemes.map((scheme) => playToEnd(target.url('rtmp', `copy/${scheme}-show`)));
    await target.until(() => schemes.every((scheme) => target.subscribers(`copy/${scheme}-show`) === 1));
    await clip.publish(source.url('rtmpt', 'live/show'));
    for (const packets of await Promise.all(played)) expectUnchanged(packets, clip.packets, LOST);
    await source.until(() => links(source).length === 0);
  }, 60_000);

  it('and one that takes connections and reads nothing, or is not there, costs the others nothing', async () => {
    const dead = net.createServer((socket) => void socket.pause().on('error', () => {}));
    await once(dead.listen(0, '127.0.0.1'), 'listening');
    later(async () => dead.close());
    const { port } = dead.address() as net.AddressInfo;
    const target = await gateway();
    const to = [`rtmp://127.0.0.1:${port}/a/b`, 'rtmp://127.0.0.1:1/a/b', target.url('rtmp', 'copy/{stream}')];
    const source = await gateway({ relay: [{ push: 'live/*', to }] });
    const played = playToEnd(target.url('rtmp', 'copy/show'));
    await target.until(() => target.subscribers('copy/show') === 1);
    await clip.publish(source.url('rtmp', 'live/show'));
    expectUnchanged(await played, clip.packets, 0);
    await source.until(() => links(source).length === 0);
  }, 60_000);

  it('when somebody says so while it is there, and not any more when told to stop', async () => {
    const target = await gateway();
    const token = '0123456789abcdef';
    const source = await gateway({ admin: { listen: '127.0.0.1:0', token } });
    const relays = `http://127.0.0.1:${source.gateway.adminPort}/api/v1/relays`;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' };
    const publishing = clip.publish(source.url('rtmp', 'live/show'));
    await source.until(() => source.publishing('live/show'));
    const rule = { push: 'live/*', to: target.url('rtmps', 'copy/{stream}'), verify: false };
    expect((await fetch(relays, { method: 'POST', body: JSON.stringify(rule) })).status).toBe(401);
    const added = await fetch(relays, { method: 'POST', headers, body: JSON.stringify(rule) });
    const { id } = (await added.json()) as { id: string };
    await target.until(() => target.publishing('copy/show'));
    expect(await (await fetch(`${relays}/${id}`, { headers })).json()).toMatchObject({ links: [{ state: 'live' }] });
    await fetch(`${relays}/${id}`, { method: 'DELETE', headers });
    await target.until(() => !target.publishing('copy/show'));
    expect(source.publishing('live/show')).toBe(true);
    await publishing;
  }, 60_000);

  it('is fetched for its first player from the second source, the first being dead, and let go after the last', async () => {
    const origin = await gateway();
    const from = ['rtmp://127.0.0.1:1/x/{stream}', origin.url('rtmpt', 'live/{stream}')];
    const edge = await gateway({ relay: [{ pull: 'cdn/*', from, idle: '100ms' }] });
    const publishing = clip.publish(origin.url('rtmp', 'live/show'));
    await origin.until(() => origin.publishing('live/show'));
    const played = playToEnd(edge.url('rtmp', 'cdn/show'));
    await edge.until(() => edge.publishing('cdn/show'));
    expect(links(edge)).toMatchObject([{ state: 'live', stream: 'cdn/show' }]);
    expectFromKeyframe(await played, clip.packets, 0);
    await publishing;
    await edge.until(() => links(edge).length === 0);
  }, 60_000);
});

const PROGRAMS = ['ffmpeg', 'nginx-rtmp', 'haproxy'] as const;

describe.skipIf(!PROGRAMS.every(has))(`nginx-rtmp behind HAProxy as target${missing(...PROGRAMS)}`, () => {
  it('gets the packets unchanged over rtmps, beside a gateway over rtmpt', async () => {
    const { clip, nginx, target, source } = await twoTargets(4, kept);
    const played = [`${nginx.url}/live/show`, target.url('rtmp', 'copy/show')].map((url) => playToEnd(url));
    await Promise.all([nginx.has('show', 1), target.until(() => target.subscribers('copy/show') === 1)]);
    await clip.publish(source.url('rtmpt', 'live/show'));
    for (const packets of await Promise.all(played)) expectUnchanged(packets, clip.packets, LOST);
  }, 60_000);

  it('is down for some seconds: its stream resumes at a keyframe, and the other target misses nothing', async () => {
    const { clip, nginx, target, source } = await twoTargets(14, kept);
    const unbroken = playToEnd(target.url('rtmp', 'copy/show'));
    await target.until(() => target.subscribers('copy/show') === 1);
    const publishing = clip.publish(source.url('rtmpt', 'live/show'));
    await nginx.has('show', 1);
    await nginx.kill();
    await source.until(() => (links(source)[0]?.attempts ?? 0) >= 3);
    expect(links(source)[0]).toMatchObject({ liveMs: undefined, lastError: { kind: 'network' } });
    await nginx.start();
    const resumed = playToEnd(`${nginx.url}/live/show`);
    await publishing;
    expectUnchanged(await unbroken, clip.packets, LOST);
    const start = expectFromKeyframe(await resumed, clip.packets, LOST);
    expect(start).toBeGreaterThan(KEYFRAME_EVERY);
  }, 60_000);

  it('keeps its connection while the publisher is killed and comes back: one publication over there, and all of both', async () => {
    const { clip, nginx, target, source } = await twoTargets(5, kept, '8s');
    const played = playToEnd(`${nginx.url}/live/show`);
    await nginx.has('show', 1);
    const args = ['-v', 'error', '-re', '-i', clip.file, '-c', 'copy', '-f', 'flv', source.url('rtmp', 'live/show')];
    const first = run('ffmpeg', args);
    await target.until(() => (framesOf(target, 'copy/show') ?? 0) > 150);
    first.child.kill('SIGKILL');
    await first.finished;
    await clip.publish(source.url('rtmp', 'live/show'));
    expect(links(source).map(({ attempts, lastError }) => [attempts, lastError])).toEqual([
      [1, undefined],
      [1, undefined],
    ]);
    await source.gateway.stop();
    const [got, sent] = [pictures(await played), pictures(clip.packets)];
    const before = got.length - sent.length;
    expect(before).toBeGreaterThan(KEYFRAME_EVERY);
    expect(got).toEqual([...sent.slice(0, before), ...sent]);
  }, 60_000);
});
