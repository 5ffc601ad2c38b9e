import { afterEach, describe, expect, it, vi } from 'vitest';
import { Driver, now, random } from '../../src/endpoint/index.ts';
import { readHops } from '../../src/endpoint/hops.ts';
import { frameFromMessage } from '../../src/media/index.ts';
import { ServerSession, type ConnectRequest, type MediaReceived, type ServerEvent } from '../../src/protocol/index.ts';
import { aacHeader, audio, avcHeader, cuePoint, inter, key, metadata, string } from '../support/frames.ts';
import { memoryPair } from '../support/memory-link.ts';
import { drainSea, island, links, sea, type Island } from '../support/relay-rig.ts';

const until = vi.waitFor;

afterEach(drainSea);

const START = [metadata(), avcHeader(), aacHeader(), key(0), audio(10), inter(40)];
const START_WORDS = ['data:onMetaData@0', 'video:0:header@0', 'audio:0:header@0', 'key@0', 'audio@10', 'video@40'];

describe('a push', () => {
  it('brings a stream to every server of every rule that speaks of it, from the first packet on', async () => {
    const [one, two] = [island('one'), island('two')];
    const viewers = [one.watch('a/show'), two.watch('b/live-show'), two.watch('c/show')];
    const ours = island('ours', [
      { push: 'live/*', to: ['rtmp://one/a/{stream}', 'rtmp://two/b/{app}-{stream}'] },
      { push: '*/show', to: 'rtmp://two/c', key: '{stream}' },
      { push: 'other/*', to: 'rtmp://two/d/{stream}' },
    ]);
    ours.publish('live/show').send(...START);
    for (const viewer of viewers) await until(() => expect(viewer.words).toEqual(START_WORDS));
    expect(ours.relays.list().map((rule) => rule.links.map(({ state }) => state))).toEqual([
      ['live', 'live'],
      ['live'],
      [],
    ]);
  });

  it('says application and key byte for byte, comes as a gateway, and wraps metadata', async () => {
    const ours = island('ours', [{ push: 'live/*', to: 'rtmp://far/app/%7E{stream}?sig=a/b+c%3D&x' }]);
    const [theirs, end] = memoryPair();
    const heard: ServerEvent[] = [];
    const session = new ServerSession({ random }, now());
    const event = (told: ServerEvent): void => {
      heard.push(told);
      if ('id' in told) session.accept(told.id, now());
    };
    const driver = new Driver<ServerEvent>(end, session, { event, drained: () => {}, closed: () => {} });
    sea.set('far', { isDown: false, arrive: () => theirs, stop: async () => driver.destroy() } as unknown as Island);
    ours.publish('live/show').send(...START);
    await until(() => expect(heard.filter(({ type }) => type === 'media')).toHaveLength(START.length));
    const [connect, publish, first] = heard;
    expect(connect).toMatchObject({ app: 'app', tcUrl: 'rtmp://far/app' });
    expect(readHops((connect as ConnectRequest).properties)).toEqual(['ours']);
    expect(publish).toMatchObject({ name: '%7Eshow?sig=a/b+c%3D&x', kind: 'live' });
    expect((first as MediaReceived).message.payload.subarray(3, 16).toString()).toBe('@setDataFrame');
  });

  it('brings timed data too, and nothing that was said to a player about playing', async () => {
    const far = island('far');
    const viewer = far.watch('app/show');
    const ours = island('ours', [{ push: 'live/*', to: 'rtmp://far/app/{stream}' }]);
    const access = frameFromMessage({
      ...{ type: 18, streamId: 1, timestamp: 5 },
      payload: Buffer.concat([string('|RtmpSampleAccess'), Buffer.from([1, 1, 1, 1])]),
    });
    ours.publish('live/show').send(avcHeader(), key(0), access, cuePoint(20, 7), inter(40));
    await until(() => expect(viewer.words).toEqual(['video:0:header@0', 'key@0', 'data@20', 'video@40']));
    expect(viewer.frames[2]!.payload).toEqual(cuePoint(20, 7).payload);
  });

  it('waits for a server that is down, and begins with configurations and the last keyframe, at time 0', async () => {
    const far = island('far');
    const viewer = far.watch('app/show');
    far.isDown = true;
    const ours = island('ours', [{ push: 'live/*', to: 'rtmp://far/app/{stream}' }]);
    const feed = ours.publish('live/show');
    feed.send(...START, key(2000, 1), inter(2040));
    await until(() => expect(links(ours)[0]).toMatchObject({ state: 'waiting', lastError: { kind: 'network' } }));
    far.isDown = false;
    await until(() =>
      expect(viewer.words).toEqual(['data:onMetaData@0', 'video:0:header@0', 'audio:0:header@0', 'key@0', 'video@40']),
    );
    feed.send(audio(2050));
    await until(() => expect(viewer.words.at(-1)).toBe('audio@50'));
    expect(links(ours)[0]).toMatchObject({ state: 'live', lastError: { code: 'CONNECT_FAILED' } });
  });

  it('comes back after its connection broke, with nothing before a keyframe, and the other server notices nothing', async () => {
    const [far, other] = [island('far'), island('other')];
    const [viewer, neighbour] = [far.watch('app/show'), other.watch('app/show')];
    const ours = island('ours', [{ push: 'live/*', to: ['rtmp://far/app/{stream}', 'rtmp://other/app/{stream}'] }]);
    const feed = ours.publish('live/show');
    feed.send(...START);
    await until(() => expect(viewer.words).toEqual(START_WORDS));
    far.isDown = true;
    far.breakAll();
    feed.send(inter(80), key(4000), inter(4040));
    await until(() => expect(links(ours)[0]!.attempts).toBeGreaterThan(2));
    far.isDown = false;
    await until(() => expect(viewer.frames.filter(({ isKeyframe }) => isKeyframe)).toHaveLength(2));
    const again = viewer.frames.slice(START.length);
    expect(again.map(({ payload }) => payload)).toEqual(
      [metadata(), avcHeader(), aacHeader(), key(0), inter(0)].map(({ payload }) => payload),
    );
    expect(neighbour.words.slice(START.length)).toEqual(['video@80', 'key@4000', 'video@4040']);
    expect(links(ours)[1]).toMatchObject({ attempts: 1, traffic: { dropped: 0 } });
  });

  it('is refused: says so, hides the key, and waits long', async () => {
    const far = island('far');
    far.publish('app/secretkey-show');
    const ours = island('ours', [{ push: 'live/*', to: 'rtmp://far/app/secretkey-{stream}?token=geheim' }]);
    ours.publish('live/show').send(...START);
    await until(() => expect(links(ours)[0]).toMatchObject({ state: 'waiting', lastError: { kind: 'refused' } }));
    const [link] = links(ours);
    expect(link!.lastError!.message).toContain('BadName');
    expect(link!.retryInMs).toBeGreaterThan(30_000);
    expect(ours.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(JSON.stringify([ours.relays.list(), ours.lines])).not.toMatch(/secretkey|geheim/);
  });

  it('keeps its connection while the publisher is away and returns, and the far stream goes on', async () => {
    const far = island('far');
    const viewer = far.watch('app/show');
    const ours = island('ours', [{ push: 'live/*', to: 'rtmp://far/app/{stream}' }]);
    const first = ours.publish('live/show');
    first.send(...START);
    await until(() => expect(viewer.words).toEqual(START_WORDS));
    first.end();
    ours.publish('live/show').send(avcHeader(0, 9), key(0), inter(40));
    await until(() => expect(viewer.frames.length).toBe(START.length + 3));
    const [header, keyframe, picture] = viewer.frames.slice(START.length);
    expect(header!.payload).toEqual(avcHeader(0, 9).payload);
    expect(keyframe!.timestamp).toBeGreaterThan(40);
    expect(picture!.timestamp - keyframe!.timestamp).toBe(40);
    expect(viewer.news).toEqual(['published']);
    expect(links(ours)[0]!.attempts).toBe(1);
  });

  it('ends with the stream, when everything has arrived', async () => {
    const far = island('far', [], {}, { graceMs: 0 });
    const viewer = far.watch('app/show');
    const ours = island('ours', [{ push: 'live/*', to: 'rtmp://far/app/{stream}' }], {}, { graceMs: 0 });
    const feed = ours.publish('live/show');
    feed.send(...START);
    await until(() => expect(viewer.words).toEqual(START_WORDS));
    feed.send(key(80), inter(120));
    feed.end();
    await until(() => expect(viewer.news).toEqual(['published', 'unpublished']));
    expect(viewer.words.slice(START.length)).toEqual(['key@80', 'video@120']);
    await until(() => expect([links(ours), ours.relays.count, [...ours.hub.streams()]]).toEqual([[], 0, []]));
  });

  const stalled = expect.objectContaining({ code: 'PEER_STALLED', server: 'rtmp://far/app/show' });

  it('to a server that reads nothing costs that server its frames, and then its connection; nobody waits', async () => {
    const [far, other] = [island('far'), island('other')];
    const neighbour = other.watch('app/show');
    const outbox = { maxFrames: 100, maxBytes: 400_000, maxDurationMs: 10_000 };
    const ours = island('ours', [{ push: 'live/*', to: ['rtmp://far/app/{stream}', 'rtmp://other/app/{stream}'] }], {
      outbox,
      stallMs: 150,
    });
    const feed = ours.publish('live/show');
    feed.send(...START);
    await until(() => expect(far.publishing('app/show')).toBe(true));
    await until(() => expect(neighbour.words).toEqual(START_WORDS));
    far.arrivals[0]![1].pause();
    for (let i = 1; i <= 40; i++) {
      feed.send(key(i * 100, i, 40_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { traffic } = links(ours)[0]!;
    expect(traffic.queued.bytes).toBeLessThanOrEqual(outbox.maxBytes);
    expect(traffic.dropped).toBeGreaterThan(10);
    await until(() => expect(neighbour.words).toHaveLength(START.length + 40));
    await until(() => expect(ours.lines).toContainEqual(expect.objectContaining({ fields: stalled })));
  });
});

describe('rules', () => {
  it('come and go while streams are there', async () => {
    const far = island('far');
    const viewer = far.watch('app/show');
    const ours = island('ours');
    ours.publish('live/show').send(...START);
    const id = ours.relays.add({ push: 'live/*', to: 'rtmp://far/app/{stream}' });
    await until(() => expect(viewer.words).toEqual(START_WORDS));
    expect(ours.relays.list()).toMatchObject([
      { id, kind: 'push', match: 'live/*', servers: ['rtmp://far/app/{stream}'], links: [{ state: 'live' }] },
    ]);
    expect([ours.relays.remove(id), ours.relays.remove(id), ours.relays.list()]).toEqual([true, false, []]);
    await until(() => expect(far.publishing('app/show')).toBe(false));
  });

  it('are refused when they cannot be followed', () => {
    const { relays } = island('ours');
    expect(() => relays.add({ push: 'live/a**', to: 'rtmp://far/app/x' })).toThrow(/beside other text/);
    expect(() => relays.add({ push: 'live/*', to: [] })).toThrow(/at least one URL/);
    expect(() => relays.add({ pull: 'live/*', from: 'http://far/app/x' })).toThrow(/expected a URL/);
    expect(relays.list()).toEqual([]);
  });
});

describe('a ring of relays', () => {
  it('is refused where it closes, however many gateways it has', async () => {
    const a = island('a', [{ push: 'live/*', to: 'rtmp://b/b/{stream}' }]);
    const b = island('b', [{ push: 'b/*', to: 'rtmp://c/c/{stream}' }]);
    const c = island('c', [{ push: 'c/*', to: 'rtmp://a/back/{stream}' }]);
    a.publish('live/show').send(...START);
    await until(() => expect(links(c)[0]).toMatchObject({ state: 'waiting', lastError: { kind: 'refused' } }));
    expect(links(c)[0]!.lastError!.message).toContain('loop');
    expect([b.publishing('b/show'), c.publishing('c/show'), a.publishing('back/show')]).toEqual([true, true, false]);
  });
});
