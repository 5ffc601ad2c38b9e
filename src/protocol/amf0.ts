import { UsageError } from '../errors.ts';
import {
  AMF_LIMITS,
  AmfEcmaArray,
  AmfObject,
  AmfReader,
  AmfReferences,
  AmfTypedObject,
  AmfXml,
  invalid,
  unsupported,
} from './amf.ts';
import type { AmfLimits, AmfValue } from './amf.ts';
import { Amf3Decoder, encodeAmf3ByteArray } from './amf3.ts';

export { AMF_LIMITS, AmfEcmaArray, AmfObject, AmfTypedObject, AmfXml, ecmaArray, object } from './amf.ts';
export type { AmfLimits, AmfValue } from './amf.ts';

/** Type markers (AMF0, 2.1). */
const Marker = {
  number: 0x00,
  boolean: 0x01,
  string: 0x02,
  object: 0x03,
  null: 0x05,
  undefined: 0x06,
  reference: 0x07,
  ecmaArray: 0x08,
  objectEnd: 0x09,
  strictArray: 0x0a,
  date: 0x0b,
  longString: 0x0c,
  unsupported: 0x0d,
  xml: 0x0f,
  typedObject: 0x10,
  amf3: 0x11,
} as const;

/**
 * All values up to the end of the bytes. Throws `ProtocolError` (AMF_INVALID, AMF_TRUNCATED, AMF_UNSUPPORTED) or
 * `LimitError` (AMF_TOO_DEEP, AMF_TOO_MANY_VALUES, AMF_STRING_TOO_LONG, AMF_TOO_MANY_REFERENCES).
 */
export function decodeAmf0(bytes: Buffer, limits: AmfLimits = AMF_LIMITS): AmfValue[] {
  const decoder = new Decoder(new AmfReader(bytes, limits));
  return decoder.all();
}

/** The values one after the other. Throws `UsageError` for what AMF0 cannot say (cycles, keys past 64 KiB). */
export function encodeAmf0(...values: AmfValue[]): Buffer {
  const parts: Buffer[] = [];
  for (const value of values) encodeValue(value, parts, 0);
  return Buffer.concat(parts);
}

class Decoder {
  readonly #reader: AmfReader;
  readonly #references = new AmfReferences();
  #amf3: Amf3Decoder | undefined;

  constructor(reader: AmfReader) {
    this.#reader = reader;
  }

  all(): AmfValue[] {
    const values: AmfValue[] = [];
    while (this.#reader.remaining > 0) values.push(this.#value());
    return values;
  }

  #value(): AmfValue {
    const reader = this.#reader;
    reader.countValue();
    const start = reader.position;
    const marker = reader.uint8();
    switch (marker) {
      case Marker.number:
        return reader.double();
      case Marker.boolean:
        return reader.uint8() !== 0;
      case Marker.string:
        return reader.string(reader.uint16());
      case Marker.longString:
        return reader.string(reader.uint32());
      case Marker.null:
        return null;
      case Marker.undefined:
      case Marker.unsupported:
        return undefined;
      case Marker.date:
        return this.#date();
      case Marker.xml:
        return new AmfXml(reader.string(reader.uint32()));
      case Marker.reference:
        return this.#references.repeat(reader, reader.uint16(), () => this.#value());
      case Marker.amf3:
        // The switch holds for one value, the reference tables for the whole message, as BlazeDS does it.
        return (this.#amf3 ??= new Amf3Decoder(reader)).value();
      default:
        return this.#references.remember(reader, start, () => reader.nested(() => this.#container(marker)));
    }
  }

  #container(marker: number): AmfValue {
    const reader = this.#reader;
    switch (marker) {
      case Marker.object:
        return this.#entries(new AmfObject());
      case Marker.ecmaArray:
        // The count is a hint only: encoders write 0, or leave out what they add later.
        reader.skip(4);
        return this.#entries(new AmfEcmaArray());
      case Marker.typedObject:
        return this.#entries(new AmfTypedObject(reader.string(reader.uint16())));
      case Marker.strictArray:
        return this.#strictArray();
      case 0x04:
      case 0x0e:
        throw unsupported('AMF0 movie clip or record set');
      default:
        throw invalid(`AMF0 marker 0x${marker.toString(16)}`);
    }
  }

  #entries<T extends AmfObject>(target: T): T {
    const reader = this.#reader;
    while (!reader.atObjectEnd()) target.set(reader.string(reader.uint16()), this.#value());
    reader.skip(Math.min(3, reader.remaining));
    return target;
  }

  #strictArray(): AmfValue[] {
    const count = this.#reader.uint32();
    this.#reader.checkCount(count, 1);
    const values: AmfValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.#value());
    return values;
  }

  #date(): Date {
    const date = new Date(this.#reader.double());
    // A time zone that "should not be filled, nor used" (AMF0, 2.13).
    this.#reader.skip(2);
    return date;
  }
}

/** Deeper than anybody builds by hand, so it is a cycle. */
const MAX_ENCODED_DEPTH = 64;

function encodeValue(value: AmfValue, parts: Buffer[], depth: number): void {
  if (depth > MAX_ENCODED_DEPTH) throw new UsageError('AMF_CYCLE', 'AMF value nested too deeply to be encoded');
  if (value === undefined) parts.push(Buffer.from([Marker.undefined]));
  else if (value === null) parts.push(Buffer.from([Marker.null]));
  else if (typeof value === 'boolean') parts.push(Buffer.from([Marker.boolean, value ? 1 : 0]));
  else if (typeof value === 'number') parts.push(encodeDouble(Marker.number, value));
  else if (typeof value === 'string') parts.push(encodeString(value));
  else if (value instanceof Date) parts.push(encodeDouble(Marker.date, value.getTime()), Buffer.from([0, 0]));
  else if (value instanceof AmfXml) parts.push(...encodeLong(Marker.xml, Buffer.from(value.text)));
  // AMF0 has no byte array of its own.
  else if (Buffer.isBuffer(value)) parts.push(Buffer.from([Marker.amf3]), encodeAmf3ByteArray(value));
  else if (Array.isArray(value)) encodeStrictArray(value, parts, depth);
  else encodeObject(value, parts, depth);
}

function encodeObject(value: AmfObject, parts: Buffer[], depth: number): void {
  if (value instanceof AmfEcmaArray) parts.push(encodeUint32(Marker.ecmaArray, value.size));
  else if (value instanceof AmfTypedObject) parts.push(Buffer.from([Marker.typedObject]), encodeKey(value.className));
  else parts.push(Buffer.from([Marker.object]));
  for (const [key, entry] of value) {
    parts.push(encodeKey(key));
    encodeValue(entry, parts, depth + 1);
  }
  parts.push(Buffer.from([0, 0, Marker.objectEnd]));
}

function encodeStrictArray(values: readonly AmfValue[], parts: Buffer[], depth: number): void {
  parts.push(encodeUint32(Marker.strictArray, values.length));
  for (const value of values) encodeValue(value, parts, depth + 1);
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 0xffff) return Buffer.concat(encodeLong(Marker.longString, bytes));
  return Buffer.concat([Buffer.from([Marker.string, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function encodeKey(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 0xffff) throw new UsageError('AMF_KEY_TOO_LONG', 'AMF key of more than 65535 bytes');
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function encodeLong(marker: number, bytes: Buffer): [Buffer, Buffer] {
  return [encodeUint32(marker, bytes.length), bytes];
}

function encodeUint32(marker: number, value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = marker;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

function encodeDouble(marker: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = marker;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}
