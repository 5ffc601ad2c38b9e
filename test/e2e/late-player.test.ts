import { afterAll, beforeAll, expect, it } from 'vitest';
import { MessageType } from '../../src/protocol/index.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { connect, watch } from '../support/habits/stage.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.stop());

const HEADER = '170000000001640028ffe100';
const KEYFRAME = '170100000000';
const PICTURE = '270100000000';

it('a late player starts with the last keyframe, and one that says gop=0 waits for the next', async () => {
  const publisher = await connect(gateway, 'live');
  const streamId = await publisher.publish('late');
  const send = (timestamp: number, hex: string) =>
    publisher.send({ type: MessageType.video, streamId, timestamp, payload: Buffer.from(hex, 'hex') });
  send(0, HEADER);
  send(0, KEYFRAME);
  send(40, PICTURE);
  await gateway.until(() => gateway.publishing('live/late'));
  const eager = await watch(gateway, { app: 'live', name: 'late' });
  await eager.received(3);
  const patient = await watch(gateway, { app: 'live', name: 'late?token=1&gop=0' });
  await gateway.until(() => gateway.subscribers('live/late') === 2);
  send(80, PICTURE);
  send(120, KEYFRAME);
  send(160, PICTURE);
  await eager.received(6);
  await patient.received(3);
  const played = (viewer: typeof eager) => viewer.messages.map(({ payload }) => payload.toString('hex'));
  expect(played(eager)).toEqual([HEADER, KEYFRAME, PICTURE, PICTURE, KEYFRAME, PICTURE]);
  expect(played(patient)).toEqual([HEADER, KEYFRAME, PICTURE]);
  expect(patient.messages.slice(1).map(({ timestamp }) => timestamp)).toEqual([120, 160]);
  eager.leave();
  patient.leave();
  await publisher.close();
});
