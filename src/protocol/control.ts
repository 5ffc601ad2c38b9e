import { ProtocolError } from '../errors.ts';
import { MessageType, type Message } from './message.ts';

/**
 * The messages by which two RTMP peers steer the connection itself: protocol control (RTMP 1.0, section 5.4) and user
 * control (sections 6.2 and 7.1.7), as typed data.
 *
 *     user control:  | event (2) | event data: stream id (4), or time (4), or stream id (4) and buffer length (4) |
 */
export type ControlMessage =
  | { readonly type: 'setChunkSize'; readonly size: number }
  | { readonly type: 'abort'; readonly chunkStreamId: number }
  /** Bytes received so far, modulo 2^32. */
  | { readonly type: 'acknowledgement'; readonly total: number }
  | { readonly type: 'windowAckSize'; readonly size: number }
  | { readonly type: 'setPeerBandwidth'; readonly size: number; readonly limit: BandwidthLimit }
  | UserControl;

export type UserControl =
  | { readonly type: StreamEvent; readonly streamId: number }
  | { readonly type: 'setBufferLength'; readonly streamId: number; readonly ms: number }
  /** `time` is the sender's clock and comes back unchanged. */
  | { readonly type: 'pingRequest' | 'pingResponse'; readonly time: number }
  /** Some other event, or a known one cut short: nothing to act on. */
  | { readonly type: 'unknownEvent'; readonly event: number };

export type BandwidthLimit = 'hard' | 'soft' | 'dynamic';
type StreamEvent = 'streamBegin' | 'streamEof' | 'streamDry' | 'streamIsRecorded' | 'bufferEmpty' | 'bufferReady';

const LIMITS: readonly BandwidthLimit[] = ['hard', 'soft', 'dynamic'];

/** 31 and 32 are Flash Media Server's own; clients of on-demand streams see them. */
const STREAM_EVENTS: ReadonlyMap<number, StreamEvent> = new Map([
  [0, 'streamBegin'],
  [1, 'streamEof'],
  [2, 'streamDry'],
  [4, 'streamIsRecorded'],
  [31, 'bufferEmpty'],
  [32, 'bufferReady'],
]);
const STREAM_EVENT_NUMBERS = new Map([...STREAM_EVENTS].map(([number, name]) => [name, number]));
const SET_BUFFER_LENGTH = 3;
const PING_REQUEST = 6;
const PING_RESPONSE = 7;

/** Whether a message steers the connection instead of belonging to an application (types 1 to 6). */
export function isControl(type: number): boolean {
  return type >= MessageType.setChunkSize && type <= MessageType.setPeerBandwidth;
}

/** Reads a message of type 1 to 6. Throws `ProtocolError` CONTROL_TRUNCATED. */
export function decodeControl(message: Message): ControlMessage {
  const { payload } = message;
  switch (message.type) {
    case MessageType.setChunkSize:
      return { type: 'setChunkSize', size: uint32(payload) };
    case MessageType.abort:
      return { type: 'abort', chunkStreamId: uint32(payload) };
    case MessageType.acknowledgement:
      return { type: 'acknowledgement', total: uint32(payload) };
    case MessageType.windowAckSize:
      return { type: 'windowAckSize', size: uint32(payload) };
    case MessageType.setPeerBandwidth:
      // A missing or unheard-of limit type is taken as the mildest one.
      return { type: 'setPeerBandwidth', size: uint32(payload), limit: LIMITS[payload[4] ?? 2] ?? 'dynamic' };
    default:
      return decodeUserControl(payload);
  }
}

function uint32(payload: Buffer): number {
  if (payload.length < 4) throw new ProtocolError('CONTROL_TRUNCATED', 'protocol control message under 4 bytes');
  return payload.readUInt32BE(0);
}

/** Never fails: event types are an open set, and a session is worth more than an odd event (RTMP 1.0, 6.2). */
function decodeUserControl(payload: Buffer): UserControl {
  const event = payload.length < 2 ? -1 : payload.readUInt16BE(0);
  if (payload.length < 6) return { type: 'unknownEvent', event };
  const value = payload.readUInt32BE(2);
  if (event === PING_REQUEST) return { type: 'pingRequest', time: value };
  if (event === PING_RESPONSE) return { type: 'pingResponse', time: value };
  if (event === SET_BUFFER_LENGTH && payload.length >= 10) {
    return { type: 'setBufferLength', streamId: value, ms: payload.readUInt32BE(6) };
  }
  const name = STREAM_EVENTS.get(event);
  return name === undefined ? { type: 'unknownEvent', event } : { type: name, streamId: value };
}

/** The message for it, on message stream 0 at time 0. */
export function encodeControl(control: Exclude<ControlMessage, { type: 'unknownEvent' }>): Message {
  switch (control.type) {
    case 'setChunkSize':
      return envelope(MessageType.setChunkSize, uint32s(control.size));
    case 'abort':
      return envelope(MessageType.abort, uint32s(control.chunkStreamId));
    case 'acknowledgement':
      return envelope(MessageType.acknowledgement, uint32s(control.total));
    case 'windowAckSize':
      return envelope(MessageType.windowAckSize, uint32s(control.size));
    case 'setPeerBandwidth':
      return envelope(
        MessageType.setPeerBandwidth,
        Buffer.concat([uint32s(control.size), Buffer.from([LIMITS.indexOf(control.limit)])]),
      );
    case 'setBufferLength':
      return userControl(SET_BUFFER_LENGTH, control.streamId, control.ms);
    case 'pingRequest':
      return userControl(PING_REQUEST, control.time);
    case 'pingResponse':
      return userControl(PING_RESPONSE, control.time);
    default:
      return userControl(STREAM_EVENT_NUMBERS.get(control.type)!, control.streamId);
  }
}

function userControl(event: number, ...values: number[]): Message {
  return envelope(
    MessageType.userControl,
    Buffer.concat([Buffer.from([event >> 8, event & 0xff]), uint32s(...values)]),
  );
}

function envelope(type: number, payload: Buffer): Message {
  return { type, streamId: 0, timestamp: 0, payload };
}

function uint32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
}
