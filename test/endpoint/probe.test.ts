import { afterAll, expect, it } from 'vitest';
import { probeRtmp, random, RtmpServer } from '../../src/endpoint/index.ts';
import { Hub } from '../../src/hub/index.ts';
import { NO_LOG } from '../../src/log.ts';
import type { Handler } from '../../src/transport/index.ts';
import { memoryDial } from '../support/memory-link.ts';

const never = new AbortController().signal;
const server = new RtmpServer(new Hub({}, NO_LOG), { session: { random } }, NO_LOG);

afterAll(() => server.destroy());

async function probe(handler: Handler, signal = never): Promise<void> {
  const stream = await memoryDial(handler)(never);
  stream.on('error', () => {});
  try {
    await probeRtmp(stream, signal);
  } finally {
    stream.destroy();
  }
}

it('is content with a server that shakes hands', async () => {
  await expect(probe(server.handle)).resolves.toBeUndefined();
});

it.each<[string, Handler, string]>([
  ['closes', (stream) => void stream.resume().end(), 'before the handshake was over'],
  [
    'speaks something else',
    (stream) => void stream.resume().write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    'looks like HTTP',
  ],
])('is not content with one that %s', async (_name, handler, message) => {
  await expect(probe(handler)).rejects.toThrow(message);
});

it('waits no longer than it is told to', async () => {
  const abort = new AbortController();
  const probing = probe((stream) => void stream.resume(), abort.signal);
  abort.abort(new Error('too late'));
  await expect(probing).rejects.toThrow('too late');
});
