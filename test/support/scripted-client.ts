import { object, type AmfValue } from '../../src/protocol/amf0.ts';
import { decodeCall, encodeCall, type Call } from '../../src/protocol/call.ts';
import { ChunkReader } from '../../src/protocol/chunk-reader.ts';
import { encodeControl, type ControlMessage } from '../../src/protocol/control.ts';
import { MessageType, type Message } from '../../src/protocol/message.ts';
import type { ServerEvent } from '../../src/protocol/server-events.ts';
import { ServerSession } from '../../src/protocol/server-session.ts';
import type { SessionSettings } from '../../src/protocol/session-options.ts';
import { seeded } from './random.ts';
import { inWords } from './words.ts';
import { CompressingWriter } from './compressing-writer.ts';

export const HELLO = Buffer.concat([Buffer.from([3]), Buffer.alloc(1536)]);

/**
 * A client that says exactly what it is told to a server session, on the chunk streams it is told, and hears the answers
 * in words. Requests are accepted at once unless `accepts` is false.
 */
export class ScriptedClient {
  readonly session: ServerSession;
  readonly events: ServerEvent[] = [];
  /** Every message of the server's, in order. */
  readonly messages: Message[] = [];
  accepts = true;
  now = 0;
  readonly #writer = new CompressingWriter();
  readonly #reader = new ChunkReader();
  #spoken = 0;
  #handshakeBytes = 0;

  constructor(settings: Partial<SessionSettings> = {}) {
    const random = seeded(1);
    this.session = new ServerSession({ random: (bytes) => random.bytes(bytes), ...settings }, this.now);
  }

  /** C0, C1, C2, and maybe what is glued to it. */
  shakeHands(behind: Buffer = Buffer.alloc(0)): this {
    this.send(HELLO);
    this.send(Buffer.concat([Buffer.alloc(1536), behind]));
    return this;
  }

  /** Handshake and a plain connect; what was heard is forgotten. */
  connected(): this {
    this.shakeHands();
    this.call('connect', 1, object({ app: 'live' }));
    this.heard();
    return this;
  }

  /** Connected, with NetStream 1 publishing. */
  publishing(name = 'key'): this {
    this.connected();
    this.call('createStream', 2, null);
    this.call('publish', 3, null, [name, 'live'], { on: 1 });
    this.heard();
    return this;
  }

  /** Connected, with NetStream 1 playing. */
  playing(name = 'key'): this {
    this.connected();
    this.call('createStream', 2, null);
    this.call('play', 3, null, [name], { on: 1 });
    this.heard();
    return this;
  }

  /** The bytes of a call; `amf3` is the envelope of type 17. */
  bytesOf(
    name: string,
    transactionId: number,
    commandObject: AmfValue,
    args: readonly AmfValue[] = [],
    { on = 0, csid = 3, amf3 = false } = {},
  ): Buffer {
    const message = encodeCall(on, name, transactionId, commandObject, ...args);
    if (!amf3) return this.#writer.write(message, csid);
    const payload = Buffer.concat([Buffer.from([0]), message.payload]);
    return this.#writer.write({ ...message, type: MessageType.commandAmf3, payload }, csid);
  }

  call(
    name: string,
    transactionId: number,
    commandObject: AmfValue,
    args: readonly AmfValue[] = [],
    options: { on?: number; csid?: number; amf3?: boolean } = {},
  ): void {
    this.send(this.bytesOf(name, transactionId, commandObject, args, options));
  }

  control(control: Exclude<ControlMessage, { type: 'unknownEvent' }>): void {
    this.send(this.#writer.write(encodeControl(control), 2));
    if (control.type === 'setChunkSize') this.#writer.chunkSize = control.size;
  }

  say(message: Message, csid = 4): void {
    this.send(this.#writer.write(message, csid));
  }

  /** Feeds raw bytes; requests that come of them are accepted, one after the other, as an endpoint would. */
  send(bytes: Buffer): void {
    this.#take(this.session.receive(bytes, this.now));
  }

  /** Lets time pass, waking the session whenever it wants that. */
  wait(ms: number): void {
    const until = this.now + ms;
    for (let at = this.session.deadline(); at !== undefined && at <= until; at = this.session.deadline()) {
      this.now = Math.max(this.now, at);
      this.#take(this.session.tick(this.now));
    }
    this.now = until;
  }

  /** What the server has said since the last call, in words; the handshake is left out. */
  heard(): string[] {
    this.#listen();
    const words = this.messages.slice(this.#spoken).map(inWords);
    this.#spoken = this.messages.length;
    return words;
  }

  /** The last call of that name that the server made. */
  lastCall(name: string): Call | undefined {
    this.#listen();
    const calls = this.messages.filter(({ type }) => type === MessageType.commandAmf0).map((call) => decodeCall(call));
    return calls.filter((call) => call.name === name).at(-1);
  }

  /** Events of one type. */
  eventsOf<T extends ServerEvent['type']>(type: T): Extract<ServerEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<ServerEvent, { type: T }> => event.type === type);
  }

  #take(events: readonly ServerEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      if (this.accepts && 'id' in event) this.session.accept(event.id, this.now);
    }
    if (this.session.deadline() === 0) this.#take(this.session.tick(this.now));
  }

  #listen(): void {
    for (const bytes of this.session.takeOutput()) {
      const skipped = Math.min(bytes.length, 3073 - this.#handshakeBytes);
      this.#handshakeBytes += skipped;
      this.#reader.read(bytes.subarray(skipped), this.messages);
    }
  }
}

/** An audio (8), video (9) or data (15, 18) message. */
export function media(type: number, timestamp = 0, payload: Buffer = Buffer.from([0xaf, 1]), streamId = 1): Message {
  return { type, streamId, timestamp, payload };
}
