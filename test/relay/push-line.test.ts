import { expect, it, vi } from 'vitest';
import { Hub, streamName } from '../../src/hub/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { kindOf } from '../../src/relay/back-off.ts';
import { PushLine } from '../../src/relay/push-line.ts';
import { targetTemplate } from '../../src/relay/target.ts';
import { FarServer, type FarHabits } from '../support/far-server.ts';
import { audio, avcHeader, inter, key, metadata } from '../support/frames.ts';

const until = vi.waitFor;
const target = targetTemplate('rtmp://far/app/key').fill(streamName('live', 'show'));

function rig(habits: FarHabits = {}) {
  const far = new FarServer(habits);
  const heard: unknown[] = [];
  const events = {
    drained: () => {},
    moved: (_: PushLine, tcUrl: string | undefined) => void heard.push(tcUrl),
    leftOut: (codec: string) => void heard.push(codec),
  };
  const shared = { hub: new Hub(), log: NO_LOG, gatewayId: 'ours', dialTo: () => async () => far.arrive() };
  const leave = new AbortController();
  const open = (codecs?: ReadonlySet<string>): Promise<PushLine> =>
    PushLine.open(target, shared, [], { stallMs: 1000, codecs }, events, leave.signal, 0);
  return { far, heard, open, leave };
}

it('begins at 0 and goes on, metadata wrapped', async () => {
  const { far, open } = rig();
  const line = await open();
  expect([metadata(700), avcHeader(700), key(700), inter(740), audio(735)].map((each) => line.send(each))).toEqual(
    Array.from({ length: 5 }, () => true),
  );
  line.flush();
  await until(() =>
    expect(far.visits[0]!.words).toEqual(['data:onMetaData@0', 'video:0:header@0', 'key@0', 'video@40', 'audio@35']),
  );
  await line.leave();
  expect(far.visits[0]!.calls.map(({ name }) => name).slice(-2)).toEqual(['FCUnpublish', 'deleteStream']);
});

it('says which codecs stay behind', async () => {
  const { far, heard, open } = rig();
  const line = await open(new Set(['mp4a']));
  expect([key(0), audio(10)].map((each) => line.send(each))).toEqual([false, true]);
  expect([heard, line.leftOut]).toEqual([['avc1'], ['avc1']]);
  await far.stop();
});

it('is refused in silence by a server that closes when it is asked to publish', async () => {
  const { far, open } = rig({ publish: ({ stream }) => void stream.end() });
  const fault: unknown = await open().catch((reason: unknown) => reason);
  expect(fault).toMatchObject({ code: 'CLOSED_AT_PUBLISH', message: expect.stringContaining('wrong key') as string });
  expect(kindOf(fault)).toBe('refused');
  await until(() => expect(far.visits[0]!.stream.destroyed).toBe(true));
});

it('that is not wanted any more is no refusal', async () => {
  const { leave, open } = rig({ publish: () => leave.abort(new Error('not wanted')) });
  const fault: unknown = await open().catch((reason: unknown) => reason);
  expect(kindOf(fault)).toBe('network');
});

it('is over when the server takes its yes back in the same breath', async () => {
  const { open } = rig({
    publish(visit, streamId) {
      visit.status('NetStream.Publish.Start', {}, streamId);
      visit.status('NetStream.Publish.Denied', { level: 'error', description: 'after all' }, streamId);
    },
  });
  const fault = await (await open()).ended();
  expect(fault).toMatchObject({ code: 'REFUSED_BY_SERVER', message: expect.stringContaining('after all') as string });
});

it('is not over for what a server complained of before its yes', async () => {
  const { far, open } = rig({
    publish(visit, streamId) {
      visit.status('NetConnection.Call.Failed', { level: 'error', description: 'FCPublish' }, 7);
      visit.status('NetStream.Publish.Start', {}, streamId);
    },
  });
  const line = await open();
  line.send(key(0));
  line.flush();
  await until(() => expect(far.visits[0]!.words).toEqual(['key@0']));
  await far.stop();
});

it('tells where the server wants to have us once it is used, and the last word of it', async () => {
  const { far, heard, open } = rig({
    publish(visit, streamId) {
      visit.status('NetStream.Publish.Start', {}, streamId);
      visit.reconnect('//one/app');
    },
  });
  const line = await open();
  far.visits[0]!.reconnect('//two/app');
  line.send(key(0));
  line.flush();
  await until(() => expect(far.visits[0]!.words).toEqual(['key@0']));
  expect(heard).toEqual([]);
  line.begin();
  expect(heard).toEqual(['//two/app']);
  far.visits[0]!.reconnect();
  await until(() => expect(heard).toEqual(['//two/app', undefined]));
  await far.stop();
});

it('heeds eight things that a server says in one breath with its yes, and no more', async () => {
  const { far, heard, open } = rig({
    publish(visit, streamId) {
      visit.status('NetStream.Publish.Start', {}, streamId);
      for (let i = 1; i <= 9; i++) visit.reconnect(`//place${i}/app`);
    },
  });
  (await open()).begin();
  expect(heard).toEqual(['//place8/app']);
  await far.stop();
});

it('owes nothing to a server that acknowledges more than it was sent', async () => {
  const { far, open } = rig();
  const line = await open();
  expect(line.unacknowledged).toBeUndefined();
  far.visits[0]!.acknowledge(1_000_000);
  await until(() => expect(line.unacknowledged).toBe(0));
  await far.stop();
});

it('is over when the server acknowledges nothing any more', async () => {
  const { far, open } = rig();
  const line = await open();
  far.visits[0]!.acknowledge(1);
  await until(() => expect(line.unacknowledged).toBeGreaterThan(0));
  line.check(0);
  for (let at = 0; at < 60; at++) line.send(key(at * 40, 0, 100_000));
  line.flush();
  line.check(0);
  line.check(1000);
  expect(await line.ended()).toMatchObject({
    code: 'PEER_STALLED',
    message: 'the server acknowledged nothing for 1 s',
  });
});
