import { object, type AmfValue } from '../../src/protocol/amf0.ts';
import { encodeCall } from '../../src/protocol/call.ts';
import { ChunkReader } from '../../src/protocol/chunk-reader.ts';
import type { ClientEvent } from '../../src/protocol/client-events.ts';
import { ClientSession } from '../../src/protocol/client-session.ts';
import { encodeControl, type ControlMessage } from '../../src/protocol/control.ts';
import type { Message } from '../../src/protocol/message.ts';
import type { SessionSettings } from '../../src/protocol/session-options.ts';
import { seeded } from './random.ts';
import { inWords } from './words.ts';
import { CompressingWriter } from './compressing-writer.ts';

const CONNECTED = object({ level: 'status', code: 'NetConnection.Connect.Success', description: '' });

/** A server that says exactly what it is told to a client session, and hears what that asks in words. */
export class ScriptedServer {
  readonly session: ClientSession;
  readonly events: ClientEvent[] = [];
  readonly messages: Message[] = [];
  now = 0;
  readonly #writer = new CompressingWriter();
  readonly #reader = new ChunkReader();
  #spoken = 0;
  #handshakeBytes = 0;

  constructor(settings: Partial<SessionSettings> = {}) {
    const random = seeded(1);
    this.session = new ClientSession({ random: (bytes) => random.bytes(bytes), ...settings }, this.now);
  }

  shakeHands(): this {
    this.send(Buffer.concat([Buffer.from([3]), Buffer.alloc(3072)]));
    return this;
  }

  /** The client has connected; what was heard and told is forgotten. */
  connected(): this {
    this.shakeHands();
    this.session.connect({ app: 'live', tcUrl: 'rtmp://h/live' });
    this.call('_result', 1, null, [CONNECTED]);
    this.heard();
    this.events.length = 0;
    return this;
  }

  call(name: string, transactionId: number, commandObject: AmfValue, args: readonly AmfValue[] = [], on = 0): void {
    this.say(encodeCall(on, name, transactionId, commandObject, ...args), 3);
  }

  onStatus(on: number, level: string, code: string): void {
    this.call('onStatus', 0, null, [object({ level, code, description: 'because' })], on);
  }

  control(control: Exclude<ControlMessage, { type: 'unknownEvent' }>): void {
    this.say(encodeControl(control), 2);
    if (control.type === 'setChunkSize') this.#writer.chunkSize = control.size;
  }

  say(message: Message, csid = 4): void {
    this.send(this.#writer.write(message, csid));
  }

  send(bytes: Buffer): void {
    this.events.push(...this.session.receive(bytes, this.now));
  }

  wait(ms: number): void {
    const until = this.now + ms;
    for (let at = this.session.deadline(); at !== undefined && at <= until; at = this.session.deadline()) {
      this.now = Math.max(this.now, at);
      this.events.push(...this.session.tick(this.now));
    }
    this.now = until;
  }

  /** What the client has said since the last call, in words; the handshake is left out. */
  heard(): string[] {
    for (const bytes of this.session.takeOutput()) {
      const skipped = Math.min(bytes.length, 3073 - this.#handshakeBytes);
      this.#handshakeBytes += skipped;
      this.#reader.read(bytes.subarray(skipped), this.messages);
    }
    const words = this.messages.slice(this.#spoken).map(inWords);
    this.#spoken = this.messages.length;
    return words;
  }
}
