import type { Message } from '../../src/protocol/index.ts';
import type { TestGateway } from './gateway.ts';
import { connect } from './habits/stage.ts';

const TICK_MS = 10;

/** Publishes messages when their time has come, as an encoder does, until they are all sent or it is told to stop. */
export async function publishLive(
  gateway: TestGateway,
  app: string,
  name: string,
  messages: readonly Message[],
): Promise<{ stop(): void }> {
  const client = await connect(gateway, app);
  const streamId = await client.publish(name);
  const began = performance.now();
  let next = 0;
  const timer = setInterval(() => {
    const now = performance.now() - began;
    for (; next < messages.length && messages[next]!.timestamp <= now; next++)
      client.send({ ...messages[next]!, streamId });
  }, TICK_MS);
  return {
    stop() {
      clearInterval(timer);
      client.destroy();
    },
  };
}
