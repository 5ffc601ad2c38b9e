import { decodeCall, encodeCall, MessageType } from '../../../src/protocol/index.ts';
import type { AmfValue, Call, Message } from '../../../src/protocol/index.ts';
import { CompressingWriter } from '../compressing-writer.ts';

/** S0, S1 and S2. */
export const SERVER_HELLO_BYTES = 1 + 1536 + 1536;

interface ChunkState {
  timestamp: number;
  length: number;
  type: number;
  streamId: number;
  payload: Buffer[];
  received: number;
}

/** Header bytes behind the basic header, by format. */
const HEADER_BYTES = [11, 7, 3, 0] as const;

/**
 * A reader of chunks, written once more for the tests: it does not share the gateway's, and it knows where a message
 * ends, which matters to clients that cannot continue one in the next answer. One-byte chunk stream ids and 24-bit
 * times only; more the gateway has no reason to send here.
 */
export class ChunkWalker {
  chunkSize = 128;
  /** False: a Set Chunk Size is passed over, as by a client that reads without processing. */
  obedient = true;
  readonly #streams = new Map<number, ChunkState>();

  /** The next whole message and how many bytes it took, or undefined when `bytes` end before it does. */
  next(bytes: Buffer): { message: Message; used: number } | undefined {
    const before = structuredClone([...this.#streams]);
    for (let used = 0; ;) {
      const step = this.#chunk(bytes.subarray(used));
      if (step === undefined) {
        // The chunks before belong to an unfinished message: all of it is read again with the bytes that complete it.
        this.#streams.clear();
        for (const [id, state] of before)
          this.#streams.set(id, { ...state, payload: state.payload.map((part) => Buffer.from(part)) });
        return undefined;
      }
      used += step.used;
      if (step.message) return { message: step.message, used };
    }
  }

  #chunk(bytes: Buffer): { used: number; message?: Message } | undefined {
    if (bytes.length === 0) return undefined;
    const format = bytes[0]! >> 6;
    const id = bytes[0]! & 0x3f;
    if (id < 2) throw new Error('a chunk stream id of more than one byte');
    const header = HEADER_BYTES[format]!;
    if (bytes.length < 1 + header) return undefined;
    const state = this.#header(id, format, bytes.subarray(1, 1 + header));
    const length = Math.min(this.chunkSize, state.length - state.received);
    const used = 1 + header + length;
    if (bytes.length < used) return undefined;
    state.payload.push(Buffer.from(bytes.subarray(used - length, used)));
    state.received += length;
    if (state.received < state.length) return { used };
    const { type, streamId, timestamp } = state;
    const payload = Buffer.concat(state.payload.splice(0));
    state.received = 0;
    if (this.obedient && type === MessageType.setChunkSize) this.chunkSize = payload.readUInt32BE();
    return { used, message: { type, streamId, timestamp, payload } };
  }

  #header(id: number, format: number, header: Buffer): ChunkState {
    const last = this.#streams.get(id);
    if (format === 3) {
      if (!last) throw new Error('a chunk stream begins with format 3');
      return last;
    }
    const time = header.readUIntBE(0, 3);
    if (time === 0xff_ffff) throw new Error('an extended time so early');
    const state: ChunkState = last ?? { timestamp: 0, length: 0, type: 0, streamId: 0, payload: [], received: 0 };
    if (!last && format !== 0) throw new Error('a chunk stream begins without a full header');
    if (state.received > 0) throw new Error('a header in the middle of a message');
    state.timestamp = format === 0 ? time : state.timestamp + time;
    if (format < 2) [state.length, state.type] = [header.readUIntBE(3, 3), header[6]!];
    if (format === 0) state.streamId = header.readUInt32LE(7);
    this.#streams.set(id, state);
    return state;
  }
}

/** The RTMP that a scripted client speaks: bytes to send, made one by one. What it hears is its own business. */
export class Dialect {
  readonly #writer = new CompressingWriter();

  /** C0 and C1 in the simple form. */
  hello(): Buffer {
    const hello = Buffer.alloc(1537, 0x5a);
    hello[0] = 3;
    return hello.fill(0, 1, 9);
  }

  /** C2: the S1 behind S0, echoed. */
  echo(serverHello: Buffer): Buffer {
    return Buffer.from(serverHello.subarray(1, 1537));
  }

  /** Announces the size and uses it from here on. */
  setChunkSize(size: number): Buffer {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(size);
    const bytes = this.message(2, { type: MessageType.setChunkSize, streamId: 0, timestamp: 0, payload });
    this.#writer.chunkSize = size;
    return bytes;
  }

  call(chunkStreamId: number, streamId: number, name: string, transactionId: number, ...args: AmfValue[]): Buffer {
    const [object = null, ...rest] = args;
    return this.message(chunkStreamId, encodeCall(streamId, name, transactionId, object, ...rest));
  }

  message(chunkStreamId: number, message: Message): Buffer {
    return this.#writer.write(message, chunkStreamId);
  }
}

/** The call in a message, if it is one. */
export function callIn(message: Message): Call | undefined {
  return message.type === MessageType.commandAmf0 ? decodeCall(message) : undefined;
}

/** Whether a message answers a transaction, and how. Throws when the answer is no. */
export function isResultOf(message: Message, transactionId: number): boolean {
  const call = callIn(message);
  if (call?.transactionId !== transactionId) return false;
  if (call.name === '_error') throw new Error(`the server refused transaction ${transactionId}`);
  return call.name === '_result';
}

/** The code of an onStatus, or undefined for any other message. Throws on level error. */
export function statusIn(message: Message): string | undefined {
  const call = callIn(message);
  if (call?.name !== 'onStatus') return undefined;
  const [info] = call.args;
  if (!(info instanceof Map)) throw new Error('an onStatus without information');
  const code = info.get('code');
  if (typeof code !== 'string') throw new Error('an onStatus without a code');
  if (info.get('level') === 'error') throw new Error(`the server refused: ${code}`);
  return code;
}

/** The NetStream that createStream's result names. */
export function streamIdIn(message: Message): number {
  return Number(callIn(message)?.args[0]);
}

export function isMedia(message: Message): boolean {
  return message.type === MessageType.audio || message.type === MessageType.video;
}
