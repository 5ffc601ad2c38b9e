import { afterEach, expect, it, vi } from 'vitest';
import { random, RtmpClient, TurnAway } from '../../src/endpoint/index.ts';
import { memoryDial } from '../support/memory-link.ts';
import { closed } from '../support/streams.ts';

const never = new AbortController().signal;
const turnAway = new TurnAway({
  session: { random },
  driver: { drainTimeoutMs: 500, lingerMs: 50 },
  reason: 'Nobody is at home.',
});
const dial = memoryDial(turnAway.handle);

afterEach(() => turnAway.destroy());

it('tells clients why with their connect, and closes', async () => {
  const client = RtmpClient.connect(await dial(never), { app: 'live', tcUrl: 'rtmp://localhost/live' });
  await expect(client).rejects.toThrow('NetConnection.Connect.Rejected: Nobody is at home.');
  await vi.waitFor(() => expect(turnAway.count).toBe(0));
});

it('closes on what is no RTMP', async () => {
  const stream = await dial(never);
  stream.on('end', () => stream.end());
  stream.write('GET / HTTP/1.1\r\n\r\n');
  await closed(stream);
  expect(turnAway.count).toBe(0);
});

it('stops with those who have not said a word yet', async () => {
  const stream = await dial(never);
  stream.on('end', () => stream.end());
  await Promise.all([turnAway.stop(), closed(stream)]);
  expect(turnAway.count).toBe(0);
});
