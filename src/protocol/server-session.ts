import { LimitError, ProtocolError } from '../errors.ts';
import { unpackAggregate } from './aggregate.ts';
import { decodeCall, type Call } from './call.ts';
import { parseCommand, type Command, type ConnectCommand } from './command.ts';
import { Connection } from './connection.ts';
import type { ControlMessage } from './control.ts';
import { HeldBudget } from './held-budget.ts';
import { MessageType, type Message } from './message.ts';
import { RateGate } from './rate-gate.ts';
import { connectInfo, serverProperties, statusInfo } from './replies.ts';
import type { ConnectRequest, PlayRequest, PublishRequest, ServerEvent } from './server-events.ts';
import { ServerStreams } from './server-streams.ts';
import type { SessionSettings } from './session-options.ts';
import type { Session } from './session.ts';
import { status, type Status } from './status.ts';

/*
 * Theory of operation
 *
 * A session is two kinds of machine: one for the connection, in this file, and one for each NetStream that the client
 * created, in server-streams.ts. Both are tables: a command, or our own answer to a request, is looked up in the row of
 * the present phase. Found: the entry is the next phase, and whatever is to be said is said. Not found: the client broke
 * the rules, `ProtocolError`. Rule one: whatever changes a machine's phase is in the file that holds its table.
 *
 *     connection:  handshake -> fresh -> connecting -> connected -> closed
 *     NetStream:   idle -> askedToPublish | askedToPlay -> publishing | playing -> idle
 *
 * After connect, commands may come in any order; no two encoders agree on one, and those that follow none (Haivision)
 * are served all the same. What cannot be decided here, whether to let somebody in, publish or play, leaves as a
 * request with an id and waits for accept or reject. While a request is open, whatever comes behind it waits unread, up
 * to a limit; only media of other NetStreams passes. So there is one open request at most, nobody outside sees media
 * before it allowed the publisher, and a conversation comes to the same however it was cut.
 *
 * Events that come of an answer (what had waited is read then) wait for the driver's next call, which `deadline()` asks
 * for at once.
 */

/** Below it a message costs its sender hardly anything. AAC makes packets of 8 bytes out of silence, pictures are longer. */
const TINY_BYTES = 16;

type Phase = 'handshake' | 'fresh' | 'connecting' | 'connected' | 'closed';
type Step = Command['type'] | 'handshaken' | 'accept' | 'reject';

const TRANSITIONS: Readonly<Record<Phase, Readonly<Partial<Record<Step, Phase>>>>> = {
  handshake: { handshaken: 'fresh' },
  fresh: { connect: 'connecting' },
  connecting: { accept: 'connected', reject: 'closed' },
  connected: {
    createStream: 'connected',
    announce: 'connected',
    withdraw: 'connected',
    publish: 'connected',
    play: 'connected',
    closeStream: 'connected',
    deleteStream: 'connected',
    pause: 'connected',
    seek: 'connected',
    receive: 'connected',
    getStreamLength: 'connected',
    answer: 'connected',
    courtesy: 'connected',
    unknown: 'connected',
  },
  closed: {},
};

/** The answering side of RTMP: what a client may ask, when, and what it is told. */
export class ServerSession implements Session<ServerEvent> {
  readonly #connection: Connection<ServerEvent>;
  #phase: Phase = 'handshake';
  readonly #streams: ServerStreams;
  #request: ConnectRequest | PublishRequest | PlayRequest | undefined;
  #connectTransaction = 0;
  /** What came behind the open request; empty when there is none. */
  #waiting: Message[] = [];
  #waitingCommands = 0;
  readonly #held: HeldBudget;
  readonly #commands: RateGate;
  readonly #tiny: RateGate;

  constructor(settings: SessionSettings, now: number) {
    this.#connection = new Connection<ServerEvent>('server', settings, now, {
      handshaken: () => this.#handshaken(),
      message: (message) => this.#message(message),
      control: (control) => this.#control(control),
      tick: (time) => this.#streams.tick(time),
    });
    this.#held = new HeldBudget(this.#connection.options.maxHeldBytes);
    this.#streams = new ServerStreams(this.#connection);
    this.#commands = new RateGate(this.#connection.options.maxCommandsPerSecond);
    this.#tiny = new RateGate(this.#connection.options.maxTinyMessagesPerSecond);
  }

  // ---- Session

  receive(bytes: Buffer, now: number): ServerEvent[] {
    return this.#connection.receive(bytes, now);
  }

  takeOutput(): Buffer[] {
    return this.#connection.takeOutput();
  }

  deadline(): number | undefined {
    return this.#connection.deadline(this.#streams.deadline());
  }

  tick(now: number): ServerEvent[] {
    return this.#connection.tick(now);
  }

  end(): void {
    this.#phase = 'closed';
    this.#request = undefined;
    this.#waiting = [];
    this.#streams.clear();
    this.#connection.end();
  }

  // ---- what the owner says

  get outgoingChunkSize(): number {
    return this.#connection.outgoingChunkSize;
  }

  /** After reject(connect): close, politely, once the output is flushed. */
  get wantsClose(): boolean {
    return this.#phase === 'closed';
  }

  /** Bytes handed out earlier have left: a sign of life of a player that sends nothing. */
  drained(now: number): void {
    this.#connection.drained(now);
  }

  /**
   * Grants a request and tells the client. `now` starts the deadline for what must follow.
   * False when that request is not open (any more): it was answered, or the session ended.
   */
  accept(requestId: number, now: number = this.#connection.now): boolean {
    const request = this.#request;
    if (request?.id !== requestId) return false;
    this.#request = undefined;
    if (request.type === 'connect') this.#acceptConnect(request, now);
    else {
      // Only publishers: a player has nothing long to say, and anybody may play.
      if (request.type === 'publish') this.#connection.widen();
      this.#streams.accept(request, now);
    }
    this.#readWaiting();
    return true;
  }

  /**
   * Refuses a request. connect: `_error`, and then the session wants closing; publish and play: onStatus on the
   * NetStream, which stays usable. False when that request is not open (any more).
   */
  reject(requestId: number, why: Status): boolean {
    const request = this.#request;
    if (request?.id !== requestId) return false;
    this.#request = undefined;
    if (request.type === 'connect') this.#rejectConnect(why);
    else {
      this.#streams.reject(request, why);
      this.#readWaiting();
    }
    return true;
  }

  /** onStatus on a NetStream, or with 0 on the connection. */
  sendStatus(streamId: number, what: Status): void {
    this.#streams.tell(streamId, what);
  }

  /** One message for this client only: audio on chunk stream 4, data on 5, video on 6, with whole headers. */
  sendMessage(message: Message): void {
    this.#connection.sendMessage(message);
  }

  /** Whole chunks, already encoded for `outgoingChunkSize` on chunk streams 4 to 6; not copied. */
  sendEncoded(bytes: Buffer): void {
    this.#connection.sendEncoded(bytes);
  }

  /** User control StreamBegin. */
  beginStream(streamId: number): void {
    this.#connection.sendControl({ type: 'streamBegin', streamId });
  }

  /** User control StreamEOF. */
  endStream(streamId: number): void {
    this.#connection.sendControl({ type: 'streamEof', streamId });
  }

  /** Our side ends what is published or played there, without a word. Media that still comes is dropped. */
  stopStream(streamId: number): void {
    this.#streams.stop(streamId);
  }

  // ---- what the client says

  #handshaken(): void {
    this.#move('handshaken');
    const { connectTimeoutMs } = this.#connection.options;
    this.#connection.expectSoon('CONNECT_TIMEOUT', 'connect command', connectTimeoutMs, this.#connection.now);
  }

  #control(control: ControlMessage): void {
    if (control.type === 'setBufferLength') this.#streams.bufferLength(control.ms, control.streamId);
  }

  #message(message: Message): void {
    this.#checkRate(message);
    if (this.#request !== undefined && !this.#mayPass(message)) return this.#wait(message);
    if (isCommand(message.type)) return this.#command(message);
    switch (message.type) {
      case MessageType.audio:
      case MessageType.video:
      case MessageType.dataAmf0:
      case MessageType.dataAmf3:
        return this.#streams.media(message);
      case MessageType.aggregate:
        return this.#aggregate(message);
      default:
        this.#connection.hint(`message type ${message.type}`);
    }
  }

  #aggregate(message: Message): void {
    for (const part of unpackAggregate(message)) {
      this.#checkRate(part);
      this.#streams.media(part);
    }
  }

  /** A message without payload is one byte for its sender, and a frame for every player. */
  #checkRate({ payload }: Message): void {
    if (payload.length >= TINY_BYTES || this.#tiny.allow(this.#connection.now)) return;
    throw new LimitError('TOO_MANY_TINY_MESSAGES', 'more messages of next to nothing than any encoder makes');
  }

  /** Media of a NetStream that was allowed long ago does not wait for another's request. */
  #mayPass({ type, streamId }: Message): boolean {
    return !isCommand(type) && this.#streams.isPublishing(streamId);
  }

  #wait(message: Message): void {
    if (isCommand(message.type) && ++this.#waitingCommands > this.#connection.options.maxPendingCalls) {
      throw new LimitError('TOO_MANY_PENDING', 'too many commands behind an open request');
    }
    if (this.#held.take(message)) this.#waiting.push(message);
    else this.#connection.hint('more than can wait behind an open request');
  }

  #readWaiting(): void {
    const waiting = this.#waiting;
    let read = 0;
    this.#waiting = [];
    this.#waitingCommands = 0;
    this.#held.clear();
    this.#connection.attempt(() => {
      while (read < waiting.length) this.#message(waiting[read++]!);
    });
  }

  #command(message: Message): void {
    if (!this.#commands.allow(this.#connection.now)) {
      throw new LimitError('TOO_MANY_COMMANDS', 'more commands than anybody needs');
    }
    const call = decodeCall(message, this.#connection.options.amf);
    const command = parseCommand(call);
    this.#move(command.type);
    this.#obey(command, call);
  }

  #obey(command: Command, call: Call): void {
    switch (command.type) {
      case 'connect':
        return this.#connect(command, call);
      case 'createStream':
        return this.#createStream(call);
      case 'announce':
        return this.#announce(command.name, call);
      case 'withdraw':
        return this.#withdraw(command.name, call);
      case 'publish':
        return this.#ask(this.#streams.publish(command, call.streamId));
      case 'play':
        return this.#ask(this.#streams.play(command, call.streamId));
      case 'closeStream':
        return this.#streams.close(call.streamId);
      case 'deleteStream':
        return this.#streams.delete(command.streamId);
      case 'pause':
        return this.#streams.pause(command.paused, command.position, call.streamId);
      case 'seek':
        return this.#streams.seek(command.position, call.streamId);
      case 'receive':
        return this.#streams.receive(command.kind, command.wanted, call.streamId);
      case 'getStreamLength':
        // FFmpeg asks before it plays; what is live has no length.
        return this.#result(call, null, 0);
      case 'answer':
        return;
      case 'unknown':
        this.#connection.hint(`command ${call.name.slice(0, 64)}`);
        return this.#acknowledge(call);
      case 'courtesy':
        return this.#acknowledge(call);
    }
  }

  #connect(command: ConnectCommand, call: Call): void {
    this.#connectTransaction = call.transactionId;
    this.#ask({ ...command, id: this.#connection.nextId() });
  }

  #ask(request: ConnectRequest | PublishRequest | PlayRequest): void {
    this.#connection.expectNothing();
    this.#request = request;
    this.#connection.emit(request);
  }

  #createStream(call: Call): void {
    if (call.transactionId === 0) return;
    const id = this.#streams.create();
    if (id !== undefined) return this.#result(call, null, id);
    const info = statusInfo(status('NetConnection.Call.Failed', 'Too many streams on this connection.'));
    this.#connection.sendCall(0, '_error', call.transactionId, null, info);
  }

  /** FMLE and Wirecast wait for the call that answers FCPublish, others for its result. */
  #announce(name: string, call: Call): void {
    this.#acknowledge(call);
    const info = statusInfo(status('NetStream.Publish.Start', name));
    this.#connection.sendCall(0, 'onFCPublish', 0, null, info);
  }

  #withdraw(name: string, call: Call): void {
    this.#acknowledge(call);
    this.#streams.withdraw(name);
  }

  /** `_result` with these values, unless no answer is wanted. */
  #result(call: Call, ...values: [null, number | undefined]): void {
    if (call.transactionId !== 0) this.#connection.sendCall(0, '_result', call.transactionId, ...values);
  }

  /** SRS's way with calls that need no doing: clients that wait for an answer go on, and nobody stumbles over it. */
  #acknowledge(call: Call): void {
    this.#result(call, null, undefined);
  }

  // ---- accepted and rejected

  #acceptConnect(request: ConnectRequest, now: number): void {
    const { windowAckSize, chunkSize, requestTimeoutMs } = this.#connection.options;
    this.#move('accept');
    this.#connection.sendControl({ type: 'windowAckSize', size: windowAckSize });
    this.#connection.sendControl({ type: 'setPeerBandwidth', size: windowAckSize, limit: 'dynamic' });
    // Once, and never later: an OBS that publishes does not act on what it reads. FFmpeg adopts it for its own sending.
    this.#connection.setChunkSize(chunkSize);
    this.#connection.sendCall(
      0,
      '_result',
      this.#connectTransaction,
      serverProperties(),
      connectInfo(request.properties),
    );
    this.#connection.expectSoon('REQUEST_TIMEOUT', 'publish or play', requestTimeoutMs, now);
    this.#connection.live(now);
  }

  #rejectConnect(why: Status): void {
    this.#waiting = [];
    this.#move('reject');
    this.#connection.sendCall(0, '_error', this.#connectTransaction, null, statusInfo(why));
    this.#connection.deafen();
  }

  // ---- phases

  #move(step: Step): void {
    const next = TRANSITIONS[this.#phase][step];
    if (next === undefined) throw new ProtocolError('COMMAND_UNEXPECTED', `${step} while ${this.#phase}`);
    this.#phase = next;
  }
}

function isCommand(type: number): boolean {
  return type === MessageType.commandAmf0 || type === MessageType.commandAmf3;
}
