import { LimitError, ProtocolError } from '../errors.ts';
import type { AmfValue } from './amf0.ts';
import { encodeCall } from './call.ts';
import { ChunkReader } from './chunk-reader.ts';
import { DEFAULT_CHUNK_SIZE, encodeWhole } from './chunk-writer.ts';
import { decodeControl, encodeControl, isControl, type BandwidthLimit, type ControlMessage } from './control.ts';
import { Handshake } from './handshake.ts';
import { Hints } from './hints.ts';
import { Liveness } from './liveness.ts';
import { MessageType, type Message } from './message.ts';
import { RateGate } from './rate-gate.ts';
import { ReceiveWindow } from './receive-window.ts';
import { SESSION_DEFAULTS, type SessionOptions, type SessionSettings } from './session-options.ts';

/** What a role does with what its connection brings. May throw: the connection then fails with that. */
export interface Role {
  /** The handshake is over. */
  handshaken(): void;
  /** Anything but control messages. */
  message(message: Message): void;
  /** User control that concerns NetStreams. */
  control(control: ControlMessage): void;
  /** Time has passed: throws `ProtocolError` when the peer is late with something. */
  tick(now: number): void;
}

/** Something that nobody here acts upon; told once for each kind of thing. */
export interface Unhandled {
  readonly type: 'unhandled';
  readonly what: string;
}

/** Chunk streams in use, every message with a full header. */
const CONTROL_CHUNKS = 2;
const COMMAND_CHUNKS = 3;
const AUDIO_CHUNKS = 4;
const DATA_CHUNKS = 5;
const VIDEO_CHUNKS = 6;

/**
 * What both roles share: handshake, chunks, acknowledgements, window and bandwidth, pings, and the rule on faults
 * (session.ts): messages before a fault still count, their events are returned first, and the fault is thrown next.
 *
 * Acknowledgements, pings and their kin wait outside the output and are rendered when it is taken, the newest replacing
 * what was not. librtmp and OBS read nothing while they publish: for hours of such a stream one of each is owed.
 */
export class Connection<E> {
  readonly options: SessionOptions;
  /** Of the last call that brought the time along. */
  now: number;
  readonly #kind: 'server' | 'client';
  readonly #role: Role;
  #handshake: Handshake | undefined;
  readonly #reader: ChunkReader;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  readonly #window: ReceiveWindow;
  readonly #liveness: Liveness;
  readonly #controls: RateGate;
  /** Reused, so that a call without messages allocates nothing. */
  readonly #messages: Message[] = [];
  #events: (E | Unhandled)[] = [];
  #output: Buffer[] = [];
  #unreadReplyBytes = 0;
  #mediaWaits = false;
  #mediaTaken = false;
  #awaited: { readonly at: number; readonly code: string; readonly what: string } | undefined;
  /** Any of these is owed: one field to look at for each packet that goes out, instead of four. */
  #owes = false;
  #owedPing: number | undefined;
  #owedPong: number | undefined;
  #owedWindow: number | undefined;
  #windowSent = 0;
  #bytesAcknowledged = 0;
  #bandwidth: BandwidthLimit = 'dynamic';
  #live = false;
  #lastId = 0;
  readonly #hints = new Hints();
  #state: 'open' | 'deaf' | 'failed' | 'ended' = 'open';
  #fault: unknown;
  #faultTold = true;

  constructor(kind: 'server' | 'client', settings: SessionSettings, now: number, role: Role) {
    this.options = { ...SESSION_DEFAULTS, ...settings };
    this.now = now;
    this.#kind = kind;
    this.#role = role;
    this.#handshake = new Handshake(kind, { random: this.options.random });
    this.#reader = new ChunkReader(this.options.limitsBefore);
    this.#window = new ReceiveWindow(this.options.bytesReceivedBefore);
    this.#liveness = new Liveness(this.options, now);
    this.#controls = new RateGate(this.options.maxControlsPerSecond);
    this.#output.push(...this.#handshake.takeOutput());
    this.expectSoon('HANDSHAKE_TIMEOUT', 'handshake', this.options.handshakeTimeoutMs, now);
  }

  get outgoingChunkSize(): number {
    return this.#chunkSize;
  }

  /** What the peer says it has received, in all: its count wraps at 32 bits, this one does not. 0: it has said nothing. */
  get bytesAcknowledged(): number {
    return this.#bytesAcknowledged;
  }

  // ---- what came in

  receive(bytes: Buffer, now: number): (E | Unhandled)[] {
    this.now = now;
    if (this.#state === 'open' && bytes.length > 0) this.#consume(bytes, now);
    return this.#deliver();
  }

  tick(now: number): (E | Unhandled)[] {
    this.now = now;
    if (this.#state === 'open') this.attempt(() => this.#checkTimes(now));
    return this.#deliver();
  }

  /** Events raised outside a call of the driver's wait for its next one, which `deadline()` then wants at once. */
  emit(event: E | Unhandled): void {
    this.#events.push(Object.freeze(event));
  }

  /** Numbers for requests and calls, each used once. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Tells, once, about something that nobody acts upon. */
  hint(what: string): void {
    if (this.#hints.isNew(what)) this.emit({ type: 'unhandled', what });
  }

  /** Runs what may throw: a throw is this connection's fault. */
  attempt(action: () => void): void {
    try {
      action();
    } catch (fault) {
      this.fail(fault);
    }
  }

  fail(fault: unknown): void {
    if (this.#state === 'failed' || this.#state === 'ended') return;
    this.#state = 'failed';
    this.#fault = fault;
    this.#faultTold = false;
  }

  #consume(bytes: Buffer, now: number): void {
    this.#window.add(bytes.length, now);
    if (this.#window.due) this.#owes = true;
    this.#liveness.heard(now);
    const messages = this.#messages;
    let fault: unknown;
    try {
      this.#read(bytes, now, messages);
    } catch (error) {
      fault = error;
    }
    try {
      for (let i = 0; i < messages.length && this.#state === 'open'; i++) this.#dispatch(messages[i]!);
    } catch (error) {
      fault = error;
    }
    messages.length = 0;
    if (fault !== undefined) this.fail(fault);
  }

  #read(bytes: Buffer, now: number, out: Message[]): void {
    const rest = this.#handshake === undefined ? bytes : this.#shakeHands(this.#handshake, bytes, now);
    if (rest !== undefined && rest.length > 0) this.#reader.read(rest, out);
  }

  #shakeHands(handshake: Handshake, bytes: Buffer, now: number): Buffer | undefined {
    const rest = handshake.receive(bytes, now);
    this.#output.push(...handshake.takeOutput());
    if (rest === undefined) return undefined;
    this.#handshake = undefined;
    this.#awaited = undefined;
    this.#role.handshaken();
    return rest;
  }

  #dispatch(message: Message): void {
    if (!isControl(message.type)) this.#role.message(message);
    else if (this.#controls.allow(this.now)) this.#takeControl(decodeControl(message));
  }

  #takeControl(control: ControlMessage): void {
    switch (control.type) {
      case 'windowAckSize':
        return this.#window.announced(control.size);
      case 'setPeerBandwidth':
        return this.#takeBandwidth(control.size, control.limit);
      case 'pingRequest':
        this.#owedPong = control.time;
        this.#owes = true;
        return;
      case 'acknowledgement':
        // Counted, but never a reason to hold our sending back: mobile players acknowledge nothing.
        return this.#acknowledged(control.total);
      case 'pingResponse':
        // Players may be put to sleep, and what has left for them counts all the same.
        if (this.#kind === 'client') this.#liveness.answers();
        return;
      case 'setChunkSize':
      case 'abort':
      case 'unknownEvent':
        // The reader has acted on the first two.
        return;
      default:
        return this.#role.control(control);
    }
  }

  /** A smaller total is the same count one turn further on, or an old one that came late. */
  #acknowledged(total: number): void {
    const step = (total - this.#bytesAcknowledged) | 0;
    if (step > 0) this.#bytesAcknowledged += step;
  }

  /** Set Peer Bandwidth is answered with our window where that changes (RTMP 1.0, section 5.4.5). */
  #takeBandwidth(size: number, limit: BandwidthLimit): void {
    if (limit === 'dynamic' && this.#bandwidth !== 'hard') return;
    if (limit !== 'dynamic') this.#bandwidth = limit;
    const last = this.#owedWindow ?? this.#windowSent;
    const wanted = limit === 'soft' && last > 0 ? Math.min(size, last) : size;
    if (wanted === last) return;
    this.#owedWindow = wanted;
    this.#owes = true;
  }

  #deliver(): (E | Unhandled)[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    else if (this.#state === 'failed') {
      this.#faultTold = true;
      throw this.#fault;
    }
    return events.length > 0 ? events : [];
  }

  // ---- time

  /** The peer owes us something by then; one such thing at a time. */
  expectSoon(code: string, what: string, withinMs: number, now: number): void {
    this.#awaited = { at: now + withinMs, code, what };
  }

  expectNothing(): void {
    this.#awaited = undefined;
  }

  /** From now on silence is judged by signs of life. */
  live(now: number): void {
    this.#live = true;
    this.#liveness.heard(now);
  }

  drained(now: number): void {
    this.now = now;
    if (this.#mediaTaken) this.#liveness.drained(now);
    this.#mediaTaken = false;
  }

  /** The earliest of what the connection waits for and `other`. */
  deadline(other: number): number | undefined {
    if (this.#events.length > 0 || !this.#faultTold) return 0;
    if (this.#state !== 'open') return undefined;
    const live = this.#live ? this.#liveness.deadline() : Infinity;
    const at = Math.min(other, live, this.#window.deadline(), this.#awaited?.at ?? Infinity);
    return at === Infinity ? undefined : at;
  }

  #checkTimes(now: number): void {
    const awaited = this.#awaited;
    if (awaited && now >= awaited.at) throw new ProtocolError(awaited.code, `no ${awaited.what} in time`);
    this.#role.tick(now);
    this.#window.tick(now);
    if (this.#window.due) this.#owes = true;
    if (!this.#live || !this.#liveness.tick(now)) return;
    this.#owedPing = Math.trunc(now) >>> 0;
    this.#owes = true;
  }

  /** The peer was allowed in: what it may send from here on. */
  widen(): void {
    this.#reader.limits = this.options.limitsAfter;
  }

  // ---- what goes out

  sendControl(control: Exclude<ControlMessage, { type: 'unknownEvent' }>): void {
    if (control.type === 'windowAckSize') this.#windowSent = control.size;
    this.#reply(encodeControl(control), CONTROL_CHUNKS);
  }

  /** Announces it, and uses it from the next message on. */
  setChunkSize(size: number): void {
    this.sendControl({ type: 'setChunkSize', size });
    this.#chunkSize = size;
  }

  sendCall(
    streamId: number,
    name: string,
    transactionId: number,
    object: AmfValue,
    ...args: readonly AmfValue[]
  ): void {
    this.#reply(encodeCall(streamId, name, transactionId, object, ...args), COMMAND_CHUNKS);
  }

  sendMessage(message: Message): void {
    this.sendEncoded(encodeWhole(message, mediaChunks(message.type), this.#chunkSize));
  }

  sendEncoded(bytes: Buffer): void {
    if (this.#state === 'ended') return;
    this.#put(bytes);
    this.#mediaWaits = true;
  }

  #reply(message: Message, chunkStreamId: number): void {
    if (this.#state === 'ended' || this.#state === 'failed') return;
    const bytes = encodeWhole(message, chunkStreamId, this.#chunkSize);
    this.#put(bytes);
    this.#unreadReplyBytes += bytes.length;
    if (this.#unreadReplyBytes > this.options.maxUnreadReplyBytes) {
      this.fail(new LimitError('REPLIES_UNREAD', 'the peer asks and does not read the answers'));
    }
  }

  /** Nearly always the only one: an array of one takes a fraction of what the first push onto an empty one sets aside. */
  #put(bytes: Buffer): void {
    if (this.#output.length === 0) this.#output = [bytes];
    else this.#output.push(bytes);
  }

  takeOutput(): Buffer[] {
    if (this.#owes && this.#state !== 'ended' && this.#handshake === undefined) this.#renderOwed();
    const output = this.#output;
    if (output.length === 0) return output.slice();
    this.#output = [];
    this.#unreadReplyBytes = 0;
    this.#mediaTaken ||= this.#mediaWaits;
    this.#mediaWaits = false;
    return output;
  }

  #renderOwed(): void {
    if (this.#window.due) this.#control({ type: 'acknowledgement', total: this.#window.take() });
    if (this.#owedWindow !== undefined) {
      this.#windowSent = this.#owedWindow;
      this.#control({ type: 'windowAckSize', size: this.#owedWindow });
    }
    if (this.#owedPong !== undefined) this.#control({ type: 'pingResponse', time: this.#owedPong });
    if (this.#owedPing !== undefined) this.#control({ type: 'pingRequest', time: this.#owedPing });
    this.#owedWindow = this.#owedPong = this.#owedPing = undefined;
    this.#owes = false;
  }

  #control(control: Exclude<ControlMessage, { type: 'unknownEvent' }>): void {
    this.#put(encodeWhole(encodeControl(control), CONTROL_CHUNKS, this.#chunkSize));
  }

  // ---- the end

  /** What still comes is not read any more; what waits still goes out. */
  deafen(): void {
    if (this.#state === 'open') this.#state = 'deaf';
  }

  end(): void {
    this.#state = 'ended';
    this.#events = [];
    this.#output = [];
    this.#faultTold = true;
  }
}

function mediaChunks(type: number): number {
  if (type === MessageType.audio) return AUDIO_CHUNKS;
  return type === MessageType.video ? VIDEO_CHUNKS : DATA_CHUNKS;
}
