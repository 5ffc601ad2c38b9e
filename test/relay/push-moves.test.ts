import { afterEach, describe, expect, it, vi } from 'vitest';
import { frameFromMessage } from '../../src/media/index.ts';
import { aacHeader, audio, avcHeader, inter, key, metadata } from '../support/frames.ts';
import { FarServer } from '../support/far-server.ts';
import { drainSea, island, links, shore, type Feed, type Island } from '../support/relay-rig.ts';

const until = vi.waitFor;

afterEach(drainSea);

const START = [metadata(), avcHeader(), aacHeader(), key(0), audio(10), inter(40)];
const START_WORDS = ['data:onMetaData@0', 'video:0:header@0', 'audio:0:header@0', 'key@0', 'audio@10', 'video@40'];

async function pushing(old: FarServer): Promise<{ ours: Island; feed: Feed }> {
  const ours = island('ours', [{ push: 'live/*', to: 'rtmp://old/app/secretkey' }]);
  const feed = ours.publish('live/show');
  feed.send(...START);
  await until(() => expect(old.visits.at(-1)?.words).toEqual(START_WORDS));
  return { ours, feed };
}

const messages = ({ lines }: Island): string[] => lines.map(({ message }) => message);

describe('a server that sends a push elsewhere', () => {
  it('is left at a keyframe, once the other has let it publish; there it begins with everything', async () => {
    const [old, next] = [shore('old', new FarServer()), shore('next', new FarServer())];
    const { ours, feed } = await pushing(old);
    old.visits[0]!.reconnect('//next/other/app');
    await until(() => expect(next.visits[0]?.publishing).toBe('secretkey'));
    feed.send(inter(80), audio(90));
    await until(() => expect(old.visits[0]!.words.slice(-2)).toEqual(['video@80', 'audio@90']));
    expect([next.visits[0]!.app, next.visits[0]!.words, old.visits[0]!.has('deleteStream')]).toEqual([
      'other/app',
      [],
      false,
    ]);
    feed.send(key(120), inter(160));
    await until(() => expect(next.visits[0]!.words.at(-1)).toBe('video@40'));
    expect(next.visits[0]!.words).toEqual([
      'data:onMetaData@0',
      'video:0:header@0',
      'audio:0:header@0',
      'key@0',
      'video@40',
    ]);
    await until(() => expect(old.visits[0]!.stream.destroyed).toBe(true));
    expect([old.visits[0]!.words.at(-1), old.visits[0]!.has('deleteStream')]).toEqual(['audio@90', true]);
    expect(links(ours)[0]).toMatchObject({ state: 'live', attempts: 1, lastError: undefined });
    expect(links(ours)[0]!.server).toBe('rtmp://next/other/app/secr…');
    expect(JSON.stringify([ours.relays.list(), ours.lines])).not.toContain('secretkey');
  });

  it.each([
    [undefined, 'app'],
    ['/new/app', 'new/app'],
    ['rtmp://old/third', 'third'],
  ])('may be itself: by %j to %s', async (tcUrl, app) => {
    const old = shore('old', new FarServer());
    const { feed } = await pushing(old);
    old.visits[0]!.reconnect(tcUrl);
    await until(() => expect(old.visits[1]?.publishing).toBe('secretkey'));
    feed.send(key(80));
    await until(() => expect([old.visits[1]!.app, old.visits[1]!.words.at(-1)]).toEqual([app, 'key@0']));
  });

  it('to a place that cannot be reached, or refuses, keeps it', async () => {
    const old = shore('old', new FarServer());
    shore('no', new FarServer({ connect: () => ({ reject: 'not here' }) }));
    const { ours, feed } = await pushing(old);
    for (const place of ['//nowhere/app', '//no/app']) {
      const before = messages(ours).filter((message) => message.startsWith('could not follow')).length;
      old.visits[0]!.reconnect(place);
      await until(() =>
        expect(messages(ours).filter((message) => message.startsWith('could not follow')).length).toBe(before + 1),
      );
    }
    feed.send(key(80));
    await until(() => expect(old.visits[0]!.words.at(-1)).toBe('key@80'));
    expect(links(ours)[0]).toMatchObject({ state: 'live', attempts: 1 });
  });

  it('to a place that is lost again before the keyframe keeps it', async () => {
    const [old, next] = [shore('old', new FarServer()), shore('next', new FarServer())];
    const { ours, feed } = await pushing(old);
    old.visits[0]!.reconnect('//next/app');
    await until(() => expect(next.visits[0]?.publishing).toBe('secretkey'));
    next.visits[0]!.stream.destroy();
    await until(() => expect(messages(ours).some((message) => message.startsWith('could not follow'))).toBe(true));
    feed.send(key(80));
    await until(() => expect(old.visits[0]!.words.at(-1)).toBe('key@80'));
  });

  it('in a circle is followed three times, and then no more', async () => {
    const restless = new FarServer({ published: (visit) => visit.reconnect() });
    const old = shore('old', restless);
    const ours = island('ours', [{ push: 'live/*', to: 'rtmp://old/app/key' }]);
    const feed = ours.publish('live/show');
    let time = 0;
    await until(() => {
      feed.send(key((time += 40)));
      expect(messages(ours).at(-1)).toMatch(/3 times in 60 s: staying$/);
    });
    expect(old.visits).toHaveLength(4);
  });

  it('and is gone before the keyframe: its stream goes on at the other at once', async () => {
    const [old, next] = [shore('old', new FarServer()), shore('next', new FarServer())];
    const { ours, feed } = await pushing(old);
    old.visits[0]!.reconnect('//next/app');
    await until(() => expect(next.visits[0]?.publishing).toBe('secretkey'));
    const { bytes } = links(ours)[0]!.traffic;
    old.visits[0]!.stream.destroy();
    feed.send(inter(80));
    await until(() => expect(next.visits[0]!.words.slice(-3)).toEqual(['audio@10', 'video@40', 'video@80']));
    expect(links(ours)[0]).toMatchObject({ state: 'live', attempts: 1, lastError: undefined });
    expect(links(ours)[0]!.traffic.bytes).toBeGreaterThan(bytes);
    expect(old.visits).toHaveLength(1);
  });

  it('and does not wait until we are there: the next attempt begins there, and a further one where the rule says', async () => {
    const [old, next] = [shore('old', new FarServer()), shore('next', new FarServer({ connect: () => 'nothing' }))];
    const { ours } = await pushing(old);
    old.visits[0]!.reconnect('//next/app?from=old');
    await until(() => expect(next.visits[0]?.has('connect')).toBe(true));
    old.visits[0]!.stream.destroy();
    await until(() => expect(next.visits[1]?.app).toBe('app?from=old'));
    expect(links(ours)[0]).toMatchObject({ state: 'connecting', server: 'rtmp://next/app?…/secr…' });
    for (const { stream } of next.visits) stream.destroy();
    await until(() => expect(old.visits[1]?.publishing).toBe('secretkey'));
    expect(links(ours)[0]).toMatchObject({ state: 'live', attempts: 3, server: 'rtmp://old/app/secr…' });
  });

  it('counts the bytes of both, also while it is left', async () => {
    const [old, next] = [shore('old', new FarServer()), shore('next', new FarServer())];
    const { ours, feed } = await pushing(old);
    old.visits[0]!.reconnect('//next/app');
    await until(() => expect(next.visits[0]?.publishing).toBe('secretkey'));
    old.visits[0]!.stream.pause();
    feed.send(inter(80, 0, 300_000), key(120));
    await until(() => expect(next.visits[0]!.words.at(-1)).toBe('key@0'));
    expect(old.visits[0]!.stream.destroyed).toBe(false);
    expect(links(ours)[0]!.traffic.bytes).toBeGreaterThan(300_000);
  });

  it('without a pause is told of once', async () => {
    const old = shore('old', new FarServer());
    const { ours, feed } = await pushing(old);
    for (let count = 0; count < 50; count++) old.visits[0]!.reconnect('http://no/place');
    feed.send(inter(80));
    await until(() => expect(messages(ours).some((message) => message.endsWith(': staying'))).toBe(true));
    await until(() => expect(old.visits[0]!.words.at(-1)).toBe('video@80'));
    expect(messages(ours).filter((message) => message.endsWith(': staying'))).toHaveLength(1);
  });

  it('leaves nothing behind when it is ended at once, whichever connection it has', async () => {
    const [old, next] = [shore('old', new FarServer()), shore('next', new FarServer())];
    const { ours, feed } = await pushing(old);
    old.visits[0]!.reconnect('//next/app');
    await until(() => expect(next.visits[0]?.publishing).toBe('secretkey'));
    // It takes nothing any more, a goodbye neither.
    old.visits[0]!.stream.pause();
    feed.send(key(80, 0, 500_000), key(120));
    await until(() => expect(next.visits[0]!.words.at(-1)).toBe('key@40'));
    next.visits[0]!.stream.pause();
    ours.relays.destroy();
    for (const { visits } of [old, next]) await until(() => expect(visits[0]!.isLeft).toBe(true));
  });

  it('ends politely where it went to', async () => {
    const [old, next] = [shore('old', new FarServer()), shore('next', new FarServer())];
    const { ours, feed } = await pushing(old);
    old.visits[0]!.reconnect('//next/app');
    await until(() => expect(next.visits[0]?.publishing).toBe('secretkey'));
    feed.send(key(80));
    await until(() => expect(next.visits[0]!.words.at(-1)).toBe('key@0'));
    feed.send(inter(120));
    await ours.relays.stop();
    expect([next.visits[0]!.words.at(-1), next.visits[0]!.has('deleteStream')]).toEqual(['video@40', true]);
  });

  it('ends politely while it is on the move', async () => {
    const [old, next] = [shore('old', new FarServer()), shore('next', new FarServer())];
    const { ours } = await pushing(old);
    old.visits[0]!.reconnect('//next/app');
    await until(() => expect(next.visits[0]?.publishing).toBe('secretkey'));
    await ours.relays.stop();
    expect(old.visits[0]!.has('deleteStream')).toBe(true);
    await until(() => expect(next.visits[0]!.stream.destroyed).toBe(true));
  });
});

const hevc = (timestamp: number) =>
  frameFromMessage({ type: 9, streamId: 1, timestamp, payload: Buffer.from([0x93, ...Buffer.from('hvc1'), 1, 2]) });

describe('a codec that is not for a server', () => {
  it('is left out, and said so once; the others get it', async () => {
    const [plain, rich] = [
      shore('plain', new FarServer({ connect: () => ({ accept: { fourCcList: ['av01'] } }) })),
      shore('rich', new FarServer()),
    ];
    const ours = island('ours', [
      { push: 'live/*', to: ['rtmp://plain/a/b', 'rtmp://rich/a/b'] },
      { push: 'live/*', to: 'rtmp://rich/c/d', codecs: ['aac'] },
    ]);
    const feed = ours.publish('live/show');
    feed.send(metadata(), avcHeader(), aacHeader(), hevc(0), audio(10), hevc(40), audio(50));
    const sound = ['data:onMetaData@0', 'video:0:header@0', 'audio:0:header@0', 'audio@10', 'audio@50'];
    await until(() => expect(plain.visits[0]?.words).toEqual(sound));
    await until(() => expect(rich.visits.map(({ words }) => words.length)).toEqual([7, 4]));
    expect(links(ours).map(({ traffic }) => traffic.leftOut)).toEqual([['hvc1'], []]);
    expect(links(ours, 1).map(({ traffic }) => traffic.leftOut)).toEqual([['avc1', 'hvc1']]);
    const told = ours.lines.filter(({ message }) => message.startsWith('left out')).map(({ fields }) => fields);
    expect(told.map((fields) => (fields as { codec: string }).codec).sort()).toEqual(['avc1', 'hvc1', 'hvc1']);
  });
});
