import { afterEach, describe, expect, it, vi } from 'vitest';
import { avcHeader, key } from '../support/frames.ts';
import { FarServer } from '../support/far-server.ts';
import { drainSea, island, links, shore } from '../support/relay-rig.ts';

const until = vi.waitFor;

afterEach(drainSea);

const FAR = 'rtmp://far/app/{stream}';

/** A gateway that publishes `live/show` and pushes it to `far`. */
async function pushing() {
  const far = shore('far', new FarServer());
  const ours = island('ours', [{ push: 'live/*', to: FAR }]);
  ours.publish('live/show').send(avcHeader(), key(0));
  await until(() => expect(far.visits[0]?.words.at(-1)).toBe('key@0'));
  return { far, ours };
}

describe('rules', () => {
  it('that are read again and say the same go on untouched', async () => {
    const { far, ours } = await pushing();
    expect(ours.relays.replace([{ push: 'live/*', to: FAR }])).toEqual({ added: 0, removed: 0, kept: 1 });
    expect([ours.relays.list()[0]!.id, links(ours)[0]!.state, far.visits.length]).toEqual(['r1', 'live', 1]);
  });

  it('that are gone end what they began; new ones begin with what is there', async () => {
    const { far, ours } = await pushing();
    const near = shore('near', new FarServer());
    expect(ours.relays.replace([{ push: '*/show', to: 'rtmp://near/app/x' }])).toEqual({
      added: 1,
      removed: 1,
      kept: 0,
    });
    await until(() => expect(near.visits[0]?.words).toEqual(['video:0:header@0', 'key@0']));
    await until(() => expect(far.visits[0]!.has('deleteStream')).toBe(true));
    expect(ours.relays.list().map(({ id, match }) => [id, match])).toEqual([['r2', '*/show']]);
  });

  it('that change for the same place wait until the old goodbye is said', async () => {
    const { far, ours } = await pushing();
    ours.relays.replace([{ push: 'live/*', to: FAR, codecs: ['h264'] }]);
    await until(() => expect(far.visits[1]?.words.at(-1)).toBe('key@0'));
    expect(far.visits[0]!.stream.destroyed).toBe(true);
  });

  it('that change twice leave no goodbye behind when all is ended at once', async () => {
    const { far, ours } = await pushing();
    // It takes no goodbye.
    far.visits[0]!.stream.pause();
    for (const codecs of [['h264'], ['aac']]) ours.relays.replace([{ push: 'live/*', to: FAR, codecs }]);
    expect(ours.relays.count).toBe(3);
    ours.relays.destroy();
    await until(() => expect(far.visits[0]!.isLeft).toBe(true));
  });

  it.each([
    ['changes', [{ pull: 'cdn/*', from: 'rtmp://origin/live/{stream}', idleMs: 20_000 }]],
    ['goes', []],
  ])('of which one that fetches %s: its players get the stream from the next', async (_, rules) => {
    const origin = island('origin');
    origin.publish('live/show').send(avcHeader(), key(0));
    const rule = { pull: 'cdn/*', from: 'rtmp://origin/live/{stream}' };
    const edge = island('edge', [rule]);
    if (rules.length === 0) edge.relays.add(rule);
    const viewer = edge.watch('cdn/show');
    await until(() => expect(viewer.words).toEqual(['video:0:header@0', 'key@0']));
    edge.relays.replace(rules);
    await until(() => expect(viewer.words).toHaveLength(4));
    expect([origin.arrivals.length, viewer.news, edge.relays.count]).toEqual([2, ['published', 'published'], 1]);
  });

  it('that somebody added stay, behind those of the file, which keep the order of the file', async () => {
    const { ours } = await pushing();
    const added = ours.relays.add({ pull: 'cdn/*', from: 'rtmp://far/live/{stream}' });
    ours.relays.replace([
      { pull: 'a/*', from: FAR },
      { push: 'live/*', to: FAR },
    ]);
    expect(ours.relays.list().map(({ id, origin, match }) => [id, origin, match])).toEqual([
      ['r3', 'config', 'a/*'],
      ['r1', 'config', 'live/*'],
      [added, 'api', 'cdn/*'],
    ]);
  });

  it('of which two say the same are two', () => {
    const rule = { push: 'live/*', to: FAR };
    const ours = island('ours', [rule, rule]);
    expect(ours.relays.replace([rule])).toEqual({ added: 0, removed: 1, kept: 1 });
    expect(ours.relays.list()).toHaveLength(1);
  });

  it('with one among them that cannot be followed change nothing', async () => {
    const { ours } = await pushing();
    const next = [
      { push: 'a/*', to: FAR },
      { push: 'b/*', to: 'http://no' },
    ];
    expect(() => ours.relays.replace(next)).toThrow(expect.objectContaining({ code: 'BAD_URL' }));
    expect(ours.relays.list().map(({ match }) => match)).toEqual(['live/*']);
    expect(links(ours)[0]!.state).toBe('live');
  });

  it('are listed with their proxies, and without anybody’s password', () => {
    const ours = island('ours', [
      { push: 'live/*', to: 'rtmp://user:geheim@far/app/secretkey', proxy: 'http://me:geheim@proxy:3128' },
    ]);
    expect(ours.relays.list()[0]).toMatchObject({ proxy: 'http://proxy:3128', servers: ['rtmp://far/app/secr…'] });
    expect(JSON.stringify(ours.relays.list())).not.toMatch(/geheim|user/);
  });
});

it('counts what works or tries to, the goodbyes included', async () => {
  const { ours } = await pushing();
  expect(ours.relays.count).toBe(1);
  const stopped = ours.relays.stop();
  expect(ours.relays.count).toBe(1);
  await stopped;
  expect(ours.relays.count).toBe(0);
});

it('lets no more streams be fetched at once than may be', async () => {
  const far = shore('far', new FarServer());
  const ours = island('ours', [{ pull: 'cdn/*', from: 'rtmp://far/live/{stream}' }], { maxPulls: 2 });
  for (const name of ['a', 'b', 'c']) ours.watch(`cdn/${name}`);
  await until(() => expect(far.visits).toHaveLength(2));
  expect(ours.relays.count).toBe(2);
  expect(ours.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
});
