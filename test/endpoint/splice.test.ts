import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../src/errors.ts';
import { Driver, now, random, RtmpClient, RtmpServer, Splice, type DriverOptions } from '../../src/endpoint/index.ts';
import { Hub } from '../../src/hub/index.ts';
import { NO_LOG } from '../../src/log.ts';
import {
  ClientSession,
  encodeAmf0,
  encodeCall,
  MessageType,
  object,
  ServerSession,
  status,
  type ClientEvent,
  type Message,
  type ServerEvent,
} from '../../src/protocol/index.ts';
import { nextPeerId, type Dial, type PeerDial, type Scheme } from '../../src/transport/index.ts';
import { memoryDial, memoryPair } from '../support/memory-link.ts';
import { recordingLog } from '../support/recording-log.ts';
import { closed, pattern } from '../support/streams.ts';
import { CompressingWriter } from '../support/compressing-writer.ts';

const WHERE = { app: 'live', tcUrl: 'rtmp://localhost/live' };
const DRIVER = { drainTimeoutMs: 500, lingerMs: 50 };

const video = (timestamp: number, payload: Buffer): Message => ({
  ...{ type: MessageType.video, streamId: 1, timestamp, payload },
});
const KEYFRAME = Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), Buffer.alloc(70_000, 'key')]);

const turn = () => new Promise((resolve) => setImmediate(resolve));

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A server that accepts everything and does nothing, for what it hears and what it is made to say. */
function listener(accepts: (event: ServerEvent) => boolean = () => true) {
  const heard: ServerEvent[] = [];
  const sessions: { session: ServerSession; driver: Driver<ServerEvent>; stream: Duplex }[] = [];
  const dial = memoryDial((stream) => {
    const session = new ServerSession({ random }, now());
    const event = (event: ServerEvent): void => {
      heard.push(event);
      if ('id' in event && accepts(event)) session.accept(event.id, now());
    };
    const driver = new Driver<ServerEvent>(stream, session, { event, drained: () => {}, closed: () => {} }, DRIVER);
    sessions.push({ session, driver, stream });
    stops.push(() => driver.destroy());
  });
  const of = (type: ServerEvent['type']) => heard.filter((event) => event.type === type);
  return { dial, of, sessions };
}

/** A server of ours, as anybody's server. */
function origin() {
  const hub = new Hub({}, NO_LOG);
  const server = new RtmpServer(hub, { session: { random }, driver: DRIVER }, NO_LOG);
  stops.push(() => server.destroy());
  const streams = (): string[] => [...hub.streams()].map(({ name }) => `${name.app}/${name.key}`);
  return { server, streams, dial: memoryDial(server.handle) };
}

/** That way, until it sticks: then it takes what it is given and never asks for more. */
function sticking(dial: Dial) {
  let isStuck = false;
  const streams: Duplex[] = [];
  const sticky: Dial = async (signal) => {
    const stream = await dial(signal);
    streams.push(stream);
    const write = stream.write.bind(stream);
    stream.write = ((bytes: Buffer) => {
      if (!isStuck) return write(bytes);
      Object.defineProperty(stream, 'writableNeedDrain', { value: true, configurable: true });
      return false;
    }) as typeof stream.write;
    return stream;
  };
  return { dial: sticky, streams, stick: () => void (isStuck = true) };
}

/** A splice, and where each key leads. */
function rig(
  route: (key: string) => PeerDial,
  { isAvailable = true, driver = DRIVER }: { isAvailable?: boolean; driver?: DriverOptions } = {},
) {
  const { log, lines } = recordingLog();
  const keys: string[] = [];
  const turnedAway: Duplex[] = [];
  const dialFor = (key: string): PeerDial => (keys.push(key), route(key));
  const whenDown = (stream: Duplex): void => void turnedAway.push(stream);
  const splice = new Splice({ servers: { isAvailable, dialFor }, whenDown, log }, { session: { random }, driver });
  stops.push(() => splice.destroy());
  const link = (scheme: Scheme = 'rtmp'): Duplex => {
    const [client, ours] = memoryPair();
    client.on('error', () => {});
    splice.handle(ours, { scheme, secure: false, address: '192.0.2.7', port: 1, id: nextPeerId() });
    return client;
  };
  const connect = (): Promise<RtmpClient> => RtmpClient.connect(link(), WHERE, { driver: DRIVER });
  return { splice, lines, keys, turnedAway, link, connect };
}

/** A client that can do all that a session can. */
function drive(stream: Duplex) {
  const session = new ClientSession({ random }, now());
  const events: ClientEvent[] = [];
  const driver = new Driver<ClientEvent>(
    stream,
    session,
    { event: (event) => void events.push(event), drained: () => {}, closed: () => {} },
    DRIVER,
  );
  stops.push(() => driver.destroy());
  const say = (what: (session: ClientSession) => void): void => {
    what(session);
    driver.nudge();
  };
  const hears = (type: ClientEvent['type']): Promise<void> =>
    vi.waitFor(() => expect(events.map((event) => event.type)).toContain(type));
  return { session, events, say, hears };
}

describe('a splice', () => {
  it('joins publishers and players by way of their server, media untouched', async () => {
    const { dial } = origin();
    const { connect } = rig(() => dial);
    const received: Message[] = [];
    const player = await connect();
    await player.play('test', { message: (message) => void received.push(message) });
    const publisher = await connect();
    const streamId = await publisher.publish('test');
    const metadata = encodeAmf0('@setDataFrame', 'onMetaData', object({ width: 320 }));
    publisher.send({ type: MessageType.dataAmf0, streamId, timestamp: 0, payload: metadata });
    for (let i = 0; i < 20; i++)
      publisher.send({ ...video(40 * i, Buffer.concat([KEYFRAME, Buffer.from([i])])), streamId });
    await vi.waitFor(() => expect(received.filter(({ type }) => type === MessageType.video)).toHaveLength(20));
    const frames = received.filter(({ type }) => type === MessageType.video);
    expect(frames.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 20 }, (_, i) => 40 * i));
    expect(frames.every(({ payload }, i) => payload.equals(Buffer.concat([KEYFRAME, Buffer.from([i])])))).toBe(true);
    expect(received.some(({ type }) => type === MessageType.dataAmf0)).toBe(true);
    player.destroy();
    publisher.destroy();
  });

  it('chooses the server by application and stream, whatever stands behind the name', async () => {
    const [first, second] = [origin(), origin()];
    const { connect, keys } = rig((key) => (key === 'live/one' ? first.dial : second.dial));
    const client = await connect();
    await client.publish('one?token=secret');
    await client.publish('two');
    expect(keys).toEqual(['live/one', 'live/two']);
    expect([first.streams(), second.streams()]).toEqual([['live/one'], ['live/two']]);
    client.destroy();
    await vi.waitFor(() => expect(first.server.count + second.server.count).toBe(0));
  });

  it("passes a server's refusal on, and the client may try again", async () => {
    const { dial } = origin();
    const { connect } = rig(() => dial);
    const [one, other] = [await connect(), await connect()];
    await one.publish('taken');
    await expect(other.publish('taken')).rejects.toThrow(/NetStream.Publish.BadName/);
    await other.publish('free');
    one.destroy();
    other.destroy();
  });

  it('refuses publish and play in words when their server cannot be reached, and keeps the connection', async () => {
    const { connect } = rig(() => async () => {
      throw new TransportError('NO_UPSTREAM', 'no upstream server can be reached');
    });
    const client = await connect();
    await expect(client.publish('x')).rejects.toThrow(/NetStream.Publish.Rejected: no upstream server/);
    await expect(client.play('x', { message: () => {} })).rejects.toThrow(/NetStream.Play.Failed/);
    client.destroy();
  });

  it('refuses when the server closes the connection instead of answering', async () => {
    const { connect } = rig(() => memoryDial((stream) => void stream.resume().end()));
    const client = await connect();
    await expect(client.publish('x')).rejects.toThrow(/NetStream.Publish.Rejected/);
    client.destroy();
  });

  it('lets go of the server when the client stops publishing, and of the client when the server leaves', async () => {
    const { dial, server } = origin();
    const { connect } = rig(() => dial);
    const client = await connect();
    client.closeStream(await client.publish('one'));
    await vi.waitFor(() => expect(server.count).toBe(0));
    await client.publish('two');
    void server.stop();
    await client.closed;
  });

  it('turns clients away when no server is left: RTMP to whom it may concern, tunnels with an error', async () => {
    const { link, turnedAway, splice } = rig(() => origin().dial, { isAvailable: false });
    link();
    expect(turnedAway).toHaveLength(1);
    const tunnel = link('rtmpt');
    tunnel.on('end', () => tunnel.end());
    await closed(tunnel);
    expect(turnedAway).toHaveLength(1);
    expect(splice.count).toBe(0);
  });

  it('refuses RTMPE, which only a bridge can pass', async () => {
    const { link, splice } = rig(() => origin().dial);
    const client = link();
    client.write(Buffer.alloc(1537, 6));
    client.on('end', () => client.end());
    await closed(client);
    expect(splice.count).toBe(0);
  });

  it('keeps what came behind the publish command until the server has answered', async () => {
    const { dial, streams } = origin();
    let letThrough = (): void => {};
    const opened = new Promise<void>((resolve) => (letThrough = resolve));
    const { link, connect } = rig(() => async (signal) => {
      await opened;
      return dial(signal);
    });
    const writer = new CompressingWriter();
    const call = (on: number, name: string, id: number, ...args: string[]): Buffer =>
      writer.write(encodeCall(on, name, id, name === 'connect' ? object(WHERE) : null, ...args), 3);
    const words = [call(0, 'connect', 1), call(0, 'createStream', 2), call(1, 'publish', 3, 'early', 'live')];
    const frame = writer.write(video(0, Buffer.from([0x17, 1, 0, 0, 0, 9])), 6);
    link().write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1536), Buffer.alloc(1536), ...words, frame]));
    letThrough();
    await vi.waitFor(() => expect(streams()).toEqual(['live/early']));
    const player = await connect();
    const received: Message[] = [];
    void player.play('early', { message: (message) => void received.push(message) });
    await vi.waitFor(() => expect(received.some(({ type }) => type === MessageType.video)).toBe(true));
    player.destroy();
  });

  it('tells the server what the player wants of it', async () => {
    const { dial } = origin();
    const { connect, link } = rig(() => dial);
    const publisher = await connect();
    const streamId = await publisher.publish('test');
    publisher.send({ ...video(0, KEYFRAME), streamId });
    const { session, events, say, hears } = drive(link());
    say(() => session.connect(WHERE));
    await hears('connected');
    say(() => session.play('test'));
    await hears('media');
    const codes = (): string[] => events.flatMap((event) => (event.type === 'status' ? [event.status.code] : []));
    say(() => session.pause(1, true));
    await vi.waitFor(() => expect(codes()).toContain('NetStream.Pause.Notify'));
    // The pause is at the server as well before what comes next.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = events.filter(({ type }) => type === 'media').length;
    publisher.send({ ...video(40, KEYFRAME), streamId });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(events.filter(({ type }) => type === 'media')).toHaveLength(before);
    say(() => session.pause(1, false));
    await vi.waitFor(() => expect(events.filter(({ type }) => type === 'media').length).toBeGreaterThan(before));
    // Each status once, although both servers say it.
    expect(codes().filter((code) => code === 'NetStream.Pause.Notify')).toHaveLength(1);
    expect(codes().filter((code) => code === 'NetStream.Play.Start')).toHaveLength(1);
    publisher.destroy();
  });

  it('does not read a publisher whose server takes nothing', async () => {
    const { dial, stick } = sticking(origin().dial);
    const { connect } = rig(() => dial);
    const client = await connect();
    const streamId = await client.publish('test');
    stick();
    let sent = 0;
    for (const payload of pattern(64 * 1024 * 1024, 60_000)) {
      if (!client.send({ ...video(0, payload), streamId })) {
        const isFree = await Promise.race([
          client.drained().then(() => true),
          new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200)),
        ]);
        if (!isFree) break;
      }
      sent += payload.length;
    }
    expect(sent).toBeLessThan(8 * 1024 * 1024);
    client.destroy();
  });

  it('gives up a server that takes nothing', async () => {
    const { dial, stick } = sticking(origin().dial);
    const { connect, lines } = rig(() => dial);
    const client = await connect();
    const streamId = await client.publish('test');
    stick();
    client.send({ ...video(0, KEYFRAME), streamId });
    await client.closed;
    expect(lines.at(-2)).toMatchObject({ message: /^the upstream ended/, fields: { code: 'PEER_STALLED' } });
  });

  it('is not held up by a server that has not answered yet', async () => {
    const { dial, of, sessions } = listener();
    const silent = sticking(memoryDial(() => {}));
    silent.stick();
    const { link } = rig((key) => (key === 'live/silent' ? silent.dial : dial), {
      driver: { ...DRIVER, drainTimeoutMs: 60_000 },
    });
    const { session, say, hears } = drive(link());
    say(() => session.connect(WHERE));
    await hears('connected');
    say(() => session.publish('test'));
    await hears('published');
    say(() => session.publish('silent'));
    await vi.waitFor(() => expect(silent.streams).toHaveLength(1));
    sessions[0]!.stream.pause();
    for (let i = 0; i < 20; i++) say(() => session.sendMessage(video(i, KEYFRAME)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    sessions[0]!.stream.resume();
    await vi.waitFor(() => expect(of('media')).toHaveLength(20));
  });

  it('does not read a server whose player takes nothing', async () => {
    const { dial, sessions } = listener();
    const { link } = rig(() => dial, { driver: { ...DRIVER, drainTimeoutMs: 60_000 } });
    const stream = link();
    const { session, say, hears } = drive(stream);
    say(() => session.connect(WHERE));
    await hears('connected');
    say(() => session.play('test'));
    await hears('playing');
    stream.pause();
    const { session: server, driver } = sessions[0]!;
    let sent = 0;
    for (const payload of pattern(64 * 1024 * 1024, 60_000)) {
      if (driver.blocked) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (driver.blocked) break;
      }
      server.sendMessage(video(0, payload));
      driver.flush();
      sent += payload.length;
      await turn();
    }
    expect(sent).toBeLessThan(2 * 1024 * 1024);
    stream.resume();
    await vi.waitFor(() => expect(driver.blocked).toBe(false));
  });

  it('tells the server how much the player buffers, whether that was said before or is said later', async () => {
    const { dial, of, sessions } = listener(({ type }) => type !== 'play');
    const { link } = rig(() => dial);
    const { session, say, hears } = drive(link());
    say(() => session.connect(WHERE));
    await hears('connected');
    const id = session.call('createStream');
    say(() => {});
    await hears('result');
    expect(id).toBeGreaterThan(0);
    say(() => {
      session.setBufferLength(1, 1234);
      session.notify('play', ['test'], 1);
    });
    const told = () => of('bufferLength').map((event) => event.type === 'bufferLength' && event.ms);
    await vi.waitFor(() => expect(told()).toEqual([1234]));
    say(() => session.setBufferLength(1, 3456));
    await turn();
    sessions[0]!.session.accept(2);
    sessions[0]!.driver.nudge();
    await vi.waitFor(() => expect(told()).toEqual([1234, 3456]));
    say(() => session.setBufferLength(1, 5678));
    await vi.waitFor(() => expect(told()).toEqual([1234, 3456, 5678]));
  });

  it("passes on what the server says of the stream, in the client's terms", async () => {
    const { dial, sessions } = listener();
    const { link } = rig(() => dial);
    const { session, events, say, hears } = drive(link());
    say(() => session.connect(WHERE));
    await hears('connected');
    say(() => session.publish('other'));
    await hears('published');
    say(() => session.play('test'));
    await hears('playing');
    const { session: server, driver } = sessions[1]!;
    server.sendStatus(1, status('NetStream.Play.UnpublishNotify', 'gone'));
    server.endStream(1);
    server.beginStream(1);
    driver.nudge();
    await vi.waitFor(() =>
      expect(events.slice(-3)).toMatchObject([
        { type: 'status', streamId: 2, status: { code: 'NetStream.Play.UnpublishNotify', description: 'gone' } },
        { type: 'eof', streamId: 2 },
        { type: 'begin', streamId: 2 },
      ]),
    );
  });

  it('lets tunnels take half as long again for the handshake, as the built-in core does', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const { link, splice } = rig(() => origin().dial);
      for (const scheme of ['rtmp', 'rtmpt'] as const) link(scheme).resume();
      vi.advanceTimersByTime(14_999);
      await turn();
      expect(splice.count).toBe(1);
      vi.advanceTimersByTime(2);
      await turn();
      expect(splice.count).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('destroys connections to servers whose client is gone already', async () => {
    const server = listener();
    const { dial, streams } = sticking(server.dial);
    const { connect, splice } = rig(() => dial, { driver: { ...DRIVER, drainTimeoutMs: 60_000 } });
    const client = await connect();
    const streamId = await client.publish('test');
    server.sessions[0]!.stream.pause();
    client.send({ ...video(0, KEYFRAME), streamId });
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.destroy();
    await vi.waitFor(() => expect(splice.count).toBe(0));
    const stopped = splice.stop();
    expect(streams[0]!.destroyed).toBe(false);
    splice.destroy();
    expect(streams[0]!.destroyed).toBe(true);
    await stopped;
  });

  it('stops politely, and leaves nothing behind', async () => {
    const { dial, server } = origin();
    const { connect, splice } = rig(() => dial);
    const client = await connect();
    await client.publish('test');
    await Promise.all([splice.stop(), client.closed]);
    expect(splice.count).toBe(0);
    await vi.waitFor(() => expect(server.count).toBe(0));
  });
});
