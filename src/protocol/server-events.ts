import type { AmfObject, AmfValue } from './amf0.ts';
import type { PublishKind } from './command.ts';
import type { Message } from './message.ts';

/**
 * What a client did or asks for, as plain frozen data. Requests carry an `id` and wait for the session's `accept(id)` or
 * `reject(id, status)`, however late, one at a time; everything else needs no answer or has been answered already.
 */
export type ServerEvent =
  | ConnectRequest
  | PublishRequest
  | PlayRequest
  | MediaReceived
  /** The client ended what it published there. */
  | { readonly type: 'unpublish'; readonly streamId: number }
  /** The client ended what it played there, or plays something else next. */
  | { readonly type: 'stopped'; readonly streamId: number }
  /** Told to the client already. With `paused: false` it is owed headers and a keyframe. Position in milliseconds. */
  | { readonly type: 'pause'; readonly streamId: number; readonly paused: boolean; readonly position: number }
  /** Refused already: what is played here is live. Position in milliseconds. */
  | { readonly type: 'seek'; readonly streamId: number; readonly position: number }
  /** One kind of media is (not) wanted on a playing NetStream. */
  | {
      readonly type: 'receive';
      readonly streamId: number;
      readonly kind: 'audio' | 'video';
      readonly wanted: boolean;
    }
  /** How much the client means to buffer of what it plays, or asks to play; said before that, it is in the request. */
  | { readonly type: 'bufferLength'; readonly streamId: number; readonly ms: number }
  /** Something that nobody here acts upon; told once for each kind of thing. */
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
  /** "record" and "append" ask for a recording on the server besides. */
  readonly kind: PublishKind;
}

export interface PlayRequest {
  readonly type: 'play';
  readonly id: number;
  readonly streamId: number;
  /** Raw, query kept. */
  readonly name: string;
  /** Only its sign is reliable (FFmpeg sends milliseconds): -2 live then recorded, -1 live only, 0 and up recorded. */
  readonly start: number;
  readonly duration: number;
  /** False: add to what is playing rather than replace it. */
  readonly reset: boolean;
  /** How much the client means to buffer, if it has said so already. */
  readonly bufferMs: number | undefined;
}

export interface MediaReceived {
  readonly type: 'media';
  readonly streamId: number;
  /** Audio (8), video (9) or data (15, 18); aggregates are already unpacked. */
  readonly message: Message;
}
