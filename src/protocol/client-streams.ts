import { ProtocolError, UsageError } from '../errors.ts';
import type { AmfValue } from './amf0.ts';
import type { ClientEvent, PlayOptions } from './client-events.ts';
import type { PublishKind } from './command.ts';
import type { Connection } from './connection.ts';
import type { Message } from './message.ts';
import { readStatus, type Status } from './status.ts';

/** Sends a call and returns its transaction id. */
export type Ask = (streamId: number, name: string, commandObject: AmfValue, ...args: readonly AmfValue[]) => number;

type Phase = 'creating' | 'asked' | 'active' | 'idle';
type Step = 'created' | 'started' | 'close';

const TRANSITIONS: Readonly<Record<Phase, Readonly<Partial<Record<Step, Phase>>>>> = {
  creating: { created: 'asked' },
  asked: { started: 'active', close: 'idle' },
  active: { close: 'idle' },
  idle: {},
};

/** What a NetStream is for. */
type Purpose =
  | { readonly type: 'publish'; readonly name: string; readonly kind: PublishKind }
  | { readonly type: 'play'; readonly name: string; readonly options: PlayOptions };

interface ClientStream {
  /** Of the request that made it. */
  readonly requestId: number;
  readonly purpose: Purpose;
  phase: Phase;
  /** 0 while it is created. */
  streamId: number;
  /** Of createStream, then of publish or play. */
  transactionId: number;
  /** When the server's patience test is over; undefined until the clock has been seen. */
  dueAt: number | undefined;
}

/** What says yes; rtmpdump takes PublishNotify for it too. */
const STARTS: Readonly<Record<Purpose['type'], readonly string[]>> = {
  publish: ['NetStream.Publish.Start'],
  play: ['NetStream.Play.Start', 'NetStream.Play.PublishNotify'],
};

/** Enough for a player to ride out an ordinary stall; FFmpeg's and rtmpdump's customary value. */
const DEFAULT_BUFFER_MS = 3000;

/** The NetStreams that a client has asked for. Everything that changes a NetStream's phase is in this file. */
export class ClientStreams {
  readonly #connection: Connection<ClientEvent>;
  readonly #ask: Ask;
  #streams: ClientStream[] = [];

  constructor(connection: Connection<ClientEvent>, ask: Ask) {
    this.#connection = connection;
    this.#ask = ask;
  }

  clear(): void {
    this.#streams = [];
  }

  // ---- what the owner asks

  publish(name: string, kind: PublishKind): number {
    this.#ask(0, 'releaseStream', null, name);
    this.#ask(0, 'FCPublish', null, name);
    return this.#create({ type: 'publish', name, kind });
  }

  play(name: string, options: PlayOptions): number {
    return this.#create({ type: 'play', name, options });
  }

  close(streamId: number): void {
    const stream = this.#find(streamId);
    if (stream === undefined || stream.phase === 'idle') return;
    this.#withdraw(stream);
    this.#step(stream, 'close');
    this.#notify('closeStream', [], streamId);
  }

  delete(streamId: number): void {
    const stream = this.#find(streamId);
    if (stream === undefined) return;
    if (stream.phase !== 'idle') this.#withdraw(stream);
    this.#drop(stream);
  }

  // ---- what the server says

  media(message: Message): void {
    const { streamId } = message;
    const stream = this.#find(streamId);
    if (stream?.purpose.type === 'play' && stream.phase !== 'idle') {
      this.#connection.emit({ type: 'media', streamId, message });
    } else this.#connection.hint('media where nothing is played');
  }

  /** `_result` or `_error` to a call; those to releaseStream and its kind are not waited for. */
  answered(transactionId: number, ok: boolean, value: AmfValue): void {
    const stream = this.#streams.find((candidate) => candidate.transactionId === transactionId);
    if (stream === undefined || !isOwed(stream.phase)) return;
    if (!ok) this.#refused(stream, readStatus(value), value);
    else if (stream.phase === 'creating') this.#created(stream, value);
    // Some servers answer publish like any call, and say no more (librtmp knows them).
    else if (stream.purpose.type === 'publish') this.#started(stream);
  }

  /** `onStatus`. */
  told(streamId: number, status: Status, info: AmfValue): void {
    const stream = this.#asked(streamId);
    if (stream === undefined) return;
    if (status.level === 'error') this.#refused(stream, status, info);
    else if (STARTS[stream.purpose.type].includes(status.code)) this.#started(stream);
  }

  // ---- time

  /** 0 for a new request: the tick that follows at once starts its clock. */
  deadline(): number {
    let earliest = Infinity;
    for (const { phase, dueAt } of this.#streams) if (isOwed(phase)) earliest = Math.min(earliest, dueAt ?? 0);
    return earliest;
  }

  /** Throws `ProtocolError` REQUEST_TIMEOUT. */
  tick(now: number): void {
    for (const stream of this.#streams) {
      if (!isOwed(stream.phase)) continue;
      stream.dueAt ??= now + this.#connection.options.requestTimeoutMs;
      if (now >= stream.dueAt) throw new ProtocolError('REQUEST_TIMEOUT', `no answer to ${stream.purpose.type}`);
    }
  }

  // ---- inside

  #create(purpose: Purpose): number {
    const requestId = this.#connection.nextId();
    const transactionId = this.#ask(0, 'createStream', null);
    this.#streams.push({ requestId, purpose, phase: 'creating', streamId: 0, transactionId, dueAt: undefined });
    return requestId;
  }

  #created(stream: ClientStream, streamId: AmfValue): void {
    if (typeof streamId !== 'number' || !(streamId > 0 && streamId <= 0xffff_ffff)) {
      throw new ProtocolError('RESULT_INVALID', 'createStream answered without a stream id');
    }
    const { purpose } = stream;
    stream.streamId = Math.trunc(streamId);
    this.#step(stream, 'created');
    if (purpose.type === 'publish') {
      stream.transactionId = this.#ask(stream.streamId, 'publish', null, purpose.name, purpose.kind);
      return;
    }
    const { start = -2, duration = -1, reset = true, bufferMs = DEFAULT_BUFFER_MS } = purpose.options;
    stream.transactionId = this.#ask(stream.streamId, 'play', null, purpose.name, start, duration, reset);
    this.#connection.sendControl({ type: 'setBufferLength', streamId: stream.streamId, ms: bufferMs });
  }

  #started(stream: ClientStream): void {
    const { requestId, streamId, purpose } = stream;
    this.#step(stream, 'started');
    const type = purpose.type === 'publish' ? 'published' : 'playing';
    this.#connection.emit({ type, id: requestId, streamId });
  }

  #refused(stream: ClientStream, status: Status, info: AmfValue): void {
    const { requestId, streamId, purpose } = stream;
    this.#drop(stream);
    this.#connection.emit({ type: 'refused', id: requestId, what: purpose.type, streamId, status, info });
  }

  #find(streamId: number): ClientStream | undefined {
    // Those still being created all have 0.
    if (streamId === 0) return undefined;
    for (const stream of this.#streams) if (stream.streamId === streamId) return stream;
    return undefined;
  }

  /** The NetStream that waits for a status; one that comes on stream 0 belongs to the only one that waits. */
  #asked(streamId: number): ClientStream | undefined {
    const asked = this.#streams.filter(({ phase }) => phase === 'asked');
    if (streamId === 0 && asked.length === 1) return asked[0];
    return asked.find((stream) => stream.streamId === streamId);
  }

  /** Tells a publisher's server in FMLE's way that the name is free again. */
  #withdraw(stream: ClientStream): void {
    if (stream.purpose.type === 'publish') this.#ask(0, 'FCUnpublish', null, stream.purpose.name);
  }

  #drop(stream: ClientStream): void {
    this.#streams = this.#streams.filter((other) => other !== stream);
    if (stream.streamId !== 0) this.#notify('deleteStream', [stream.streamId]);
  }

  #notify(name: string, args: readonly AmfValue[], streamId = 0): void {
    this.#connection.sendCall(streamId, name, 0, null, ...args);
  }

  #step(stream: ClientStream, step: Step): void {
    const next = TRANSITIONS[stream.phase][step];
    if (next === undefined) throw new UsageError('SESSION_MISUSED', `${step} while ${stream.phase}`);
    stream.phase = next;
  }
}

function isOwed(phase: Phase): boolean {
  return phase === 'creating' || phase === 'asked';
}
