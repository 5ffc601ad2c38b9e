import assert from 'node:assert/strict';
import { ProtocolError } from '../../src/errors.ts';
import { encodeAmf0, object, type AmfValue } from '../../src/protocol/amf0.ts';
import { encodeCall } from '../../src/protocol/call.ts';
import { ClientSession } from '../../src/protocol/client-session.ts';
import { MessageType, type Message } from '../../src/protocol/message.ts';
import { ServerSession } from '../../src/protocol/server-session.ts';
import { SESSION_DEFAULTS } from '../../src/protocol/session-options.ts';
import type { Session } from '../../src/protocol/session.ts';
import { status } from '../../src/protocol/status.ts';
import { cuts } from '../support/feed.ts';
import type { SeededRandom } from '../support/random.ts';
import type { FuzzTarget } from './protocol-low.ts';
import { CompressingWriter } from '../support/compressing-writer.ts';

/**
 * Conversations made up of what peers do say, in an order that nobody keeps, with bytes changed, missing or doubled, to
 * both sessions. Whatever comes: nothing but a ProtocolError, the same one from then on, and no more kept than allowed.
 */
export const targets: readonly FuzzTarget[] = [
  { name: 'server-session', run: repeat(fuzzServer) },
  { name: 'client-session', run: repeat(fuzzClient) },
];

function repeat(once: (random: SeededRandom) => void): FuzzTarget['run'] {
  return (random, iterations) => {
    for (let i = 0; i < iterations; i++) once(random);
  };
}

// ---- what both have in common

interface AnyEvent {
  readonly type: string;
}

/** Feeds a session as a driver would, with a clock that jumps; returns when it has failed or heard everything. */
function converse<E extends AnyEvent>(
  session: Session<E>,
  pieces: readonly Buffer[],
  random: SeededRandom,
  react: (event: E, now: number) => void,
): void {
  const reads = random.int(3) > 0;
  let now = 0;
  let fed = 0;
  let told = 0;
  let unread = 0;
  const hear = (events: readonly E[]) => {
    for (const event of events) {
      assert.ok(Object.isFrozen(event));
      told += payloadBytes(event);
      react(event, now);
    }
  };
  const fault = faultOf(() => {
    for (const piece of pieces) {
      now += random.pick([0, 0, 1, 50, 50, 400]);
      fed += piece.length;
      hear(session.receive(piece, now));
      for (let i = 0; i < 100 && (session.deadline() ?? Infinity) <= now; i++) hear(session.tick(now));
      if (reads) unread = 0;
      if (reads) session.takeOutput();
    }
    if (random.int(4) === 0) hear(session.tick(now + random.int(100_000)));
  });
  unread += Buffer.concat(session.takeOutput()).length;
  // One reply may pass the limit before it is seen; the handshake and what is rendered late come on top.
  assert.ok(unread <= SESSION_DEFAULTS.maxUnreadReplyBytes + 8192, `${unread} bytes unread`);
  assert.ok(told <= fed, `${told} bytes of media from ${fed} bytes`);
  if (fault !== undefined) staysFailed(session, fault, now);
  session.end();
  assert.deepEqual(
    [session.receive(Buffer.from('x'), now), session.takeOutput(), session.deadline()],
    [[], [], undefined],
  );
}

function staysFailed(session: Session<unknown>, fault: string, now: number): void {
  assert.equal(
    faultOf(() => session.receive(Buffer.from([3]), now)),
    fault,
  );
  assert.equal(
    faultOf(() => session.tick(now)),
    fault,
  );
  assert.equal(session.deadline(), undefined);
}

function payloadBytes(event: AnyEvent): number {
  return 'message' in event ? (event.message as Message).payload.length : 0;
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

/** Now and then bytes changed, lost or doubled, or the end cut off; else as they were. */
function damaged(bytes: Buffer, random: SeededRandom): Buffer {
  const at = random.int(bytes.length);
  const head = bytes.subarray(0, at);
  const tail = bytes.subarray(Math.min(bytes.length, at + random.int(12)));
  switch (random.int(14)) {
    case 0:
      return Buffer.concat([head, random.bytes(random.int(12)), tail]);
    case 1:
      return Buffer.concat([head, tail]);
    case 2:
      return Buffer.concat([head, bytes.subarray(Math.max(0, at - 40))]);
    case 3:
      return Buffer.from(head);
    default:
      return bytes;
  }
}

/** Messages as chunks on few chunk streams, with chunk sizes that change as announced, behind a handshake. */
function spoken(messages: readonly Message[], handshake: Buffer, random: SeededRandom): Buffer[] {
  const writer = new CompressingWriter();
  const parts = messages.map((message) => {
    const bytes = writer.write(message, message.type < 7 ? 2 : random.pick([3, 3, 4, 6, 64]));
    const size =
      message.type === MessageType.setChunkSize && message.payload.length >= 4 && message.payload.readUInt32BE();
    if (size !== false && size >= 128 && size < 2 ** 31) writer.chunkSize = size;
    return bytes;
  });
  const conversation = Buffer.concat(parts);
  // The handshake is fuzzed on its own; damaged here, nothing behind it would be reached.
  return cuts(
    Buffer.concat([handshake, conversation.length > 0 ? damaged(conversation, random) : conversation]),
    random,
  );
}

function control(random: SeededRandom): Message {
  const type = random.pick([1, 2, 3, 4, 4, 4, 4, 5, 6]);
  const sizes = ['00000080', '00001000', '00010000', '7fffffff', '00000000', '80000000', 'ffffffff'];
  const userControl = ['0000', '0001', '0003', '0004', '0006', '0007', '001a', '0020', 'ffff'];
  const head = type === 4 ? random.pick(userControl) : type === 1 ? random.pick(sizes.slice(0, 3)) : random.pick(sizes);
  const payload = Buffer.concat([Buffer.from(head, 'hex'), random.bytes(random.pick([0, 1, 4, 4, 8, 8]))]);
  return { type, streamId: 0, timestamp: 0, payload };
}

function mediaMessage(random: SeededRandom): Message {
  const type = random.pick([8, 8, 9, 9, 15, 16, 18, 19, 22, 22, 7, 255]);
  const timestamp = (random.pick([0, 0xff_ff00, 2 ** 31, 2 ** 32 - 100]) + random.int(300)) >>> 0;
  const payload = type === 22 ? aggregate(random) : random.bytes(random.pick([0, 1, 50, 700]));
  return { type, streamId: random.pick([0, 1, 1, 1, 2]), timestamp, payload };
}

function aggregate(random: SeededRandom): Buffer {
  const tags = Array.from({ length: random.int(5) }, () => {
    const size = random.int(30);
    const type = random.int(30) === 0 ? 22 : random.pick([8, 8, 9, 9, 18, 20]);
    return Buffer.concat([Buffer.from([type, 0, 0, size]), random.bytes(7 + size + 4)]);
  });
  const all = Buffer.concat(tags);
  return random.int(3) === 0 ? all.subarray(0, random.int(all.length + 1)) : all;
}

function anyValue(random: SeededRandom): AmfValue {
  const values: AmfValue[] = [null, undefined, true, false, 0, 1, 2, -2000, Number.NaN, 'key', 'live', '', 2 ** 40];
  const status = object({ level: random.pick(['status', 'error', '']), code: random.pick(CODES), description: 'x' });
  return random.pick([...values, object({ app: 'live', tcUrl: 'rtmp://h/a', fourCcList: ['*'] }), status, [1, 'x']]);
}

const CODES = [
  'NetConnection.Connect.Success',
  'NetStream.Publish.Start',
  'NetStream.Play.Start',
  'NetStream.Play.Failed',
  '',
];

function anyCall(names: readonly string[], random: SeededRandom): Message {
  const args = Array.from({ length: random.int(5) }, () => anyValue(random));
  const transactionId = random.pick([0, 1, 2, 3, 4, 5, 6, 99, -1, 1.5]);
  const call = encodeCall(
    random.pick([0, 1, 1, 1, 1, 1, 2, 9]),
    random.pick(names),
    transactionId,
    anyValue(random),
    ...args,
  );
  if (random.int(6) > 0) return call;
  return { ...call, type: MessageType.commandAmf3, payload: Buffer.concat([Buffer.alloc(1), call.payload]) };
}

// ---- clients, heard by the server session

const CLIENT_CALLS = [
  'createStream',
  'createStream',
  'releaseStream',
  'FCPublish',
  'FCUnpublish',
  'publish',
  'publish',
  'play',
  'play',
  'play2',
  'pause',
  'seek',
  'receiveAudio',
  'closeStream',
  'deleteStream',
  '_checkbw',
  'getStreamLength',
  '_result',
  'odd',
];
const HELLO = Buffer.concat([Buffer.from([3]), Buffer.alloc(3072)]);

function fuzzServer(random: SeededRandom): void {
  const session = new ServerSession({ random: (bytes) => random.bytes(bytes) }, 0);
  const messages = clientMessages(random);
  const open: number[] = [];
  converse(session, spoken(messages, HELLO, random), random, (event, now) => {
    if ('id' in event) open.push(event.id);
    if (random.int(8) === 0) return;
    const id = open.shift();
    if (id === undefined) return;
    if (random.int(8) > 0) session.accept(id, now);
    else session.reject(id, status('NetStream.Publish.BadName', 'no'));
  });
}

function clientMessages(random: SeededRandom): Message[] {
  const orderly = [
    encodeCall(0, 'connect', 1, object({ app: 'live' })),
    encodeCall(0, 'createStream', 2, null),
    encodeCall(1, random.pick(['publish', 'play']), 3, null, 'key'),
    data('@setDataFrame', 'onMetaData', object({ width: 1 })),
  ].slice(0, random.int(5));
  const further = Array.from({ length: random.int(30) }, () => {
    const kind = random.int(10);
    if (kind < 4) return anyCall(random.int(20) === 0 ? ['connect'] : CLIENT_CALLS, random);
    return kind < 8 ? mediaMessage(random) : control(random);
  });
  return [...orderly, ...further, ...flood(random)];
}

/** The same thing very often: what is answered, what is kept. */
function flood(random: SeededRandom): Message[] {
  if (random.int(20) > 0) return [];
  const one = random.pick([
    () => encodeCall(0, '_checkbw', 9, null),
    () => encodeCall(0, 'createStream', 9, null),
    () => control(random),
    () => mediaMessage(random),
    () => encodeCall(1, 'odd'.repeat(1 + random.int(100)), 9, null),
  ])();
  return Array.from({ length: 700 }, () => one);
}

function data(...values: AmfValue[]): Message {
  return { type: MessageType.dataAmf0, streamId: 1, timestamp: 0, payload: encodeAmf0(...values) };
}

// ---- servers, heard by the client session

const SERVER_CALLS = [
  '_result',
  '_result',
  '_result',
  '_error',
  'onStatus',
  'onStatus',
  '_onbwcheck',
  'onBWDone',
  'close',
  'odd',
];

function fuzzClient(random: SeededRandom): void {
  const session = new ClientSession({ random: (bytes) => random.bytes(bytes) }, 0);
  session.connect({ app: 'live', tcUrl: 'rtmp://h/live' });
  let streamId = 0;
  const asks: (() => unknown)[] = [
    () => session.publish('key'),
    () => session.play('key'),
    () => session.call('getStreamLength', ['key']),
    () => session.deleteStream(streamId),
    () => session.closeStream(streamId),
    () => session.setBufferLength(1, 100),
    () => session.sendMessage({ type: 8, streamId, timestamp: 0, payload: Buffer.alloc(10) }),
  ];
  let connected = false;
  let asked = 0;
  converse(session, spoken(serverMessages(random), HELLO, random), random, (event) => {
    if (event.type === 'connected') connected = true;
    if ('streamId' in event) streamId = event.streamId;
    if (connected && asked++ < 40)
      (event.type === 'connected' ? random.pick([asks[0]!, asks[1]!]) : random.pick(asks))();
  });
}

function serverMessages(random: SeededRandom): Message[] {
  const success = object({ level: 'status', code: 'NetConnection.Connect.Success' });
  const orderly = [
    encodeCall(0, '_result', 1, null, success),
    // The transaction ids that createStream and what follows will have, more or less.
    ...[2, 4].map((transactionId) => encodeCall(0, '_result', transactionId, null, random.pick([1, 2, 1.5]))),
    encodeCall(1, 'onStatus', 0, null, object({ level: 'status', code: random.pick(CODES) })),
  ].slice(0, random.int(5));
  const further = Array.from({ length: random.int(30) }, () => {
    const kind = random.int(10);
    if (kind < 4) return anyCall(SERVER_CALLS, random);
    return kind < 8 ? mediaMessage(random) : control(random);
  });
  return [...orderly, ...further, ...flood(random)];
}
