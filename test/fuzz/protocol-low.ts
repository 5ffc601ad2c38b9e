import assert from 'node:assert/strict';
import { ProtocolError } from '../../src/errors.ts';
import { AmfEcmaArray, AmfObject, AmfTypedObject, AmfXml, decodeAmf0, encodeAmf0 } from '../../src/protocol/amf0.ts';
import type { AmfValue } from '../../src/protocol/amf0.ts';
import { CHUNK_READER_LIMITS, ChunkReader, STRANGER_CHUNK_READER_LIMITS } from '../../src/protocol/chunk-reader.ts';
import type { ChunkReaderLimits } from '../../src/protocol/chunk-reader.ts';
import { PLAYER_KEY, SERVER_KEY, writeDigest } from '../../src/protocol/digest.ts';
import { Handshake } from '../../src/protocol/handshake.ts';
import type { Message } from '../../src/protocol/message.ts';
import { addTimestamp, compareTimestamps } from '../../src/protocol/timestamp.ts';
import { cuts } from '../support/feed.ts';
import type { SeededRandom } from '../support/random.ts';
import { CompressingWriter } from '../support/compressing-writer.ts';

/** One thing to throw garbage at. `run` throws when anything but a ProtocolError comes of it. */
export interface FuzzTarget {
  readonly name: string;
  run(random: SeededRandom, iterations: number): void;
}

export const targets: readonly FuzzTarget[] = [
  { name: 'handshake', run: repeat(fuzzHandshake) },
  { name: 'chunk-reader', run: repeat(fuzzChunkReader) },
  { name: 'amf0', run: repeat(fuzzAmf0) },
  { name: 'amf3', run: repeat(fuzzAmf3) },
  { name: 'timestamp', run: repeat(fuzzTimestamp) },
];

function repeat(once: (random: SeededRandom) => void): FuzzTarget['run'] {
  return (random, iterations) => {
    for (let i = 0; i < iterations; i++) once(random);
  };
}

/** The code of the ProtocolError that `run` threw, or undefined. Any other error passes through. */
function faultOf(run: () => void): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return undefined;
}

/** A copy with bytes changed, cut out, doubled or cut off; now and then as it was. */
function mutated(bytes: Buffer, random: SeededRandom): Buffer {
  let result = Buffer.from(bytes);
  for (let i = random.int(4); i > 0; i--) {
    const at = random.int(result.length + 1);
    const end = Math.min(result.length, at + random.int(20));
    const [head, middle, tail] = [result.subarray(0, at), result.subarray(at, end), result.subarray(end)];
    const changes = [
      () => Buffer.concat([head, random.bytes(middle.length), tail]),
      () => Buffer.concat([head, Buffer.from([random.pick([0, 1, 0x7f, 0x80, 0xff])]), middle.subarray(1), tail]),
      () => Buffer.concat([head, tail]),
      () => Buffer.concat([head, middle, middle, tail]),
      () => Buffer.from(head),
    ];
    result = random.pick(changes)();
  }
  return result;
}

// Handshake: whatever the bytes and the cuts, 3073 of them end it, unless the first one is wrong.

function fuzzHandshake(random: SeededRandom): void {
  const role = random.pick(['server', 'client'] as const);
  const handshake = new Handshake(role, { random: (bytes) => random.bytes(bytes), signed: random.int(2) === 0 });
  const bytes = mutated(hello(random), random);
  const pieces = cuts(bytes, random);
  let rest: Buffer | undefined;
  let fed = 0;
  const fault = faultOf(() => {
    for (const piece of pieces) {
      fed += piece.length;
      rest = handshake.receive(piece, random.int(2 ** 31));
      if (rest !== undefined) break;
    }
  });
  const mayPass = bytes.length === 0 || bytes[0] === 3;
  assert.equal(fault === undefined, mayPass, `first byte ${bytes[0]}`);
  if (fault === undefined) assert.equal(rest?.length, fed < 3073 ? undefined : fed - 3073);
  const sent = Buffer.concat(handshake.takeOutput()).length;
  const answer = role === 'server' ? 3073 : 1536;
  assert.equal(sent, (role === 'client' ? 1537 : 0) + (mayPass && fed >= 1537 ? answer : 0));
}

function hello(random: SeededRandom): Buffer {
  const packet = Buffer.concat([Buffer.alloc(4), random.pick([Buffer.alloc(4), random.bytes(4)]), random.bytes(1528)]);
  if (random.int(2) === 0) writeDigest(packet, random.pick([8, 772]), random.pick([PLAYER_KEY, SERVER_KEY]).short);
  const version = random.int(20) === 0 ? random.int(256) : 3;
  return Buffer.concat([Buffer.from([version]), packet, random.bytes(1536 + random.int(100))]);
}

// Chunk reader: any bytes come to the same however they are cut, and hold no more memory than was sent and allowed.

const SMALL_LIMITS: ChunkReaderLimits = {
  maxMediaBytes: 3000,
  maxCommandBytes: 1000,
  maxChunkStreams: 6,
  maxPartialMessages: 3,
  maxPartialBytes: 4000,
  eagerBytes: 64,
  minChunkSize: 1,
};

function fuzzChunkReader(random: SeededRandom): void {
  const limits = random.pick([SMALL_LIMITS, STRANGER_CHUNK_READER_LIMITS, CHUNK_READER_LIMITS]);
  const written = random.int(4) === 0 ? headerSoup(random) : wellFormed(random);
  const bytes = mutated(written, random);
  const whole = readAll([bytes], limits);
  const pieces = readAll(cuts(bytes, random), limits);
  assert.deepEqual(pieces, whole);
  const payload = whole.messages.reduce((sum, message) => sum + message.payload.length, 0);
  assert.ok(payload <= bytes.length, 'more payload than bytes');
}

function readAll(pieces: readonly Buffer[], limits: ChunkReaderLimits): { messages: Message[]; fault?: string } {
  const reader = new ChunkReader(limits);
  const messages: Message[] = [];
  let fed = 0;
  const fault = faultOf(() => {
    for (const piece of pieces) {
      fed += piece.length;
      reader.read(piece, messages);
      const promised = limits.maxPartialMessages * limits.eagerBytes;
      assert.ok(reader.heldBytes >= 0);
      assert.ok(reader.heldBytes <= Math.min(limits.maxPartialBytes, 2 * fed + promised), `${reader.heldBytes} held`);
    }
  });
  return fault === undefined ? { messages } : { messages, fault };
}

function wellFormed(random: SeededRandom): Buffer {
  const writer = new CompressingWriter();
  const parts: Buffer[] = [];
  for (let i = random.int(12); i >= 0; i--) {
    if (random.int(5) === 0) {
      const size = random.pick([1, 100, 128, 1000]);
      parts.push(
        writer.write({ type: 1, streamId: 0, timestamp: 0, payload: Buffer.from([0, 0, size >> 8, size]) }, 2),
      );
      writer.chunkSize = size;
    }
    const message = {
      type: random.pick([2, 3, 4, 8, 9, 18, 20, 22]),
      streamId: random.int(2),
      timestamp: (random.pick([0, 0xff_fff0, 0xffff_fff0]) + random.int(40)) >>> 0,
      payload: random.bytes(random.int(random.pick([5, 300]))),
    };
    parts.push(writer.write(message, random.pick([3, 4, 63, 64, 400])));
  }
  return Buffer.concat(parts);
}

/** Headers of all formats on few chunk streams, with bytes that mean something in most places. */
function headerSoup(random: SeededRandom): Buffer {
  const likely = [0, 0, 0, 1, 2, 3, 4, 8, 9, 20, 0x44, 0x84, 0xc3, 0xc4, 0xff, 0xff, 0xff];
  return Buffer.from(Array.from({ length: random.int(400) }, () => random.pick(likely)));
}

// AMF: any value survives the way there and back; any bytes decode, or fail as the peer's fault.

function fuzzAmf0(random: SeededRandom): void {
  const values = Array.from({ length: random.int(4) }, () => amfValue(random, 4));
  const bytes = encodeAmf0(...values);
  assert.deepEqual(decodeAmf0(bytes), values);
  decodeAny(mutated(bytes, random));
  decodeAny(markerSoup(random, [0, 1, 2, 3, 5, 6, 7, 8, 9, 0xa, 0xb, 0xc, 0xd, 0xf, 0x10, 0x11]));
}

function fuzzAmf3(random: SeededRandom): void {
  const value = amf3Value(random, 4);
  decodeAny(mutated(Buffer.from([0x11, ...value, 0x11, ...amf3Value(random, 3)]), random));
  const markers = Array.from({ length: 0x12 }, (_, i) => i);
  decodeAny(Buffer.concat([Buffer.from([0x11]), markerSoup(random, [...markers, 0x13, 0x0b, 0x03, 0x80])]));
}

/** Whatever decodes can be encoded again, within bounds, and is a tree. */
function decodeAny(bytes: Buffer): void {
  faultOf(() => {
    const again = encodeAmf0(...decodeAmf0(bytes));
    // Nothing takes more than nine bytes longer in AMF0 than on the wire, but for what references repeat.
    assert.ok(again.length <= 16 * bytes.length + 4 * 65_536, `${bytes.length} bytes became ${again.length}`);
  });
}

function markerSoup(random: SeededRandom, markers: readonly number[]): Buffer {
  return Buffer.from(Array.from({ length: random.int(120) }, () => random.pick(markers)));
}

function amfValue(random: SeededRandom, depth: number): AmfValue {
  const text = (): string => random.pick(['', 'app', 'é€', '__proto__', 'x'.repeat(random.int(300))]);
  const entries = (): [string, AmfValue][] =>
    Array.from(new Map(Array.from({ length: random.int(4) }, () => [text(), amfValue(random, depth - 1)])));
  const leaves: (() => AmfValue)[] = [
    () => undefined,
    () => null,
    () => random.int(2) === 0,
    () => random.pick([0, -1, 1.5, 2 ** 53, Number.NaN, Number.NEGATIVE_INFINITY]),
    text,
    () => new Date(random.int(2 ** 31)),
    () => new AmfXml(text()),
    () => random.bytes(random.int(200)),
  ];
  const nodes: (() => AmfValue)[] = [
    () => new AmfObject(entries()),
    () => new AmfEcmaArray(entries()),
    () => new AmfTypedObject(text(), entries()),
    () => Array.from({ length: random.int(4) }, () => amfValue(random, depth - 1)),
  ];
  return random.pick(depth > 0 ? [...leaves, ...nodes] : leaves)();
}

/** Bytes of one AMF3 value, with references that may lead somewhere. */
function amf3Value(random: SeededRandom, depth: number): number[] {
  const text = (): number[] => random.pick([[1], [3, 0x61], [5, 0x62, 0x63], [random.int(3) * 2]]);
  const value = (): number[] => amf3Value(random, depth - 1);
  const leaves: (() => number[])[] = [
    () => [random.int(4)],
    () => [4, random.int(256), ...random.bytes(3)],
    () => [5, ...random.bytes(8)],
    () => [6, ...text()],
    () => [8, 1, ...random.bytes(8)],
    () => [0x0c, 7, ...random.bytes(3)],
    () => [random.pick([8, 9, 0xa, 0xb, 0xc]), random.int(4) * 2],
  ];
  const nodes: (() => number[])[] = [
    () => [9, 5, 1, ...value(), ...value()],
    () => [9, 3, 3, 0x61, ...value(), 1, ...value()],
    () => [0xa, 0x0b, ...text(), 3, 0x61, ...value(), 1],
    () => [0xa, 0x13, 3, 0x43, ...text(), ...value()],
    () => [0xa, 1 + 4 * random.int(3), ...value()],
    () => [0xd, 3, 0, ...random.bytes(4)],
    () => [0x10, 3, 0, 1, ...value()],
  ];
  return random.pick(depth > 0 ? [...leaves, ...nodes] : leaves)();
}

// Timestamps: the laws of serial arithmetic.

function fuzzTimestamp(random: SeededRandom): void {
  const a = random.bytes(4).readUInt32BE();
  const delta = random.pick([random.int(2 ** 31), -random.int(2 ** 31)]);
  const b = addTimestamp(a, delta);
  assert.ok(Number.isInteger(b) && b >= 0 && b < 2 ** 32);
  assert.equal(compareTimestamps(b, a), delta);
  assert.equal(addTimestamp(b, -delta), a);
}
