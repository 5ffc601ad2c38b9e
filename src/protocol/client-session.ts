import type { AmfObject, AmfValue } from './amf0.ts';
import type { Message } from './message.ts';
import type { SessionSettings } from './session-options.ts';
import type { Session } from './session.ts';
import type { Status } from './status.ts';

/** What the other server answered or did. Answers carry the `id` that the asking method returned. */
export type ClientEvent =
  | { readonly type: 'connected'; readonly id: number; readonly properties: AmfValue; readonly info: AmfValue }
  | RefusedEvent
  | { readonly type: 'published'; readonly id: number; readonly streamId: number }
  | { readonly type: 'playing'; readonly id: number; readonly streamId: number }
  /** An answer to `call()`. */
  | { readonly type: 'result'; readonly id: number; readonly ok: boolean; readonly values: readonly AmfValue[] }
  /** Every onStatus, those that were also told as 'published', 'playing' or 'refused' included. */
  | { readonly type: 'status'; readonly streamId: number; readonly status: Status; readonly info: AmfValue }
  | { readonly type: 'media'; readonly streamId: number; readonly message: Message }
  /** User control StreamBegin and StreamEOF. */
  | { readonly type: 'begin'; readonly streamId: number }
  | { readonly type: 'eof'; readonly streamId: number }
  /** The server asks us to leave (`close`, `onFCUnsubscribe`). */
  | { readonly type: 'leave'; readonly what: string }
  | { readonly type: 'unhandled'; readonly what: string };

/** The server said no to connect, publish or play. */
export interface RefusedEvent {
  readonly type: 'refused';
  readonly id: number;
  readonly what: 'connect' | 'publish' | 'play' | 'createStream';
  readonly streamId: number;
  readonly status: Status;
  /** The whole info object, for redirects (`ex.redirect`). */
  readonly info: AmfValue;
}

export interface ConnectParameters {
  readonly app: string;
  readonly tcUrl: string;
  /** Added to, or replacing, the customary properties (flashVer, swfUrl, type, fourCcList …). */
  readonly properties?: AmfObject | undefined;
  /** Arguments after the command object. */
  readonly args?: readonly AmfValue[] | undefined;
}

/** The asking side of RTMP. */
export class ClientSession implements Session<ClientEvent> {
  constructor(_options: SessionSettings, _now: number) {}

  /** May be called at once: it waits for the handshake. Answered by 'connected' or 'refused'. */
  connect(_parameters: ConnectParameters): number {
    return 0;
  }
  /** releaseStream, FCPublish, createStream, publish. Answered by 'published' (its streamId is where media goes) or 'refused'. */
  publish(_name: string, _kind: 'live' | 'record' | 'append' = 'live'): number {
    return 0;
  }
  /** createStream, play, SetBufferLength. Answered by 'playing' or 'refused'. */
  play(_name: string, _options?: { start?: number; duration?: number; reset?: boolean; bufferMs?: number }): number {
    return 0;
  }
  /** Any other call, answered by 'result'. */
  call(_name: string, _args: readonly AmfValue[] = [], _streamId = 0): number {
    return 0;
  }
  /** A call that wants no answer (transaction 0). */
  notify(_name: string, _args: readonly AmfValue[] = [], _streamId = 0): void {}
  pause(_streamId: number, _paused: boolean, _positionMs?: number): void {}
  seek(_streamId: number, _positionMs: number): void {}
  receiveAudio(_streamId: number, _wanted: boolean): void {}
  receiveVideo(_streamId: number, _wanted: boolean): void {}
  setBufferLength(_streamId: number, _ms: number): void {}
  /** FCUnpublish and closeStream: the NetStream is idle then. */
  closeStream(_streamId: number): void {}
  /** FCUnpublish (a publisher's) and deleteStream. */
  deleteStream(_streamId: number): void {}
  setChunkSize(_size: number): void {}
  /** Media and data on a NetStream: whole headers, chunk streams 4, 5 and 6. */
  sendMessage(_message: Message): void {}
  /** Whole chunks already encoded for `outgoingChunkSize`; not copied. */
  sendEncoded(_bytes: Buffer): void {}
  drained(_now: number): void {}
  get outgoingChunkSize(): number {
    return 128;
  }
  /** After a refused connect or the server's `close`. */
  get wantsClose(): boolean {
    return false;
  }

  receive(_bytes: Buffer, _now: number): ClientEvent[] {
    return [];
  }
  takeOutput(): Buffer[] {
    return [];
  }
  deadline(): number | undefined {
    return undefined;
  }
  tick(_now: number): ClientEvent[] {
    return [];
  }
  end(): void {}
}
