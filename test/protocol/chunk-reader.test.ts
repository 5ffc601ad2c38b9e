import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { ChunkReader } from '../../src/protocol/chunk-reader.ts';
import { encodeWhole } from '../../src/protocol/chunk-writer.ts';
import type { Message } from '../../src/protocol/message.ts';
import { fill, lengths, readAll, readEveryWay, readPieces } from '../support/chunks.ts';
import { byteByByte, cuts } from '../support/feed.ts';
import { fixture, hex } from '../support/fixture.ts';
import { seeded } from '../support/random.ts';

const uint32 = (value: number): string => value.toString(16).padStart(8, '0');
const setChunkSize = (size: number): string => `02 000000 000004 01 00000000 ${uint32(size)}`;
const abort = (id: number): string => `02 000000 000004 02 00000000 ${uint32(id)}`;

describe('headers', () => {
  it('reads the specification’s example 1 (RTMP 1.0, 5.3.2.1): formats 0, 2, 3 and 3', () => {
    const messages = readAll(
      `03 0003e8 000020 08 39300000 ${fill(32)} 83 000014 ${fill(32)} c3 ${fill(32)} c3 ${fill(32)}`,
    );
    expect(messages.map(({ timestamp }) => timestamp)).toEqual([1000, 1020, 1040, 1060]);
    for (const { type, streamId, payload } of messages) {
      expect([type, streamId, payload]).toEqual([8, 12345, Buffer.alloc(32, 0xaa)]);
    }
  });

  it('reads the specification’s example 2 (5.3.2.2): one message in three chunks', () => {
    const [message, ...more] = readAll(
      `04 0003e8 000133 09 3a300000 ${fill(128, '01')} c4 ${fill(128, '02')} c4 ${fill(51, '03')}`,
    );
    expect(more).toEqual([]);
    expect(message).toEqual({
      type: 9,
      streamId: 12346,
      timestamp: 1000,
      payload: hex(fill(128, '01') + fill(128, '02') + fill(51, '03')),
    });
  });

  it.each([
    ['02', 2],
    ['3f', 63],
    ['00 00', 64],
    ['00 ff', 319],
    ['01 00 00', 64],
    ['01 ff 00', 319],
    ['01 00 01', 320],
    ['01 ff ff', 65_599],
  ])('reads basic header %s as chunk stream %i, and its format-3 twin', (basic) => {
    const again = (Number.parseInt(basic.slice(0, 2), 16) | 0xc0).toString(16) + basic.slice(2);
    const messages = readAll(`${basic} 000001 000081 09 01000000 ${fill(128)} ${again} bb`);
    expect(lengths(messages)).toEqual([129]);
    expect(messages[0]!.payload[128]).toBe(0xbb);
  });

  it('takes both long forms of one chunk stream id for the same', () => {
    expect(lengths(readAll(`00 05 000000 000081 09 01000000 ${fill(128)} c1 0500 aa`))).toEqual([129]);
  });

  it('takes different ids for different chunk streams', () => {
    const messages = readAll(
      `00 05 000000 000081 09 01000000 ${fill(128, '01')} 01 0501 000000 000081 09 01000000 ${fill(128, '02')} c1 0501 02 c0 05 01`,
    );
    expect(messages.map(({ payload }) => payload)).toEqual([Buffer.alloc(129, 2), Buffer.alloc(129, 1)]);
  });

  it('reads the message stream id little-endian and all else big-endian', () => {
    const [message] = readAll('03 010203 000001 14 04030201 ff');
    expect(message).toEqual({ type: 20, streamId: 0x0102_0304, timestamp: 0x01_0203, payload: hex('ff') });
  });

  it('takes type and message stream over into formats 1, 2 and 3', () => {
    const messages = readAll('04 000064 000001 08 01000000 aa 44 000005 000002 09 bbbb 84 000005 cccc c4 dddd');
    expect(messages.map(({ type, streamId, timestamp }) => [type, streamId, timestamp])).toEqual([
      [8, 1, 100],
      [9, 1, 105],
      [9, 1, 110],
      [9, 1, 115],
    ]);
    expect(lengths(messages)).toEqual([1, 2, 2, 2]);
  });

  it('takes format 1 on a fresh chunk stream, as librtmp pings, with message stream 0', () => {
    const [ping] = readAll('42 000000 000006 04 0003 00000001');
    expect(ping).toEqual({ type: 4, streamId: 0, timestamp: 0, payload: hex('0003 00000001') });
  });

  it.each(['84 000000', 'c4', 'c0 00', 'c1 0000'])(
    'refuses %s on a fresh chunk stream: no length is known',
    (bytes) => {
      expect(readEveryWay(`02 000000 000000 04 00000000 ${bytes}`)).toMatchObject({
        fault: 'CHUNK_INVALID',
        messages: [{ type: 4 }],
      });
    },
  );

  it.each(['04 000000 000001 08 01000000', '44 000000 0000ff 08', '84 000000'])(
    'refuses %s inside an unfinished message',
    (bytes) => {
      expect(readEveryWay(`04 000000 0000ff 08 01000000 ${fill(128)} ${bytes}`).fault).toBe('CHUNK_INTERRUPTED');
    },
  );

  it('delivers messages of no bytes, which are silence in audio', () => {
    const messages = readAll('04 000000 000000 08 01000000 84 000014 c4 44 000000 000001 08 aa');
    expect(messages.map(({ timestamp, payload }) => [timestamp, payload.length])).toEqual([
      [0, 0],
      [20, 0],
      [40, 0],
      [40, 1],
    ]);
  });
});

describe('chunks', () => {
  it('may alternate between chunk streams', () => {
    const messages = readAll(
      `04 000000 000101 08 01000000 ${fill(128, '04')} 06 000000 000082 09 01000000 ${fill(128, '06')}
       c4 ${fill(128, '04')} 02 000000 000006 04 00000000 0006 00000001 c6 0606 c4 04`,
    );
    expect(messages.map(({ type, payload }) => [type, payload.length])).toEqual([
      [4, 6],
      [9, 130],
      [8, 257],
    ]);
    expect(messages[2]!.payload).toEqual(Buffer.alloc(257, 4));
  });

  it('have the new size from the chunk after Set Chunk Size on, inside a message of another chunk stream too', () => {
    const messages = readAll(
      `04 000000 000190 09 01000000 ${fill(128)} ${setChunkSize(256)} c4 ${fill(256)} c4 ${fill(16)}`,
    );
    expect(messages.map(({ type, payload }) => [type, payload.length])).toEqual([
      [1, 4],
      [9, 400],
    ]);
  });

  it('may shrink inside a message', () => {
    const messages = readAll(
      `${setChunkSize(256)} 04 000000 000190 09 01000000 ${fill(256)} ${setChunkSize(128)} c4 ${fill(128)} c4 ${fill(16)}`,
    );
    expect(lengths(messages)).toEqual([4, 4, 400]);
  });

  it.each([1, 2, 127])('may be of %i byte(s) if the limits say so', (size) => {
    const body = Array.from({ length: Math.ceil(200 / size) }, (_, i) => fill(Math.min(size, 200 - i * size)));
    const digits = `${setChunkSize(size)} 04 000000 0000c8 09 01000000 ${body.join(' c4 ')}`;
    expect(lengths(readAll(digits, { minChunkSize: 1 }))).toEqual([4, 200]);
    expect(readEveryWay(digits)).toMatchObject({ fault: 'CHUNK_SIZE_TOO_SMALL', messages: [] });
  });

  it('may be of 128 bytes at least, by default, and of 2^31 - 1 at most', () => {
    expect(readAll(setChunkSize(128))).toHaveLength(1);
    const messages = readAll(`${setChunkSize(0x7fff_ffff)} 04 000000 001000 09 01000000 ${fill(4096)}`);
    expect(lengths(messages)).toEqual([4, 4096]);
  });

  it.each(['00000000', '80000000', '80001000', 'ffffffff'])('may not be of size %s', (size) => {
    expect(readEveryWay(`02 000000 000004 01 00000000 ${size}`, { minChunkSize: 1 })).toEqual({
      fault: 'CHUNK_SIZE_INVALID',
      messages: [],
    });
  });

  it.each([0, 3])('may not get their size from a message of %i bytes', (bytes) => {
    expect(readEveryWay(`02 000000 00000${bytes} 01 00000000 ${fill(bytes)}`).fault).toBe('CHUNK_SIZE_INVALID');
  });

  it('of a message come together in memory of its own', () => {
    const reader = new ChunkReader();
    const out: Message[] = [];
    const bytes = hex('04 000000 000004 09 01000000 01020304');
    reader.read(bytes, out);
    bytes.fill(0xff);
    expect(out[0]!.payload).toEqual(hex('01020304'));
  });
});

describe('Abort', () => {
  it('drops the unfinished message and is delivered', () => {
    const messages = readAll(`04 000064 000190 09 01000000 ${fill(128)} ${abort(4)} 44 000005 000002 08 bbbb`);
    expect(messages.map(({ type, timestamp, payload }) => [type, timestamp, payload.length])).toEqual([
      [2, 0, 4],
      [8, 105, 2],
    ]);
  });

  it('lets a format 3 begin a message anew', () => {
    const messages = readAll(`04 000064 000081 09 01000000 ${fill(128)} ${abort(4)} c4 ${fill(128, '01')} c4 01`);
    expect(messages[1]).toEqual({ type: 9, streamId: 1, timestamp: 200, payload: Buffer.alloc(129, 1) });
  });

  it('means nothing for a chunk stream that is idle or unheard of', () => {
    expect(readAll(`${abort(4)} 04 000000 000001 09 01000000 aa ${abort(4)} ${abort(0xffff_ffff)}`)).toHaveLength(4);
  });

  it('leaves other chunk streams alone', () => {
    expect(lengths(readAll(`04 000000 000081 09 01000000 ${fill(128)} ${abort(5)} c4 aa`))).toEqual([4, 129]);
  });

  it('without an id is refused', () => {
    expect(readEveryWay('02 000000 000003 02 00000000 000000').fault).toBe('CHUNK_INVALID');
  });

  it('gives the memory back', () => {
    const reader = new ChunkReader();
    reader.read(hex(`04 000000 000190 09 01000000 ${fill(128)}`), []);
    expect(reader.heldBytes).toBe(400);
    reader.read(hex(abort(4)), []);
    expect(reader.heldBytes).toBe(0);
  });
});

describe('a chunk reader', () => {
  it('stays failed, and delivers nothing twice', () => {
    const reader = new ChunkReader();
    const out: Message[] = [];
    expect(() => reader.read(hex('04 000000 000001 08 01000000 aa c5'), out)).toThrow(ProtocolError);
    expect(out).toHaveLength(1);
    expect(() => reader.read(hex('04 000000 000001 08 01000000 aa'), out)).toThrow(/without a full header/);
    expect(out).toHaveLength(1);
  });

  it('reads the connect of FFmpeg 5.1, which the default chunk size cuts in its port number', () => {
    const bytes = fixture('ffmpeg-publish-connect').subarray(3073);
    const { messages } = readPieces(byteByByte(bytes));
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ type: 20, streamId: 0, timestamp: 0 });
    expect(messages[0]!.payload.toString('latin1')).toContain('rtmp://127.0.0.1:37281/live');
  });

  it('takes empty pieces', () => {
    expect(
      readPieces([Buffer.alloc(0), hex('04 000000'), Buffer.alloc(0), hex('000001 08 01000000 aa')]).messages,
    ).toHaveLength(1);
  });

  it('reads random messages, interleaved chunk by chunk, at random cuts', () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = seeded(seed);
      const { bytes, finished } = interleaved(random);
      expect(readPieces(cuts(bytes, random))).toEqual({ messages: finished, fault: undefined });
    }
  });
});

/** Messages on five chunk streams at once, their chunks shuffled; the order of `finished` is that of last chunks. */
function interleaved(random: ReturnType<typeof seeded>): { bytes: Buffer; finished: Message[] } {
  const parts: Buffer[] = [];
  const finished: Message[] = [];
  const queues = [3, 4, 6, 70, 500].map((id) => ({
    id,
    messages: Array.from({ length: 5 }, () => ({
      type: random.pick([8, 9, 20]),
      streamId: random.int(2),
      timestamp: random.pick([0, 0xff_ffff, 0xffff_ffff]),
      payload: random.bytes(1 + random.int(700)),
    })),
    chunks: [] as Buffer[],
  }));
  for (let open = queues; open.length > 0; open = open.filter(({ messages }) => messages.length > 0)) {
    const queue = random.pick(open);
    const message = queue.messages[0]!;
    if (queue.chunks.length === 0) queue.chunks = chunksOf(message, queue.id);
    parts.push(queue.chunks.shift()!);
    if (queue.chunks.length > 0) continue;
    finished.push(message);
    queue.messages.shift();
  }
  return { bytes: Buffer.concat(parts), finished };
}

/** What `encodeWhole` writes, cut between its chunks of 128 bytes. */
function chunksOf(message: Message, id: number): Buffer[] {
  const bytes = encodeWhole(message, id, 128);
  const header = (id < 64 ? 1 : id < 320 ? 2 : 3) + (message.timestamp >= 0xff_ffff ? 4 : 0);
  const chunks: Buffer[] = [];
  for (let start = 0, end = header + 11 + 128; start < bytes.length; start = end, end += header + 128) {
    chunks.push(bytes.subarray(start, end));
  }
  return chunks;
}
