import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Driver, now, random, RtmpClient } from '../../src/endpoint/index.ts';
import { MessageType, ServerSession, status, type Message, type ServerEvent } from '../../src/protocol/index.ts';
import { memoryPair } from '../support/memory-link.ts';

const WHERE = { app: 'live', tcUrl: 'rtmp://localhost/live' };
const DRIVER = { drainTimeoutMs: 500, lingerMs: 50 };

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const media = (streamId: number, payload = Buffer.from([0xaf, 1])): Message => ({
  ...{ type: MessageType.audio, streamId, timestamp: 0, payload },
});

/** A server that answers requests as told. */
function serve(answer = (session: ServerSession, { id }: { id: number }): void => void session.accept(id, now())) {
  const [stream, ours]: Duplex[] = memoryPair();
  const session = new ServerSession({ random }, now());
  // As a socket would: what is said in one breath arrives in one piece.
  const takeOutput = session.takeOutput.bind(session);
  session.takeOutput = () => [Buffer.concat(takeOutput())].filter(({ length }) => length > 0);
  const event = (event: ServerEvent): void => {
    if ('id' in event) answer(session, event);
  };
  const driver = new Driver<ServerEvent>(ours!, session, { event, drained: () => {}, closed: () => {} }, DRIVER);
  stops.push(() => driver.destroy());
  return { stream: stream!, ours: ours!, session, driver };
}

function listen() {
  const heard: Message[] = [];
  const ended: string[] = [];
  const listener = {
    message: (message: Message) => void heard.push(message),
    ended: (reason: string) => void ended.push(reason),
  };
  return { heard: (type: number) => heard.filter((message) => message.type === type), ended, listener };
}

describe('a client', () => {
  it('is refused with the words of the server, and may try something else', async () => {
    const { stream } = serve((session, request) => {
      if ('name' in request && request.name === 'taken') {
        session.reject(request.id, status('NetStream.Publish.BadName', 'somebody is here'));
      } else session.accept(request.id, now());
    });
    const client = await RtmpClient.connect(stream, WHERE);
    await expect(client.publish('taken')).rejects.toMatchObject({
      code: 'REFUSED_BY_SERVER',
      message: expect.stringContaining('NetStream.Publish.BadName: somebody is here'),
    });
    await expect(client.publish('free')).resolves.toBeGreaterThan(0);
    await client.close();
  });

  it('fails in everything it asked for when the connection goes', async () => {
    const { stream, driver } = serve((session, request) => {
      if ('app' in request) session.accept(request.id, now());
    });
    const client = await RtmpClient.connect(stream, WHERE);
    const asked = [client.publish('a'), client.play('b', { message: () => {} })];
    driver.end();
    const reasons = await Promise.allSettled(asked);
    expect(reasons).toMatchObject([
      { reason: { code: 'CONNECTION_CLOSED' } },
      { reason: { code: 'CONNECTION_CLOSED' } },
    ]);
  });

  it('brings what it plays to who asked for it, also when two ask at once', async () => {
    const { stream, ours, session, driver } = serve((session, request) => {
      session.accept(request.id, now());
      // In the same bytes as the answer.
      if ('streamId' in request) session.sendMessage(media(request.streamId as number));
    });
    const client = await RtmpClient.connect(stream, WHERE);
    const [one, other] = [listen(), listen()];
    ours.pause();
    const asked = Promise.all([client.play('a', one.listener), client.play('b', other.listener)]);
    ours.resume();
    expect(await asked).toEqual([1, 2]);
    session.sendMessage(media(2, Buffer.from('later')));
    driver.nudge();
    await vi.waitFor(() => expect(other.heard(MessageType.audio)).toHaveLength(2));
    expect(one.heard(MessageType.audio)).toMatchObject([{ streamId: 1 }]);
    expect(other.heard(MessageType.audio)).toMatchObject([{ streamId: 2 }, { streamId: 2 }]);
  });

  it('says once that a stream has ended: when the server says so, or when the connection goes', async () => {
    const { stream, session, driver } = serve();
    const client = await RtmpClient.connect(stream, WHERE);
    const [one, other] = [listen(), listen()];
    await client.play('a', one.listener);
    await client.play('b', other.listener);
    session.endStream(1);
    driver.nudge();
    await vi.waitFor(() => expect(one.ended).toEqual(['the stream ended']));
    expect(other.ended).toEqual([]);
    driver.end();
    await client.closed;
    expect(one.ended).toHaveLength(1);
    expect(other.ended).toEqual(['the server closed the connection']);
  });

  it('tells everybody who waits that there is room again', async () => {
    const { stream, ours } = serve();
    const client = await RtmpClient.connect(stream, WHERE);
    const streamId = await client.publish('a');
    ours.pause();
    while (client.send(media(streamId, Buffer.alloc(50_000))));
    const waiting = Promise.all([client.drained(), client.drained()]);
    ours.resume();
    await waiting;
    expect(client.send(media(streamId))).toBe(true);
    await client.drained();
  });
});
