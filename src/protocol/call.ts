import { ProtocolError } from '../errors.ts';
import { AmfObject, decodeAmf0, encodeAmf0, type AmfLimits, type AmfValue } from './amf0.ts';
import { MessageType, type Message } from './message.ts';

/**
 * A remote call as it travels (RTMP 1.0, section 7.2):
 *
 *     | name (string) | transaction id (number) | command object (object or null) | arguments … |
 */
export interface Call {
  readonly name: string;
  /** 0 wants no answer. */
  readonly transactionId: number;
  readonly object: AmfValue;
  readonly args: readonly AmfValue[];
  /** The message stream it came on. */
  readonly streamId: number;
}

/** Reads a command message, type 20 or 17. Throws `ProtocolError` COMMAND_INVALID, or the AMF decoder's. */
export function decodeCall(message: Message, limits?: AmfLimits): Call {
  const [name, transactionId, object, ...args] = decodeAmf0(callBody(message), limits);
  if (typeof name !== 'string') throw new ProtocolError('COMMAND_INVALID', 'command without a name');
  return { name, transactionId: number(transactionId, 0), object, args, streamId: message.streamId };
}

/**
 * "AMF3" commands open with a format byte 0 and go on in AMF0, in which the marker 0x11 introduces each AMF3 value
 * (Enhanced RTMP v2 says so; Flash does so). A body without the byte begins with its name's string marker.
 */
function callBody(message: Message): Buffer {
  const { type, payload } = message;
  return type === MessageType.commandAmf3 && payload[0] === 0 ? payload.subarray(1) : payload;
}

/** A command message in AMF0. `undefined` at the end of the arguments is written: clients count them. */
export function encodeCall(
  streamId: number,
  name: string,
  transactionId: number,
  object: AmfValue,
  ...args: readonly AmfValue[]
): Message {
  const payload = encodeAmf0(name, transactionId, object, ...args);
  return { type: MessageType.commandAmf0, streamId, timestamp: 0, payload };
}

/** An object's entry, whatever the case of its key: `tcurl`, `tcUrl` and `TCURL` are all in use. */
export function property(value: AmfValue, key: string): AmfValue {
  if (!(value instanceof AmfObject)) return undefined;
  const exact = value.get(key);
  if (exact !== undefined) return exact;
  const wanted = key.toLowerCase();
  for (const [name, entry] of value) if (name.toLowerCase() === wanted) return entry;
  return undefined;
}

/** A finite number, or `otherwise`. */
export function number(value: AmfValue, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

/** A string; a number is taken as its digits (stream names are sometimes sent so). */
export function text(value: AmfValue): string | undefined {
  return typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined;
}

/** A boolean, where some clients send numbers. */
export function flag(value: AmfValue, otherwise: boolean): boolean {
  return typeof value === 'boolean' ? value : typeof value === 'number' ? value !== 0 : otherwise;
}
