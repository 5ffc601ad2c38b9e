import { LimitError, UsageError } from '../errors.ts';
import { unpackAggregate } from './aggregate.ts';
import type { AmfValue } from './amf0.ts';
import { decodeCall, type Call } from './call.ts';
import type { ClientEvent, ConnectParameters, PlayOptions } from './client-events.ts';
import { ClientStreams } from './client-streams.ts';
import type { PublishKind } from './command.ts';
import { connectObject } from './connect-object.ts';
import { Connection } from './connection.ts';
import type { ControlMessage } from './control.ts';
import { MessageType, type Message } from './message.ts';
import { RateGate } from './rate-gate.ts';
import type { SessionSettings } from './session-options.ts';
import type { Session } from './session.ts';
import { readStatus, type Status } from './status.ts';

/*
 * Theory of operation
 *
 * The server session's shape from the other side. The methods ask, the events answer, and an id joins the two. A
 * connection and its NetStreams are machines with a table each; here it is the owner who may not do what is not in the
 * row (`UsageError`), while a server's answers to what nobody asked are passed over.
 *
 *     connection:  handshake -> fresh -> connecting -> connected -> closed       (this file)
 *     NetStream:   creating -> asked -> active -> idle, or gone                  (client-streams.ts)
 */

type Phase = 'handshake' | 'fresh' | 'connecting' | 'connected' | 'closed';
type Step = 'handshaken' | 'connect' | 'connected' | 'refused' | 'ask';

const TRANSITIONS: Readonly<Record<Phase, Readonly<Partial<Record<Step, Phase>>>>> = {
  handshake: { handshaken: 'fresh' },
  fresh: { connect: 'connecting' },
  connecting: { connected: 'connected', refused: 'closed' },
  connected: { ask: 'connected' },
  closed: {},
};

/** The asking side of RTMP: connect, then publish and play on as many NetStreams as the server gives. */
export class ClientSession implements Session<ClientEvent> {
  readonly #connection: Connection<ClientEvent>;
  #phase: Phase = 'handshake';
  #parameters: ConnectParameters | undefined;
  #connectId = 0;
  #connectTransaction = 0;
  #lastTransaction = 0;
  #bandwidthChecks = 0;
  #toldToLeave = false;
  #bytesSent = 0;
  readonly #streams: ClientStreams;
  readonly #commands: RateGate;
  /** `call()`s in flight: transaction -> request. */
  readonly #calls = new Map<number, number>();

  constructor(settings: SessionSettings, now: number) {
    this.#connection = new Connection<ClientEvent>('client', settings, now, {
      handshaken: () => this.#handshaken(),
      message: (message) => this.#message(message),
      control: (control) => this.#control(control),
      tick: (time) => this.#streams.tick(time),
    });
    this.#streams = new ClientStreams(this.#connection, this.#send.bind(this));
    this.#commands = new RateGate(this.#connection.options.maxCommandsPerSecond);
  }

  // ---- Session

  receive(bytes: Buffer, now: number): ClientEvent[] {
    return this.#connection.receive(bytes, now);
  }

  takeOutput(): Buffer[] {
    const output = this.#connection.takeOutput();
    for (const bytes of output) this.#bytesSent += bytes.length;
    return output;
  }

  deadline(): number | undefined {
    return this.#connection.deadline(this.#streams.deadline());
  }

  tick(now: number): ClientEvent[] {
    return this.#connection.tick(now);
  }

  end(): void {
    this.#phase = 'closed';
    this.#streams.clear();
    this.#calls.clear();
    this.#connection.end();
  }

  // ---- what the owner asks

  get outgoingChunkSize(): number {
    return this.#connection.outgoingChunkSize;
  }

  /** Handed out to be sent, handshake included: what a server's acknowledgements count. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** What the server says it has received; 0 if it says nothing. */
  get bytesAcknowledged(): number {
    return this.#connection.bytesAcknowledged;
  }

  /** After a refused connect, or when the server asked us to leave. */
  get wantsClose(): boolean {
    return this.#phase === 'closed' || this.#toldToLeave;
  }

  /** Bytes handed out earlier have left: a publisher hears little else. */
  drained(now: number): void {
    this.#connection.drained(now);
  }

  /** May be called at once: it waits for the handshake. Answered by 'connected' or 'refused'. */
  connect(parameters: ConnectParameters): number {
    if (this.#parameters !== undefined) throw new UsageError('SESSION_MISUSED', 'connect() a second time');
    this.#parameters = parameters;
    this.#connectId = this.#connection.nextId();
    if (this.#phase === 'fresh') this.#sendConnect(parameters);
    return this.#connectId;
  }

  /**
   * releaseStream, FCPublish, createStream, publish. Answered by 'published', whose stream id is where media goes, or by
   * 'refused'. Media sent before that is the server's to drop.
   */
  publish(name: string, kind: PublishKind = 'live'): number {
    this.#move('ask');
    return this.#streams.publish(name, kind);
  }

  /** createStream, play, SetBufferLength. Answered by 'playing' or 'refused'. */
  play(name: string, options: PlayOptions = {}): number {
    this.#move('ask');
    return this.#streams.play(name, options);
  }

  /** Any other call, answered by 'result'. */
  call(name: string, args: readonly AmfValue[] = [], streamId = 0): number {
    this.#move('ask');
    if (this.#calls.size >= this.#connection.options.maxPendingCalls) {
      throw new UsageError('SESSION_MISUSED', 'too many calls without an answer');
    }
    const id = this.#connection.nextId();
    this.#calls.set(this.#send(streamId, name, null, ...args), id);
    return id;
  }

  /** A call that wants no answer. */
  notify(name: string, args: readonly AmfValue[] = [], streamId = 0): void {
    this.#move('ask');
    this.#connection.sendCall(streamId, name, 0, null, ...args);
  }

  pause(streamId: number, paused: boolean, positionMs = 0): void {
    this.notify('pause', [paused, positionMs], streamId);
  }

  seek(streamId: number, positionMs: number): void {
    this.notify('seek', [positionMs], streamId);
  }

  receiveAudio(streamId: number, wanted: boolean): void {
    this.notify('receiveAudio', [wanted], streamId);
  }

  receiveVideo(streamId: number, wanted: boolean): void {
    this.notify('receiveVideo', [wanted], streamId);
  }

  setBufferLength(streamId: number, ms: number): void {
    this.#connection.sendControl({ type: 'setBufferLength', streamId, ms });
  }

  /** Ends what is published or played there; FCUnpublish and closeStream. */
  closeStream(streamId: number): void {
    this.#streams.close(streamId);
  }

  /** Ends what is published or played there, and the NetStream with it: FCUnpublish and deleteStream. */
  deleteStream(streamId: number): void {
    this.#streams.delete(streamId);
  }

  /** Announces it, and uses it for what is sent from here on. */
  setChunkSize(size: number): void {
    this.#connection.setChunkSize(size);
  }

  /** Media and data on a NetStream: audio on chunk stream 4, data on 5, video on 6, with whole headers. */
  sendMessage(message: Message): void {
    this.#connection.sendMessage(message);
  }

  /** Whole chunks, already encoded for `outgoingChunkSize` on chunk streams 4 to 6; not copied. */
  sendEncoded(bytes: Buffer): void {
    this.#connection.sendEncoded(bytes);
  }

  /** Sends a call and returns its transaction id. */
  #send(streamId: number, name: string, commandObject: AmfValue, ...args: readonly AmfValue[]): number {
    const transactionId = ++this.#lastTransaction;
    this.#connection.sendCall(streamId, name, transactionId, commandObject, ...args);
    return transactionId;
  }

  #handshaken(): void {
    this.#move('handshaken');
    if (this.#parameters !== undefined) this.#sendConnect(this.#parameters);
  }

  #sendConnect(parameters: ConnectParameters): void {
    const { chunkSize, connectTimeoutMs } = this.#connection.options;
    this.#move('connect');
    // Before anything else, as OBS does: then connect is one chunk as well, whatever it carries.
    this.#connection.setChunkSize(chunkSize);
    this.#connectTransaction = this.#send(0, 'connect', connectObject(parameters), ...(parameters.args ?? []));
    this.#connection.expectSoon('CONNECT_TIMEOUT', 'answer to connect', connectTimeoutMs, this.#connection.now);
  }

  // ---- what the server says

  #control(control: ControlMessage): void {
    if (control.type !== 'streamBegin' && control.type !== 'streamEof') return;
    this.#connection.emit({ type: control.type === 'streamBegin' ? 'begin' : 'eof', streamId: control.streamId });
  }

  #message(message: Message): void {
    switch (message.type) {
      case MessageType.audio:
      case MessageType.video:
      case MessageType.dataAmf0:
      case MessageType.dataAmf3:
        return this.#streams.media(message);
      case MessageType.aggregate:
        for (const part of unpackAggregate(message)) this.#streams.media(part);
        return;
      case MessageType.commandAmf0:
      case MessageType.commandAmf3:
        return this.#answer(decodeCall(message, this.#connection.options.amf));
      default:
        this.#connection.hint(`message type ${message.type}`);
    }
  }

  /** Throws `LimitError` TOO_MANY_COMMANDS: a server answers, and tells now and then. */
  #answer(call: Call): void {
    if (!this.#commands.allow(this.#connection.now))
      throw new LimitError('TOO_MANY_COMMANDS', 'more commands than any server has to say');
    switch (call.name) {
      case '_result':
      case '_error':
        return this.#result(call, call.name === '_result');
      case 'onStatus':
        return this.#status(call);
      case '_onbwcheck':
        // The bandwidth test of Flash Media Server waits for a counter; librtmp answers so.
        return this.#respond(call, this.#bandwidthChecks++);
      case 'close':
      case 'onFCUnsubscribe':
        this.#toldToLeave = true;
        return this.#connection.emit({ type: 'leave', what: call.name });
      default:
        this.#connection.hint(`command ${call.name.slice(0, 64)}`);
        return this.#respond(call, undefined);
    }
  }

  #respond(call: Call, value: AmfValue): void {
    if (call.transactionId !== 0) this.#connection.sendCall(0, '_result', call.transactionId, null, value);
  }

  #result(call: Call, ok: boolean): void {
    const { transactionId, object: commandObject, args } = call;
    if (transactionId === this.#connectTransaction && this.#phase === 'connecting') {
      return this.#connectAnswered(commandObject, args[0], ok);
    }
    const id = this.#calls.get(transactionId);
    if (id !== undefined) {
      this.#calls.delete(transactionId);
      return this.#connection.emit({ type: 'result', id, ok, values: [commandObject, ...args] });
    }
    this.#streams.answered(transactionId, ok, args[0]);
  }

  #connectAnswered(properties: AmfValue, info: AmfValue, ok: boolean): void {
    const answer = readStatus(info);
    if (!ok || answer.level === 'error') return this.#connectRefused(answer, info);
    this.#move('connected');
    this.#connection.expectNothing();
    this.#connection.widen();
    this.#connection.live(this.#connection.now);
    this.#connection.sendControl({ type: 'windowAckSize', size: this.#connection.options.windowAckSize });
    this.#connection.emit({ type: 'connected', id: this.#connectId, properties, info });
  }

  #connectRefused(answer: Status, info: AmfValue): void {
    this.#move('refused');
    this.#connection.emit({
      type: 'refused',
      id: this.#connectId,
      what: 'connect',
      streamId: 0,
      status: answer,
      info,
    });
    this.#connection.deafen();
  }

  #status(call: Call): void {
    const info = call.args[0];
    const told = readStatus(info);
    this.#connection.emit({ type: 'status', streamId: call.streamId, status: told, info });
    // SRS refuses a connect so.
    if (this.#phase === 'connecting' && told.level === 'error') return this.#connectRefused(told, info);
    this.#streams.told(call.streamId, told, info);
  }

  #move(step: Step): void {
    const next = TRANSITIONS[this.#phase][step];
    if (next === undefined) throw new UsageError('SESSION_MISUSED', `${step} while ${this.#phase}`);
    this.#phase = next;
  }
}
