import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Opening, type Look } from '../../src/transport/opening.ts';
import { byteByByte, cuts } from '../support/feed.ts';
import { seeded } from '../support/random.ts';

/** Everything that happened, in order, and the bytes that each look was given. */
function watch(look: Look): { stream: PassThrough; events: string[]; looks: string[]; opening: Opening } {
  const stream = new PassThrough();
  const events: string[] = [];
  const looks: string[] = [];
  const seen: Look = (bytes) => (looks.push(bytes.toString()), look(bytes));
  const opening = new Opening(stream, seen, {
    done: () => events.push(`done, flowing: ${stream.readableFlowing}`),
    failed: (error) => events.push(`failed: ${String(error)}`),
    ended: (received) => events.push(`ended after ${received}`),
  });
  return { stream, events, looks, opening };
}

const until =
  (total: number): Look =>
  (bytes) =>
    bytes.length < total ? total : undefined;

describe('reading the opening bytes of a stream', () => {
  const text = Buffer.from('the opening and what follows');

  it.each([
    ['whole', [text]],
    ['byte by byte', byteByByte(text)],
    ['cut at random', cuts(text, seeded(7))],
  ])('gives back every byte in order, fed %s, and leaves the stream as new', async (_, pieces) => {
    const { stream, events, looks } = watch(until(11));
    let rest = '';
    for (const piece of pieces) {
      stream.write(piece);
      await setImmediate();
    }
    expect(events).toEqual(['done, flowing: null']);
    expect(looks.length).toBeLessThanOrEqual(2);
    expect([stream.listenerCount('readable'), stream.readableFlowing]).toEqual([0, null]);
    stream.on('data', (chunk: Buffer) => (rest += chunk.toString()));
    stream.end();
    await setImmediate();
    expect(rest).toBe(text.toString());
  });

  it('looks again only when there are as many bytes as asked for', async () => {
    const { stream, looks } = watch((bytes) => (bytes.length < 8 ? bytes.length + 4 : undefined));
    for (const piece of byteByByte(text)) {
      stream.write(piece);
      await setImmediate();
    }
    expect(looks).toEqual(['t', 'the o', 'the openi']);
  });

  it('gives back bytes of a client that has already ended its side', async () => {
    const { stream, events } = watch(until(3));
    stream.end('abc');
    await setImmediate();
    expect(events).toEqual(['done, flowing: null']);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('abc');
  });

  it('tells when the client ends its side too early', async () => {
    const { stream, events, opening } = watch(until(3));
    stream.end('ab');
    await setImmediate();
    expect(events).toEqual(['ended after 2']);
    expect(opening.received).toBe(2);
  });

  it('passes on what a look throws, and stops', async () => {
    const { stream, events } = watch(() => {
      throw new RangeError('no');
    });
    stream.write('a');
    await setImmediate();
    stream.end('b');
    await setImmediate();
    expect(events).toEqual(['failed: RangeError: no']);
  });

  it('says nothing any more once stopped', async () => {
    const { stream, events, opening } = watch(until(3));
    opening.stop();
    stream.end('abc');
    await setImmediate();
    expect(events).toEqual([]);
  });
});
