import { afterEach, describe, expect, it, vi } from 'vitest';
import { aacHeader, audio, avcHeader, inter, key, metadata } from '../support/frames.ts';
import { drainSea, island, links } from '../support/relay-rig.ts';

const until = vi.waitFor;

afterEach(drainSea);

const START = [metadata(), avcHeader(), aacHeader(), key(0), audio(10), inter(40)];
const START_WORDS = ['data:onMetaData@0', 'video:0:header@0', 'audio:0:header@0', 'key@0', 'audio@10', 'video@40'];

describe('a pull', () => {
  it('opens one connection for all players, and closes it a while after the last', async () => {
    const origin = island('origin');
    const feed = origin.publish('live/show');
    feed.send(...START);
    const edge = island('edge', [{ pull: 'cdn/*', from: 'rtmp://origin/live/{stream}', idleMs: 20 }]);
    expect(edge.relays.count).toBe(0);
    const viewers = [edge.watch('cdn/show'), edge.watch('cdn/show')];
    for (const viewer of viewers) await until(() => expect(viewer.words).toEqual(START_WORDS));
    feed.send(audio(50));
    for (const viewer of viewers) await until(() => expect(viewer.words.at(-1)).toBe('audio@50'));
    expect(origin.arrivals).toHaveLength(1);
    viewers[0]!.leave();
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(links(edge)[0]).toMatchObject({ state: 'live' });
    viewers[1]!.leave();
    await until(() => expect([edge.relays.count, origin.server.count]).toEqual([0, 0]));
    expect([...edge.hub.streams()]).toEqual([]);
  });

  it('stands while players come again in time', async () => {
    const origin = island('origin');
    origin.publish('live/show').send(...START);
    const edge = island('edge', [{ pull: 'cdn/*', from: 'rtmp://origin/live/{stream}', idleMs: 5_000 }]);
    const first = edge.watch('cdn/show');
    await until(() => expect(first.words).toEqual(START_WORDS));
    first.leave();
    const second = edge.watch('cdn/show');
    expect(second.words).toEqual(START_WORDS);
    expect([origin.arrivals.length, edge.relays.count]).toEqual([1, 1]);
  });

  it('asks several servers in order, at once, and the first again after one that had the stream', async () => {
    const [one, two] = [island('one'), island('two')];
    one.isDown = true;
    two.publish('live/show').send(...START);
    const from = ['rtmp://one/live/{stream}', 'rtmp://two/live/{stream}'];
    const edge = island('edge', [{ pull: 'cdn/*', from }]);
    const viewer = edge.watch('cdn/show');
    await until(() => expect(viewer.words).toEqual(START_WORDS));
    expect(links(edge)[0]).toMatchObject({ server: 'rtmp://two/live/show', attempts: 2 });
    one.isDown = false;
    one.publish('live/show').send(avcHeader(0, 9), key(0, 9));
    two.breakAll();
    await until(() => expect(viewer.frames.at(-1)!.payload).toEqual(key(0, 9).payload));
    expect(links(edge)[0]).toMatchObject({ server: 'rtmp://one/live/show' });
    expect(viewer.news).toEqual(['published', 'published']);
  });

  it('asks the next server when one accepts and sends nothing', async () => {
    const [mute, origin] = [island('mute'), island('origin')];
    origin.publish('live/show').send(...START);
    const from = ['rtmp://mute/live/{stream}', 'rtmp://origin/live/{stream}'];
    const edge = island('edge', [{ pull: 'cdn/*', from }], { silenceMs: 100 });
    const viewer = edge.watch('cdn/show');
    await until(() => expect(viewer.words).toEqual(START_WORDS), 5_000);
    expect(mute.arrivals).toHaveLength(1);
    expect(links(edge)[0]!.lastError).toMatchObject({ code: 'PEER_STALLED', kind: 'network' });
  });

  it('gives way to somebody who publishes here, and comes back for the players that are left', async () => {
    const origin = island('origin');
    origin.publish('live/show').send(...START);
    origin.isDown = true;
    const edge = island('edge', [{ pull: 'cdn/*', from: 'rtmp://origin/live/{stream}' }], {}, { graceMs: 0 });
    const viewer = edge.watch('cdn/show');
    expect(edge.relays.count).toBe(1);
    const own = edge.publish('cdn/show');
    own.send(key(0, 7));
    await until(() => expect(edge.relays.count).toBe(0));
    expect(viewer.frames.at(-1)!.payload).toEqual(key(0, 7).payload);
    origin.isDown = false;
    own.end();
    await until(() => expect(viewer.frames.at(-1)!.payload).toEqual(inter(40).payload));
    expect(origin.arrivals).toHaveLength(1);
  });

  it.each(['refuse', 'takeover'] as const)(
    'gives its stream to whoever publishes here, and takes it from nobody (%s)',
    async (republish) => {
      const origin = island('origin');
      origin.publish('live/show').send(...START);
      const edge = island('edge', [{ pull: 'cdn/*', from: 'rtmp://origin/live/{stream}' }], {}, { republish });
      const viewer = edge.watch('cdn/show');
      await until(() => expect(viewer.words).toEqual(START_WORDS));
      const own = edge.publish('cdn/show');
      own.send(key(0, 7));
      expect(viewer.frames.at(-1)!.payload).toEqual(key(0, 7).payload);
      await until(() => expect([edge.relays.count, origin.server.count]).toEqual([0, 0]));
      edge.relays.add({ pull: 'cdn/*', from: 'rtmp://origin/live/{stream}' });
      expect([edge.relays.count, own.ended]).toEqual([0, []]);
    },
  );

  it('waits with its players for a stream that is not there yet', async () => {
    const origin = island('origin', [], {}, { graceMs: 0 });
    const edge = island('edge', [{ pull: 'cdn/*', from: 'rtmp://origin/live/{stream}' }]);
    const viewer = edge.watch('cdn/show');
    await until(() => expect(origin.server.count).toBe(1));
    const feed = origin.publish('live/show');
    feed.send(...START);
    await until(() => expect(viewer.words).toEqual(START_WORDS));
    feed.end();
    await until(() => expect(links(edge)[0]!.lastError).toMatchObject({ message: 'the stream ended over there' }));
    origin.publish('live/show').send(...START);
    await until(() => expect(viewer.news).toEqual(['published', 'published']));
  });

  it('feeds the pushes of the same stream, which do not keep it', async () => {
    const [origin, far] = [island('origin'), island('far')];
    origin.publish('live/show').send(...START);
    const copy = far.watch('copy/show');
    const edge = island('edge', [
      { pull: 'cdn/*', from: 'rtmp://origin/live/{stream}', idleMs: 10 },
      { push: 'cdn/*', to: 'rtmp://far/copy/{stream}' },
    ]);
    const viewer = edge.watch('cdn/show');
    await until(() => expect(copy.words).toEqual(START_WORDS));
    viewer.leave();
    await until(() => expect(links(edge, 0)).toEqual([]));
  });

  it('is refused where it would be fetched from itself, directly or by way of another', async () => {
    const a = island('a', [{ pull: '*/show', from: 'rtmp://b/x/show' }]);
    const b = island('b', [{ pull: 'x/*', from: 'rtmp://a/y/{stream}' }]);
    a.watch('live/show');
    await until(() => expect(links(b)[0]).toMatchObject({ state: 'waiting', lastError: { kind: 'refused' } }));
    expect(links(b)[0]!.lastError!.message).toContain('loop');
    expect(links(a)).toHaveLength(1);
  });

  it('is no way to have any number of streams fetched', async () => {
    const origin = island('origin');
    const edge = island('edge', [{ pull: 'cdn/*', from: 'rtmp://origin/live/{stream}' }], { maxPulls: 2 });
    for (const name of ['a', 'b', 'c', 'd']) edge.watch(`cdn/${name}`);
    expect(links(edge)).toHaveLength(2);
    await until(() => expect(origin.arrivals).toHaveLength(2));
    expect(edge.lines.filter(({ level }) => level === 'warn')).toHaveLength(2);
  });
});
