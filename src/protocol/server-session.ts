import type { AmfObject, AmfValue } from './amf0.ts';
import { UsageError } from '../errors.ts';
import type { Message } from './message.ts';
import type { SessionSettings } from './session-options.ts';
import type { Session } from './session.ts';
import type { Status } from './status.ts';

/** What a client did or asks for. Requests carry an `id` and wait for `accept(id)` or `reject(id, status)`. */
export type ServerEvent =
  | ConnectRequest
  | PublishRequest
  | PlayRequest
  | MediaReceived
  /** The client ended what it published there (closeStream, deleteStream, FCUnpublish, publish(false)). Already answered. */
  | { readonly type: 'unpublish'; readonly streamId: number }
  /** The client ended, or withdrew its request for, what it played there. */
  | { readonly type: 'stopped'; readonly streamId: number }
  /** Pause.Notify or Unpause.Notify is already sent; on `paused: false` headers and a keyframe are owed. */
  | { readonly type: 'pause'; readonly streamId: number; readonly paused: boolean; readonly position: number }
  /** Already answered with Seek.Failed: what is played here is live. */
  | { readonly type: 'seek'; readonly streamId: number; readonly position: number }
  | {
      readonly type: 'receive';
      readonly streamId: number;
      readonly kind: 'audio' | 'video';
      readonly wanted: boolean;
    }
  | { readonly type: 'bufferLength'; readonly streamId: number; readonly ms: number }
  | { readonly type: 'unhandled'; readonly what: string };

export interface ConnectRequest {
  readonly type: 'connect';
  readonly id: number;
  /** As the client wrote it: may be empty, contain slashes or a query. */
  readonly app: string;
  /** Quotes around it are cut off; empty when the client sent none. */
  readonly tcUrl: string;
  /** The whole command object; read it with `property()`, which ignores the case of keys. */
  readonly properties: AmfObject;
  /** What followed the command object. */
  readonly args: readonly AmfValue[];
}

export interface PublishRequest {
  readonly type: 'publish';
  readonly id: number;
  readonly streamId: number;
  /** Raw, query kept. */
  readonly name: string;
  readonly kind: 'live' | 'record' | 'append';
}

export interface PlayRequest {
  readonly type: 'play';
  readonly id: number;
  readonly streamId: number;
  /** Raw, query kept. */
  readonly name: string;
  /** Only its sign is reliable: -2 live then recorded, -1 live only, 0 and up recorded. */
  readonly start: number;
  readonly duration: number;
  readonly reset: boolean;
}

export interface MediaReceived {
  readonly type: 'media';
  readonly streamId: number;
  /** Audio (8), video (9) or data (15, 18); aggregates are already unpacked. */
  readonly message: Message;
}

/** The answering side of RTMP. */
export class ServerSession implements Session<ServerEvent> {
  constructor(_options: SessionSettings, _now: number) {}

  /** False when the request is gone: withdrawn, or the session ended. */
  accept(_requestId: number, _now?: number): boolean {
    throw new UsageError('UNFINISHED', 'soon');
  }
  /** connect: `_error`, and then `wantsClose`; publish and play: onStatus on the NetStream, which stays usable. */
  reject(_requestId: number, _status: Status): boolean {
    throw new UsageError('UNFINISHED', 'soon');
  }
  sendStatus(_streamId: number, _status: Status): void {}
  /** One message for this client only: audio on chunk stream 4, data on 5, video on 6; whole headers. */
  sendMessage(_message: Message): void {}
  /** Whole chunks, already encoded for `outgoingChunkSize` on chunk streams 4 to 6; not copied. */
  sendEncoded(_bytes: Buffer): void {}
  /** User control StreamBegin. */
  beginStream(_streamId: number): void {}
  /** User control StreamEOF. */
  endStream(_streamId: number): void {}
  /** Our side ends what is published or played there: back to idle, no event, its further media is dropped. */
  stopStream(_streamId: number): void {}
  /** Bytes handed out earlier have left: counts as a sign of life for a player. */
  drained(_now: number): void {}
  get outgoingChunkSize(): number {
    return 128;
  }
  /** After reject(connect): close (end, not destroy) once the output is flushed. */
  get wantsClose(): boolean {
    return false;
  }

  receive(_bytes: Buffer, _now: number): ServerEvent[] {
    return [];
  }
  takeOutput(): Buffer[] {
    return [];
  }
  deadline(): number | undefined {
    return undefined;
  }
  tick(_now: number): ServerEvent[] {
    return [];
  }
  end(): void {}
}
