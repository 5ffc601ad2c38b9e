import { getEventListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Dial, Handler, Peer } from '../../src/transport/index.ts';
import { closed, digestOf, pattern, takeBytes, writeAll } from '../support/streams.ts';

/** What a transport promises beside carrying bytes; the suite holds it to that and to no more. */
export interface TransportTraits {
  readonly scheme: Peer['scheme'];
  readonly secure: boolean;
  /** False where a client's end() ends both directions, as `/close` does in a tunnel. */
  readonly halfClose: boolean;
  /** The most that may be under way, in one direction, to a reader that does not read: kernels and queues in all. */
  readonly maxUnreadBytes: number;
}

/** A transport as the suite wants it: whoever dials arrives at the handler. */
export interface Way {
  readonly dial: Dial;
  close(): Promise<void>;
}

interface Link {
  readonly client: Duplex;
  readonly server: Duplex;
  readonly peer: Peer;
}

const MIB = 1024 * 1024;
/** RTMP's own first words: the client always speaks first (C0 and C1), and doors tell protocols apart by them. */
const HELLO = Buffer.alloc(1537, 3);
const REPLY = Buffer.alloc(3073, 3);
/** How long nothing may move before a writer counts as stopped; polls with nothing to bring come in between. */
const STILL_MS = 600;

/**
 * What the house expects of every transport, whatever is on the wire: bytes in order and each once, ends that are
 * heard, back-pressure, no leaks.
 */
export function describeTransport(
  name: string,
  traits: TransportTraits,
  open: (handler: Handler) => Promise<Way>,
): void {
  describe(`${name} as a transport`, () => {
    const arrivals: ((link: { stream: Duplex; peer: Peer }) => void)[] = [];
    const streams = new Set<Duplex>();
    let way: Way;

    beforeAll(async () => {
      way = await open((stream, peer) => {
        keep(stream);
        arrivals.shift()?.({ stream, peer });
      });
    });

    afterEach(async () => {
      for (const stream of streams) stream.destroy();
      await Promise.all([...streams].map(closed));
      streams.clear();
    });

    afterAll(() => way.close());

    function keep(stream: Duplex): void {
      streams.add(stream);
      stream.on('error', () => {});
    }

    /** One link on which both sides have spoken, as after RTMP's handshake. One at a time, to know who is who. */
    async function connect(signal = new AbortController().signal): Promise<Link> {
      const arrived = new Promise<{ stream: Duplex; peer: Peer }>((resolve) => arrivals.push(resolve));
      const client = await way.dial(signal);
      keep(client);
      client.write(HELLO);
      const { stream: server, peer } = await arrived;
      expect(await takeBytes(server, HELLO.length)).toEqual(HELLO);
      server.write(REPLY);
      expect(await takeBytes(client, REPLY.length)).toEqual(REPLY);
      return { client, server, peer };
    }

    it('tells who is at the other end', async () => {
      const { peer } = await connect();
      expect(peer).toMatchObject({ scheme: traits.scheme, secure: traits.secure, address: '127.0.0.1' });
      expect(peer.port).toBeGreaterThan(0);
      const { peer: other } = await connect();
      expect(other.id).not.toBe(peer.id);
    });

    it.each([
      ['one byte', 1],
      ['a MiB', MIB],
      ['20 MiB', 20 * MIB],
    ])('carries %s each way at the same time, in order and each byte once', async (_name, bytes) => {
      const { client, server } = await connect();
      const [up, down, heardUp, heardDown] = await Promise.all([
        writeAll(client, pattern(bytes, 64 * 1024, 1)),
        writeAll(server, pattern(bytes, 50_000, 2)),
        digestOf(server, bytes),
        digestOf(client, bytes),
      ]);
      expect(heardUp).toEqual(up);
      expect(heardDown).toEqual(down);
    });

    it('carries ten thousand small writes each way', async () => {
      const { client, server } = await connect();
      const bytes = 10_000 * 13;
      const [up, down, heardUp, heardDown] = await Promise.all([
        writeAll(client, pattern(bytes, 13, 3)),
        writeAll(server, pattern(bytes, 13, 4)),
        digestOf(server, bytes),
        digestOf(client, bytes),
      ]);
      expect(heardUp).toEqual(up);
      expect(heardDown).toEqual(down);
    });

    it('carries a conversation, turn by turn', async () => {
      const { client, server } = await connect();
      for (let turn = 0; turn < 50; turn++) {
        client.write(Buffer.alloc(10, turn));
        expect(await takeBytes(server, 10)).toEqual(Buffer.alloc(10, turn));
        server.write(Buffer.alloc(20, turn));
        expect(await takeBytes(client, 20)).toEqual(Buffer.alloc(20, turn));
      }
    });

    it('lets the client hear everything that the server said before its end, then the end', async () => {
      const { client, server } = await connect();
      const said = writeAll(server, pattern(MIB)).then((digest) => (server.end(), digest));
      const heard = await digestOf(client);
      expect(heard).toEqual(await said);
      expect(client.readableEnded).toBe(true);
      client.end();
      await Promise.all([closed(client), closed(server)]);
    });

    it('lets the server hear everything that the client said before its end, then the end', async () => {
      const { client, server } = await connect();
      client.resume();
      const said = writeAll(client, pattern(MIB)).then((digest) => (client.end(), digest));
      const heard = await digestOf(server);
      expect(heard).toEqual(await said);
      expect(server.readableEnded).toBe(true);
      server.end();
      await Promise.all([closed(client), closed(server)]);
    });

    if (traits.halfClose) {
      it('lets the server speak on after the client has ended', async () => {
        const { client, server } = await connect();
        client.end();
        await closedForReading(server);
        const saying = writeAll(server, pattern(MIB)).then((digest) => (server.end(), digest));
        expect(await digestOf(client)).toEqual(await saying);
      });
    } else {
      it("ends both directions with the client's end", async () => {
        const { client, server } = await connect();
        client.end();
        await Promise.all([closedForReading(server), closedForReading(client)]);
      });
    }

    it('delivers what was said last although the listener starts late', async () => {
      const { client, server } = await connect();
      server.end('last words');
      // The way a rejected encoder gets its reason: written, ended, and only then read.
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect((await takeBytes(client, 10)).toString()).toBe('last words');
      await closedForReading(client);
    });

    it.each(['client', 'server'] as const)(
      'stops whoever writes to a %s that does not read, and loses nothing',
      async (idle) => {
        const link = await connect();
        const [reader, writer] = idle === 'client' ? [link.client, link.server] : [link.server, link.client];
        let written = 0;
        const count = function* (): Generator<Buffer> {
          for (const piece of pattern(4 * traits.maxUnreadBytes)) {
            written += piece.length;
            yield piece;
          }
        };
        const writing = writeAll(writer, count());
        await untilStill(() => written);
        expect(written).toBeLessThanOrEqual(traits.maxUnreadBytes);
        const heard = digestOf(reader, 4 * traits.maxUnreadBytes);
        expect(await heard).toEqual(await writing);
      },
    );

    it.each(['client', 'server'] as const)(
      'ends the other side when the %s is destroyed',
      async (first) => {
        const { client, server } = await connect();
        const [destroyed, other] = first === 'client' ? [client, server] : [server, client];
        destroyed.destroy();
        await closedForReading(other);
        other.end();
        await Promise.all([closed(client), closed(server)]);
      },
      5_000,
    );

    it.each(['client', 'server'] as const)(
      'ends a side in the middle of writing when the %s is destroyed',
      async (first) => {
        const { client, server } = await connect();
        const [destroyed, other] = first === 'client' ? [client, server] : [server, client];
        const writing = writeAll(other, pattern(64 * MIB)).catch(() => undefined);
        await takeBytes(destroyed, 100_000);
        destroyed.destroy();
        await Promise.race([closed(other), writing]);
        other.end();
        await closed(other);
      },
      5_000,
    );

    it('keeps parallel links apart', async () => {
      const links: Link[] = [];
      for (let i = 0; i < 12; i++) links.push(await connect());
      const results = links.map(async ({ client, server }, i) => {
        const bytes = 200_000 + i;
        if (i % 4 === 3) return void client.destroy();
        const [up, down, heardUp, heardDown] = await Promise.all([
          writeAll(client, pattern(bytes, 9_000, i)),
          writeAll(server, pattern(bytes, 7_000, 100 + i)),
          digestOf(server, bytes),
          digestOf(client, bytes),
        ]);
        expect(heardUp).toEqual(up);
        expect(heardDown).toEqual(down);
      });
      await Promise.all(results);
    });

    it('leaves nothing behind after a hundred links', async () => {
      const { signal } = new AbortController();
      const use = async (): Promise<void> => {
        const { client, server } = await connect(signal);
        client.end();
        server.on('end', () => server.end());
        await Promise.all([closed(client), closed(server)]);
        streams.clear();
      };
      await use();
      const before = openHandles();
      for (let i = 0; i < 100; i++) await use();
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      await expect.poll(openHandles, { timeout: 5_000 }).toBeLessThanOrEqual(before);
    });

    it('dials no further once it was told not to', async () => {
      const abort = new AbortController();
      abort.abort(new Error('not any more'));
      await expect(way.dial(abort.signal)).rejects.toThrow('not any more');
    });
  });
}

/** Reads to the end and insists that there is one, not just a break. */
async function closedForReading(stream: Duplex): Promise<void> {
  stream.resume();
  if (stream.readableEnded || stream.closed) return;
  await new Promise((resolve) => stream.once('end', resolve).once('close', resolve));
}

/** Resolves when the number has not changed for a while. */
async function untilStill(count: () => number): Promise<void> {
  for (let last = -1; last !== count();) {
    last = count();
    await new Promise((resolve) => setTimeout(resolve, STILL_MS));
  }
}

/** Sockets and servers of this process, seen from Node itself. Time-outs come and go by themselves. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Pipe|Server/.test(kind)).length;
}
