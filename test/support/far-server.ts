import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { random } from '../../src/endpoint/index.ts';
import { frameFromMessage, type Frame } from '../../src/media/index.ts';
import {
  ChunkReader,
  decodeCall,
  encodeCall,
  Handshake,
  object,
  property,
  type AmfObject,
  type AmfValue,
  type Call,
  type Message,
} from '../../src/protocol/index.ts';
import { memoryPair } from './memory-link.ts';
import { CompressingWriter } from './compressing-writer.ts';

/** What a server answers to connect: accepted, with this beside the status, or refused with this description; or not at all. */
export type ConnectAnswer =
  { readonly accept?: Readonly<Record<string, AmfValue>> } | { readonly reject: string } | 'nothing';

/** What is not as usual with a server. */
export interface FarHabits {
  connect?(properties: AmfObject, visit: number): ConnectAnswer;
  /** In the place of the answer to publish. */
  publish?(visit: FarVisit, streamId: number): void;
  /** Called when a publisher has been let in. */
  published?(visit: FarVisit): void;
}

/** An RTMP server of another's making: it says what a test wants, and notes what comes. In memory, or on a port. */
export class FarServer {
  readonly visits: FarVisit[] = [];
  isDown = false;
  readonly #habits: FarHabits;
  #listener: net.Server | undefined;

  constructor(habits: FarHabits = {}) {
    this.#habits = habits;
  }

  arrive(): Duplex {
    const [theirs, ours] = memoryPair();
    this.serve(ours);
    return theirs;
  }

  serve(stream: Duplex): void {
    this.visits.push(new FarVisit(stream, this.#habits, this.visits.length));
  }

  /** Returns the port. */
  async listen(): Promise<number> {
    this.#listener = net.createServer((socket) => this.serve(socket)).listen(0, '127.0.0.1');
    await once(this.#listener, 'listening');
    return (this.#listener.address() as net.AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#listener?.close();
    for (const visit of this.visits) visit.stream.destroy();
  }
}

/** One connection. */
export class FarVisit {
  readonly stream: Duplex;
  /** Commands, by name. */
  readonly calls: Call[] = [];
  readonly frames: Frame[] = [];
  /** As the other side announced it. */
  chunkSize = 128;
  readonly #habits: FarHabits;
  readonly #number: number;
  readonly #handshake = new Handshake('server', { random });
  readonly #reader = new ChunkReader();
  readonly #writer = new CompressingWriter();
  #isGreeted = false;

  constructor(stream: Duplex, habits: FarHabits, number: number) {
    this.stream = stream;
    this.#habits = habits;
    this.#number = number;
    stream.on('error', () => {});
    stream.on('data', (bytes: Buffer) => this.#receive(bytes));
    stream.on('end', () => stream.end());
  }

  /** What connect said. */
  get app(): string {
    return String(property(this.#asked('connect')?.object, 'app'));
  }

  get tcUrl(): string {
    return String(property(this.#asked('connect')?.object, 'tcUrl'));
  }

  get properties(): AmfValue {
    return this.#asked('connect')?.object;
  }

  /** The stream's name that was asked for; undefined before that. */
  get publishing(): AmfValue {
    return this.#asked('publish')?.args[0];
  }

  /** "key@40", "audio@60", "video:0:header@0" */
  get words(): string[] {
    return this.frames.map(
      (frame) => `${frame.configKey ?? (frame.isKeyframe ? 'key' : frame.kind)}@${frame.timestamp}`,
    );
  }

  /** The other side is gone, whether what it said has been read or not. */
  get isLeft(): boolean {
    return this.stream.destroyed || (this.stream as Duplex & { readonly peer: Duplex }).peer.destroyed;
  }

  has(name: string): boolean {
    return this.#asked(name) !== undefined;
  }

  /** An onStatus, of the connection unless told otherwise. */
  status(code: string, more: Readonly<Record<string, AmfValue>> = {}, streamId = 0): void {
    this.#say(encodeCall(streamId, 'onStatus', 0, null, object({ level: 'status', code, description: '', ...more })));
  }

  reconnect(tcUrl?: string): void {
    this.status('NetConnection.Connect.ReconnectRequest', tcUrl === undefined ? {} : { tcUrl });
  }

  acknowledge(total: number): void {
    this.#say({ type: 3, streamId: 0, timestamp: 0, payload: Buffer.from(total.toString(16).padStart(8, '0'), 'hex') });
  }

  #asked(name: string): Call | undefined {
    return this.calls.find((call) => call.name === name);
  }

  #receive(bytes: Buffer): void {
    const rest = this.#isGreeted ? bytes : this.#handshake.receive(bytes, 0);
    for (const piece of this.#isGreeted ? [] : this.#handshake.takeOutput()) this.stream.write(piece);
    if (rest === undefined) return;
    this.#isGreeted = true;
    const messages: Message[] = [];
    this.#reader.read(rest, messages);
    for (const message of messages) this.#message(message);
  }

  #message(message: Message): void {
    if (message.type === 8 || message.type === 9 || message.type === 18) this.frames.push(frameFromMessage(message));
    if (message.type === 1) this.chunkSize = message.payload.readUInt32BE(0);
    if (message.type !== 20) return;
    const call = decodeCall(message);
    this.calls.push(call);
    if (call.name === 'connect') return this.#connect(call);
    if (call.name === 'createStream') return this.#say(encodeCall(0, '_result', call.transactionId, null, 1));
    if (call.name !== 'publish') return;
    if (this.#habits.publish !== undefined) return this.#habits.publish(this, call.streamId);
    this.status('NetStream.Publish.Start', {}, call.streamId);
    this.#habits.published?.(this);
  }

  #connect({ transactionId, object: properties }: Call): void {
    const answer = this.#habits.connect?.(properties as AmfObject, this.#number) ?? {};
    if (answer === 'nothing') return;
    if ('reject' in answer) {
      const info = { level: 'error', code: 'NetConnection.Connect.Rejected', description: answer.reject };
      this.#say(encodeCall(0, '_error', transactionId, null, object(info)));
      return void this.stream.end();
    }
    const info = { level: 'status', code: 'NetConnection.Connect.Success', description: '', ...answer.accept };
    this.#say(encodeCall(0, '_result', transactionId, object({ fmsVer: 'FMS/3,5,7,7009' }), object(info)));
  }

  #say(message: Message): void {
    if (!this.stream.destroyed) this.stream.write(this.#writer.write(message, message.type < 7 ? 2 : 3));
  }
}
