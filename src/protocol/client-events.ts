import type { AmfObject, AmfValue } from './amf0.ts';
import type { Message } from './message.ts';
import type { Status } from './status.ts';

/** What the other server answered or did, as plain frozen data. Answers carry the `id` that the asking method returned. */
export type ClientEvent =
  | {
      readonly type: 'connected';
      readonly id: number;
      /** fmsVer and the like. */
      readonly properties: AmfValue;
      /** The status, and what the server can do (`readCapabilities`). */
      readonly info: AmfValue;
    }
  | { readonly type: 'published'; readonly id: number; readonly streamId: number }
  | { readonly type: 'playing'; readonly id: number; readonly streamId: number }
  | RefusedEvent
  /** The answer to `call()`: `_result` (ok) or `_error`, with its command object and arguments. */
  | { readonly type: 'result'; readonly id: number; readonly ok: boolean; readonly values: readonly AmfValue[] }
  /** Every onStatus, those told as 'published', 'playing' or 'refused' included (before that event). */
  | { readonly type: 'status'; readonly streamId: number; readonly status: Status; readonly info: AmfValue }
  /** Audio, video or data of a NetStream that plays; aggregates are already unpacked. */
  | { readonly type: 'media'; readonly streamId: number; readonly message: Message }
  /** User control StreamBegin and StreamEOF. */
  | { readonly type: 'begin' | 'eof'; readonly streamId: number }
  /** The server asks us to leave (`close`, `onFCUnsubscribe`). */
  | { readonly type: 'leave'; readonly what: string }
  /** Something that nobody here acts upon; told once for each kind of thing. */
  | { readonly type: 'unhandled'; readonly what: string };

/** The server said no. After a refused connect the session wants closing; else it stays usable. */
export interface RefusedEvent {
  readonly type: 'refused';
  readonly id: number;
  readonly what: 'connect' | 'publish' | 'play';
  /** 0 for connect, and when not even a NetStream was given. */
  readonly streamId: number;
  readonly status: Status;
  /** The whole info object, for redirects (`ex.redirect`). */
  readonly info: AmfValue;
}

export interface ConnectParameters {
  readonly app: string;
  readonly tcUrl: string;
  /** Added to the customary properties, or in their place. */
  readonly properties?: AmfObject | undefined;
  /** Arguments after the command object. */
  readonly args?: readonly AmfValue[] | undefined;
}

export interface PlayOptions {
  /** -2 live, else recorded; -1 live only; 0 and up recorded, from that second on. */
  readonly start?: number | undefined;
  readonly duration?: number | undefined;
  readonly reset?: boolean | undefined;
  /** What is told to the server with SetBufferLength. */
  readonly bufferMs?: number | undefined;
}
