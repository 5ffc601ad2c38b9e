import { AmfEcmaArray, AmfObject, AmfReferences, AmfTypedObject, AmfXml, invalid, unsupported } from './amf.ts';
import type { AmfReader, AmfValue } from './amf.ts';

/** Type markers (AMF3, 3.1). */
const Marker = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  double: 0x05,
  string: 0x06,
  xmlDocument: 0x07,
  date: 0x08,
  array: 0x09,
  object: 0x0a,
  xml: 0x0b,
  byteArray: 0x0c,
  vectorInt: 0x0d,
  vectorUint: 0x0e,
  vectorDouble: 0x0f,
  vectorObject: 0x10,
  dictionary: 0x11,
} as const;

/** The shape of an object: what its class is called, which members always come, and whether more may follow. */
interface Traits {
  readonly className: string;
  readonly members: readonly string[];
  readonly isDynamic: boolean;
}

/**
 * The values that AMF0 marker 0x11 introduces, as a NetConnection with objectEncoding 3 sends them. One decoder per
 * message: later values may refer to earlier ones. Externalizable objects and dictionaries are refused
 * (AMF_UNSUPPORTED): only the program that wrote the former knows where they end.
 */
export class Amf3Decoder {
  readonly #reader: AmfReader;
  readonly #strings: { text: string; bytes: number }[] = [];
  readonly #traits: Traits[] = [];
  readonly #objects = new AmfReferences();

  constructor(reader: AmfReader) {
    this.#reader = reader;
  }

  /** The next value, marker first. */
  value(): AmfValue {
    const reader = this.#reader;
    reader.countValue();
    const start = reader.position;
    const marker = reader.uint8();
    switch (marker) {
      case Marker.undefined:
        return undefined;
      case Marker.null:
        return null;
      case Marker.false:
        return false;
      case Marker.true:
        return true;
      case Marker.integer:
        // 29 bits, two's complement.
        return (this.#uint29() << 3) >> 3;
      case Marker.double:
        return reader.double();
      case Marker.string:
        return this.#string();
      default:
        return this.#complex(marker, start);
    }
  }

  /** Everything that the object reference table counts: a reference, or the flags and then the value. */
  #complex(marker: number, start: number): AmfValue {
    const reader = this.#reader;
    if (marker > Marker.dictionary) throw invalid(`AMF3 marker 0x${marker.toString(16)}`);
    const flags = this.#uint29();
    if ((flags & 1) === 0) return this.#objects.repeat(reader, flags >> 1, () => this.value());
    return this.#objects.remember(reader, start, () => reader.nested(() => this.#body(marker, flags >> 1)));
  }

  #body(marker: number, flags: number): AmfValue {
    const reader = this.#reader;
    switch (marker) {
      case Marker.date:
        return new Date(reader.double());
      case Marker.xml:
      case Marker.xmlDocument:
        return new AmfXml(reader.string(flags));
      case Marker.byteArray:
        return reader.byteArray(flags);
      case Marker.array:
        return this.#array(flags);
      case Marker.object:
        return this.#object(flags);
      case Marker.dictionary:
        throw unsupported('AMF3 dictionary');
      default:
        return this.#vector(marker, flags);
    }
  }

  /** Dense values alone make an array; named ones before them make an associative array of both. */
  #array(count: number): AmfValue {
    const named = this.#namedEntries(new AmfEcmaArray());
    this.#reader.checkCount(count, 1);
    const dense: AmfValue[] = [];
    for (let i = 0; i < count; i++) dense.push(this.value());
    if (named.size === 0) return dense;
    for (const [i, value] of dense.entries()) named.set(String(i), value);
    return named;
  }

  #object(flags: number): AmfObject {
    const traits = this.#readTraits(flags);
    const target = traits.className === '' ? new AmfObject() : new AmfTypedObject(traits.className);
    for (const member of traits.members) target.set(member, this.value());
    return traits.isDynamic ? this.#namedEntries(target) : target;
  }

  /**
   * The bits behind "not a reference" (AMF3, 3.12):
   *
   *     … index                0   traits sent before
   *     …                    1 1   externalizable
   *     … count, dynamic,    0 1   traits follow
   */
  #readTraits(flags: number): Traits {
    if ((flags & 1) === 0) return this.#knownTraits(flags >> 1);
    const className = this.#string();
    if ((flags & 2) !== 0) throw unsupported(`AMF3 externalizable object ${JSON.stringify(className.slice(0, 64))}`);
    const count = flags >> 3;
    this.#reader.checkCount(count, 1);
    const members: string[] = [];
    for (let i = 0; i < count; i++) {
      this.#reader.countValue();
      members.push(this.#string());
    }
    const traits = { className, members, isDynamic: (flags & 4) !== 0 };
    if (!this.#reader.repeating) this.#traits.push(traits);
    return traits;
  }

  #knownTraits(index: number): Traits {
    const traits = this.#traits[index];
    if (traits === undefined) throw invalid(`AMF3 reference to traits ${index}, which were not sent`);
    return traits;
  }

  #vector(marker: number, count: number): AmfValue[] {
    const reader = this.#reader;
    // Whether the vector's length is fixed: of no use to us.
    reader.skip(1);
    if (marker === Marker.vectorObject) this.#string();
    reader.checkCount(count, marker === Marker.vectorObject ? 1 : marker === Marker.vectorDouble ? 8 : 4);
    const values: AmfValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.#vectorItem(marker));
    return values;
  }

  #vectorItem(marker: number): AmfValue {
    if (marker === Marker.vectorObject) return this.value();
    this.#reader.countValue();
    if (marker === Marker.vectorDouble) return this.#reader.double();
    return marker === Marker.vectorInt ? this.#reader.int32() : this.#reader.uint32();
  }

  /** Name and value, until the empty name. */
  #namedEntries<T extends AmfObject>(target: T): T {
    for (let name = this.#string(); name !== ''; name = this.#string()) target.set(name, this.value());
    return target;
  }

  #string(): string {
    const flags = this.#uint29();
    if ((flags & 1) === 0) return this.#knownString(flags >> 1);
    const bytes = flags >> 1;
    const text = this.#reader.string(bytes);
    // The empty string is never sent by reference (AMF3, 1.3.2).
    if (bytes > 0 && !this.#reader.repeating) this.#strings.push({ text, bytes });
    return text;
  }

  #knownString(index: number): string {
    const known = this.#strings[index];
    if (known === undefined) throw invalid(`AMF3 reference to string ${index}, which was not sent`);
    this.#reader.chargeRepeated(known.bytes);
    return known.text;
  }

  /** One to four bytes, seven bits each but for the fourth, which brings eight (AMF3, 1.3.1). */
  #uint29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.#reader.uint8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.#reader.uint8();
  }
}

/** A byte array with its AMF3 marker. */
export function encodeAmf3ByteArray(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([Marker.byteArray, ...uint29Bytes(bytes.length * 2 + 1)]), bytes]);
}

function uint29Bytes(value: number): number[] {
  if (value < 0x80) return [value];
  if (value < 0x4000) return [(value >> 7) | 0x80, value & 0x7f];
  if (value < 0x20_0000) return [(value >> 14) | 0x80, ((value >> 7) & 0x7f) | 0x80, value & 0x7f];
  return [(value >> 22) | 0x80, ((value >> 15) & 0x7f) | 0x80, ((value >> 8) & 0x7f) | 0x80, value & 0xff];
}
