import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { now, random, RtmpClient, RtmpServer } from '../../src/endpoint/index.ts';
import { Hub, type HubOptions } from '../../src/hub/index.ts';
import { MessageType, type Message, type PlayOptions } from '../../src/protocol/index.ts';
import { memoryPair } from '../support/memory-link.ts';
import { recordingLog } from '../support/recording-log.ts';

const PEER = { scheme: 'rtmp', secure: false, address: '192.0.2.7', port: 5000, id: 'c-1' } as const;
const WHERE = { app: 'live', tcUrl: 'rtmp://localhost/live' };

/** H.264: a decoder configuration, a keyframe and an inter frame; AAC: a configuration and a packet. */
const avcConfig = (mark: number) => video(0, [0x17, 0, 0, 0, 0, mark]);
const keyframe = (timestamp: number) => video(timestamp, [0x17, 1, 0, 0, 0, timestamp & 0xff]);
const inter = (timestamp: number) => video(timestamp, [0x27, 1, 0, 0, 0, timestamp & 0xff]);
const aac = (timestamp: number) => media(MessageType.audio, timestamp, [0xaf, 1, timestamp & 0xff]);
const video = (timestamp: number, bytes: number[]) => media(MessageType.video, timestamp, bytes);
const media = (type: number, timestamp: number, bytes: number[]): Message => ({
  ...{ type, streamId: 1, timestamp },
  payload: Buffer.from(bytes),
});
const BIG = Buffer.concat([Buffer.from([0x17]), Buffer.alloc(500_000, 1)]);

function startServer(options: Partial<HubOptions> = {}) {
  const { log, lines } = recordingLog();
  const hub = new Hub(options, log);
  const server = new RtmpServer(hub, { session: { random }, driver: { drainTimeoutMs: 200, lingerMs: 50 } }, log);
  const served: Duplex[] = [];
  const link = () => {
    const [client, end] = memoryPair();
    served.push(end);
    server.handle(end, PEER);
    return client;
  };
  const connect = () => RtmpClient.connect(link(), WHERE);
  return { hub, server, lines, served, link, connect };
}

/** A player that notes "video 40 17.." for every message. */
async function play(client: RtmpClient, name: string, options?: PlayOptions) {
  const seen: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const ended: string[] = [];
  await client.play(
    name,
    {
      message: ({ type, timestamp, payload }) => {
        if (type === MessageType.dataAmf0) return;
        seen.push(`${type === MessageType.audio ? 'audio' : 'video'} ${timestamp} ${payload.toString('hex', 0, 2)}`);
        for (const each of waiting.splice(0)) (seen.length >= each.count ? each.resolve : () => waiting.push(each))();
      },
      ended: (reason) => ended.push(reason),
    },
    options,
  );
  const has = (count: number) =>
    new Promise<void>((resolve) => (seen.length >= count ? resolve() : waiting.push({ count, resolve })));
  return { seen, has, ended };
}

const turns = async (count = 5) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('RtmpServer', () => {
  const started: RtmpServer[] = [];
  const start = (options?: Partial<HubOptions>) => {
    const all = startServer(options);
    started.push(all.server);
    return all;
  };
  afterEach(() => {
    for (const server of started.splice(0)) server.destroy();
  });

  it('carries what is published to a player that came before', async () => {
    const { connect } = start();
    const player = await play(await connect(), 'a');
    const publisher = await connect();
    const streamId = await publisher.publish('a');
    expect(streamId).toBeGreaterThan(0);
    for (const message of [avcConfig(1), keyframe(0), aac(5), inter(40)]) publisher.send({ ...message, streamId });
    await player.has(4);
    expect(player.seen).toEqual(['video 0 1700', 'video 0 1701', 'audio 5 af01', 'video 40 2701']);
  });

  it('starts a player that comes later at the last keyframe, configuration first', async () => {
    const { connect } = start();
    const publisher = await connect();
    const streamId = await publisher.publish('a');
    for (const message of [avcConfig(1), keyframe(0), inter(40), keyframe(80), inter(120)]) {
      publisher.send({ ...message, streamId });
    }
    await turns();
    const player = await play(await connect(), 'a');
    await player.has(3);
    expect(player.seen).toEqual(['video 80 1700', 'video 80 1701', 'video 120 2701']);
  });

  it('ends playing by itself after the duration that was asked for, and not in the middle of what is due', async () => {
    const { connect } = start();
    const excerpt = await play(await connect(), 'a', { duration: 3000 });
    const whole = await play(await connect(), 'a');
    const publisher = await connect();
    const streamId = await publisher.publish('a');
    const times = [0, 1000, 2000, 2999, 3000, 4000];
    for (const message of [avcConfig(1), ...times.map(keyframe)]) publisher.send({ ...message, streamId });
    await whole.has(7);
    await expect.poll(() => excerpt.ended).toHaveLength(1);
    expect(excerpt.seen.map((line) => line.split(' ')[1])).toEqual(['0', '0', '1000', '2000', '2999']);
  });

  it('refuses a second publisher, which may still publish another name on the same connection', async () => {
    const { connect, lines } = start({ republish: 'refuse' });
    await (await connect()).publish('a');
    const second = await connect();
    await expect(second.publish('a')).rejects.toThrow('NetStream.Publish.BadName');
    await expect(second.publish('b')).resolves.toBeGreaterThan(0);
    const refusal = lines.find(({ message }) => message.startsWith('publish refused'));
    expect(refusal).toMatchObject({ level: 'info', fields: { app: 'live', stream: 'a', code: 'STREAM_TAKEN' } });
  });

  it('lets a second publisher take over when told to, and ends the first', async () => {
    const { connect } = start({ republish: 'takeover' });
    const player = await play(await connect(), 'a');
    const first = await connect();
    await first.publish('a');
    const second = await connect();
    const streamId = await second.publish('a');
    await first.closed;
    second.send({ ...keyframe(0), streamId });
    await player.has(1);
    expect(player.seen).toEqual(['video 0 1701']);
  });

  it('tells players that the stream is over when the grace time has passed, not before', async () => {
    const { connect, hub } = start({ graceMs: 1000 });
    const player = await play(await connect(), 'a');
    const publisher = await connect();
    await publisher.publish('a');
    await publisher.close();
    await turns();
    hub.tick(now() + 900);
    await turns();
    expect(player.ended).toEqual([]);
    hub.tick(now() + 1100);
    await turns();
    expect(player.ended).toEqual(['the stream ended']);
  });

  it('goes on for a waiting player when the publisher returns within the grace time', async () => {
    const { connect } = start({ graceMs: 10_000 });
    const player = await play(await connect(), 'a');
    for (const mark of [1, 2]) {
      const publisher = await connect();
      const streamId = await publisher.publish('a');
      publisher.send({ ...avcConfig(mark), streamId });
      publisher.send({ ...keyframe(0), streamId });
      await player.has(mark * 2);
      publisher.destroy();
      await turns();
    }
    expect(player.seen.map((line) => line.split(' ')[2])).toEqual(['1700', '1701', '1700', '1701']);
    expect(player.ended).toEqual([]);
  });

  it('unpublishes at once when the publisher’s transport breaks', async () => {
    const { connect, hub } = start({ graceMs: 0 });
    const publisher = await connect();
    await publisher.publish('a');
    expect([...hub.streams()]).toHaveLength(1);
    publisher.destroy();
    await turns();
    expect([...hub.streams()]).toEqual([]);
  });

  it('never slows a publisher for a player that reads nothing, and ends that player', async () => {
    const { connect, lines, link, server } = start();
    const publisher = await connect();
    const streamId = await publisher.publish('a');
    const stalled = link();
    const client = await RtmpClient.connect(stalled, WHERE);
    await play(client, 'a');
    stalled.pause();
    const big = { ...keyframe(0), streamId, payload: BIG };
    // A moment's rest is everybody's lot who sends so much at once; being held up by the player would never end.
    for (let time = 0; time < 4000; time += 40)
      if (!publisher.send({ ...big, timestamp: time })) await publisher.drained();
    await expect
      .poll(() => lines.some((line) => 'code' in line.fields && line.fields.code === 'PEER_STALLED'))
      .toBe(true);
    expect(server.count).toBe(1);
  });

  it('ends a player that reads nothing also when it was a publisher before', async () => {
    const { connect, lines, link } = start();
    const publisher = await connect();
    const streamId = await publisher.publish('a');
    const stalled = link();
    const client = await RtmpClient.connect(stalled, WHERE);
    const published = await client.publish('b');
    await play(client, 'a');
    client.closeStream(published);
    await expect.poll(() => lines.some(({ message }) => message === 'publishing ended')).toBe(true);
    stalled.pause();
    for (let time = 0; time < 400; time += 40) publisher.send({ ...keyframe(time), streamId, payload: BIG });
    await expect.poll(() => lines.some(({ fields }) => 'code' in fields && fields.code === 'PEER_STALLED')).toBe(true);
  });

  it('ends only the connection that breaks the rules, with one line in the log', async () => {
    const { connect, link, lines, server } = start();
    const player = await play(await connect(), 'a');
    const rogue = link();
    rogue.on('error', () => undefined);
    rogue.write(Buffer.alloc(1537 + 1536, 3));
    rogue.write(Buffer.from('ff0000000000', 'hex'));
    await expect.poll(() => server.count).toBe(1);
    expect(lines.filter(({ message }) => message.startsWith('connection ended'))).toHaveLength(1);
    const publisher = await connect();
    publisher.send({ ...keyframe(0), streamId: await publisher.publish('a') });
    await player.has(1);
  });

  it('says in one line each who published what for how long, and how it ended', async () => {
    const { connect, lines } = start();
    const player = await play(await connect(), 'stream');
    const publisher = await connect();
    const streamId = await publisher.publish('stream');
    for (const message of [avcConfig(1), keyframe(0), aac(5)]) publisher.send({ ...message, streamId });
    await player.has(3);
    publisher.destroy();
    await expect.poll(() => lines.filter(({ message }) => message === 'publishing ended')).toHaveLength(1);
    const told = lines.filter(({ level }) => level === 'info').map(({ message, fields }) => ({ message, ...fields }));
    const who = { peer: 'c-1', address: '192.0.2.7', scheme: 'rtmp', app: 'live', stream: 'stre…' };
    const what = { seconds: 0, frames: 3, bytes: 15, codecs: ['avc1', 'mp4a'] };
    expect(told).toEqual([
      { message: 'playing', ...who },
      { message: 'publishing', ...who },
      { message: 'publishing ended', ...who, ...what },
    ]);
  });

  it('names the error that ended a stream, and makes no line of its own of a reset', async () => {
    const { connect, lines, served } = start();
    await (await connect()).publish('a');
    served[0]!.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    await expect.poll(() => lines.some(({ message }) => message === 'connection ended: read ECONNRESET')).toBe(true);
    const told = lines.filter(({ level }) => level !== 'debug');
    expect(told.map(({ message }) => message)).toEqual(['publishing', 'publishing ended']);
    expect(told[1]!.fields).toMatchObject({ code: 'ECONNRESET' });
  });

  it('keeps whole stream keys out of the log', async () => {
    const { connect, lines } = start();
    await (await connect()).publish('secret-key-1234?token=hush');
    const text = JSON.stringify(lines);
    expect(text).toContain('secr');
    expect(text).not.toContain('secret-key');
    expect(text).not.toContain('hush');
  });

  it('ends everybody politely when it stops: players hear that the stream is over, publishers that they are unpublished', async () => {
    const { connect, server } = start();
    const player = await play(await connect(), 'a');
    const publisher = await connect();
    await publisher.publish('a');
    const stopped = server.stop();
    await expect(publisher.closed).resolves.toBeUndefined();
    await stopped;
    expect(player.ended[0]).toBe('the stream ended');
    expect(server.count).toBe(0);
  });
});
