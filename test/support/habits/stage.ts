import { RtmpClient } from '../../../src/endpoint/index.ts';
import type { Message } from '../../../src/protocol/index.ts';
import { dialer } from '../../../src/transport/index.ts';
import type { Scheme } from '../../../src/transport/index.ts';
import type { TestGateway } from '../gateway.ts';
import { isMedia } from './dialect.ts';
import type { StreamTarget } from './gate.ts';

/** Whoever is at the other end of a scripted client: a client of our own, over plain RTMP unless told otherwise. */
export async function connect(gateway: TestGateway, app: string, scheme: Scheme = 'rtmp'): Promise<RtmpClient> {
  const url = gateway.url(scheme, app);
  const stream = await dialer(url, { tls: { rejectUnauthorized: false } })(new AbortController().signal);
  return RtmpClient.connect(stream, { app, tcUrl: url });
}

export interface Viewer {
  readonly messages: Message[];
  /** Resolves when so many audio and video messages have come. */
  received(count: number): Promise<void>;
  leave(): void;
}

/** Watches a stream; `name` may have a query. Resolves once the gateway knows of somebody who does. */
export async function watch(
  gateway: TestGateway,
  { app, name }: StreamTarget,
  scheme: Scheme = 'rtmp',
): Promise<Viewer> {
  const client = await connect(gateway, app, scheme);
  const messages: Message[] = [];
  const listener = { message: (message: Message) => void (isMedia(message) && messages.push(message)) };
  // Only answered when somebody publishes; the gateway counts the player before.
  client.play(name, listener).catch(() => {});
  const [path = ''] = `${app}/${name}`.split('?');
  await gateway.until(() => gateway.subscribers(path) > 0);
  return {
    messages,
    received: (count) => gateway.until(() => messages.length >= count),
    leave: () => client.destroy(),
  };
}

/** Publishes a first part, and the rest once somebody plays; leaves when told. */
export async function broadcast(
  gateway: TestGateway,
  { app, name }: StreamTarget,
  programme: readonly Message[],
  scheme: Scheme = 'rtmp',
): Promise<{ leave(): Promise<void> }> {
  const client = await connect(gateway, app, scheme);
  const streamId = await client.publish(name);
  const half = programme.length >> 1;
  for (const message of programme.slice(0, half)) client.send({ ...message, streamId });
  const rest = gateway
    .until(() => gateway.subscribers(`${app}/${name}`) > 0)
    .then(() => {
      for (const message of programme.slice(half)) client.send({ ...message, streamId });
    });
  return {
    leave: async () => {
      await rest;
      await client.close();
    },
  };
}
