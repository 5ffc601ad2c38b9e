import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frameFromMessage, isAboutPlaying } from '../../src/media/index.ts';
import type { Message } from '../../src/protocol/index.ts';
import { flvTagsIn } from '../support/flv-tags.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { makeProgramme } from '../support/habits/programme.ts';
import { connect } from '../support/habits/stage.ts';
import { has, missing, run } from '../support/programs.ts';
import { INSERT_OUT } from '../support/splices.ts';
import { adCue, cue, data, data3, textData } from '../support/timed.ts';

type Carried = Pick<Message, 'type' | 'timestamp' | 'payload'>;

/** Sound, pictures, and between them data of all kinds, some of it stamped with 0 or bytes that are no AMF. */
function programme(): Message[] {
  const media = makeProgramme(60);
  const odd = frameFromMessage({
    type: 18,
    streamId: 1,
    timestamp: 640,
    payload: Buffer.from('\x02\x00\x03odd\xff', 'latin1'),
  });
  const all = [
    cue(100, 'one', { a: 'b' }),
    textData(300, 'text'),
    adCue(500, INSERT_OUT),
    data3(600, 'onTextData', 'three'),
    odd,
    data(0, 'onTextData', 'no time'),
    data(700, 'onFI', '12:00:00:00'),
    data(800, 'onCaption', Buffer.alloc(300, 7)),
    data(900, 'long', 'x'.repeat(40_000)),
  ];
  const places = all.map(({ timestamp }, index) => (timestamp === 0 ? 660 + index : timestamp));
  for (const [index, { type, timestamp, payload }] of all.entries()) {
    const at = media.findIndex((message, i) => i > 3 && message.timestamp > places[index]!);
    media.splice(at, 0, { type, timestamp, payload, streamId: 1 });
  }
  return media;
}

/** What is in the stream itself: configurations may be said anew to whoever begins, and a server says something of its own. */
function carried(messages: readonly Carried[]): string[] {
  return messages
    .map(({ type, timestamp, payload }) => frameFromMessage({ type, streamId: 1, timestamp, payload }))
    .filter(({ isConfig, type, payload }) => !isConfig && !isAboutPlaying(type, payload))
    .map(
      ({ type, timestamp, payload }) =>
        `${type}@${timestamp} ${payload.length} ${createHash('sha256').update(payload).digest('hex')}`,
    );
}

describe('Data among sound and pictures', () => {
  let folder: string;
  const gateways: TestGateway[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
  });

  afterEach(async () => {
    for (const gateway of gateways.splice(0).reverse()) await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(overrides: Record<string, unknown> = {}): Promise<TestGateway> {
    const gateway = await startGateway({ core: { grace: '300ms' }, ...overrides });
    gateways.push(gateway);
    return gateway;
  }

  async function play(gateway: TestGateway, app: string, scheme: 'rtmp' | 'rtmpts' = 'rtmp'): Promise<Message[]> {
    const client = await connect(gateway, app, scheme);
    const messages: Message[] = [];
    client.play('show', { message: (message) => void messages.push(message) }).catch(() => {});
    return messages;
  }

  const SENT = programme();

  /** Publishes everything at once, as a file would be, and leaves when it has arrived. */
  async function publish(gateway: TestGateway, hasArrived: () => boolean): Promise<void> {
    const client = await connect(gateway, 'live');
    const streamId = await client.publish('show');
    for (const message of SENT) client.send({ ...message, streamId });
    await gateway.until(hasArrived);
    await client.close();
  }

  it('comes byte by byte, in order and at its time, over RTMP and HTTP-FLV, into recordings, and to and from other servers', async () => {
    const target = await start();
    const source = await start({
      record: [{ match: 'live/*', directory: folder, format: 'flv' }],
      relay: [{ push: 'live/*', to: target.url('rtmpts', 'copy/{stream}'), verify: false }],
    });
    const puller = await start({ relay: [{ pull: 'live/*', from: [source.url('rtmp', 'live/{stream}')] }] });
    const players = [
      await play(source, 'live'),
      await play(source, 'live', 'rtmpts'),
      await play(target, 'copy'),
      await play(puller, 'live'),
    ];
    const web = fetch(`http://127.0.0.1:${source.ports.http}/flv/live/show.flv`);
    // Two players, the pull, the one over HTTP; and the recording and the push, once there is something.
    await source.until(() => source.subscribers('live/show') >= 4);
    const expected = carried(SENT);
    const arrived = (messages: readonly Message[]) => carried(messages).length >= expected.length;
    await publish(source, () => players.every(arrived));
    for (const messages of players) expect(carried(messages)).toEqual(expected);
    expect(carried(flvTagsIn(Buffer.from(await (await web).arrayBuffer())))).toEqual(expected);
    await source.stop();
    gateways.splice(gateways.indexOf(source), 1);
    const [file] = await readdir(join(folder, 'live'));
    expect(carried(flvTagsIn(await readFile(join(folder, 'live', file!))))).toEqual(expected);
    if (!has('ffprobe')) return;
    const probe = await run('ffprobe', ['-v', 'error', '-show_packets', '-of', 'csv', join(folder, 'live', file!)])
      .finished;
    expect(probe.code).toBe(0);
  }, 60_000);

  // librtmp writes no data but onMetaData (rtmpdump 2.4, measured).
  it.skipIf(!has('rtmpdump'))(
    `does not disturb rtmpdump, which keeps none of it${missing('rtmpdump')}`,
    async () => {
      const gateway = await start();
      const file = join(folder, 'dumped.flv');
      const dumped = run('rtmpdump', ['-q', '--live', '-r', gateway.url('rtmp', 'live/show'), '-o', file], 30_000);
      await gateway.until(() => gateway.subscribers('live/show') === 1);
      const seen = await play(gateway, 'live');
      await gateway.until(() => gateway.subscribers('live/show') === 2);
      await publish(gateway, () => carried(seen).length === carried(SENT).length);
      expect((await dumped.finished).code).toBe(0);
      const media = (messages: readonly Carried[]) => carried(messages.filter(({ type }) => type === 8 || type === 9));
      expect(media(flvTagsIn(await readFile(file)))).toEqual(media(SENT));
    },
    60_000,
  );
});
