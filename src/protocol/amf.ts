import { LimitError, ProtocolError } from '../errors.ts';

/**
 * Whatever AMF0 or AMF3 can say, as plain values. `Buffer` is AMF3's byte array. Decoded values form a tree: nothing
 * in it is shared and nothing is cyclic.
 */
export type AmfValue = undefined | null | boolean | number | string | Date | Buffer | AmfXml | AmfObject | AmfValue[];

/** An anonymous object. A Map, so that a peer's key "__proto__" is a key like any other. Keeps the order of the wire. */
export class AmfObject extends Map<string, AmfValue> {}

/** An object that announces itself as an associative array, which FFmpeg players want for `onMetaData`. */
export class AmfEcmaArray extends AmfObject {}

/** An object of a named class. */
export class AmfTypedObject extends AmfObject {
  readonly className: string;

  constructor(className: string, entries: Iterable<readonly [string, AmfValue]> = []) {
    super(entries);
    this.className = className;
  }
}

/** An XML document, unparsed. */
export class AmfXml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An anonymous object of these entries; `undefined` is written, as AMF can say it. */
export function object(entries: Readonly<Record<string, AmfValue>>): AmfObject {
  return new AmfObject(Object.entries(entries));
}

/** An associative array of these entries. */
export function ecmaArray(entries: Readonly<Record<string, AmfValue>>): AmfEcmaArray {
  return new AmfEcmaArray(Object.entries(entries));
}

/** What one decoding may cost. */
export interface AmfLimits {
  /** Containers inside one another. */
  readonly maxDepth: number;
  /** Values in all, keys not counted. */
  readonly maxValues: number;
  /** Bytes of one string, key, XML document or byte array; also of everything that references repeat, taken together. */
  readonly maxStringBytes: number;
}

export const AMF_LIMITS: AmfLimits = Object.freeze({
  // Encoders nest three deep (metadata, track map, track); 70,000 nested arrays have felled other readers.
  maxDepth: 16,
  // Room for metadata of many tracks; connect has ten to twenty values. Red5 and flvmeta had no bound, to their cost.
  maxValues: 1024,
  // A short string's own bound (AMF0, 1.4): only a long string could pass it, and no RTMP command needs one.
  maxStringBytes: 65_536,
});

/** A place in the bytes and what is left of the limits; AMF0 and the AMF3 inside it draw on the same one. */
export class AmfReader {
  readonly limits: AmfLimits;
  /** Of the next unread byte. */
  position = 0;
  readonly #bytes: Buffer;
  #depth = 0;
  #values = 0;
  #repeatedBytes = 0;
  #repeating = 0;

  constructor(bytes: Buffer, limits: AmfLimits) {
    this.#bytes = bytes;
    this.limits = limits;
  }

  get remaining(): number {
    return this.#bytes.length - this.position;
  }

  /** Inside `repeat`: what is read has been read before, and is in the reference tables already. */
  get repeating(): boolean {
    return this.#repeating > 0;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** UTF-8; ill-formed bytes become U+FFFD rather than an error, as encoders put Latin-1 into metadata. */
  string(length: number): string {
    this.#checkString(length);
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** A copy. */
  byteArray(length: number): Buffer {
    this.#checkString(length);
    const start = this.#take(length);
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** The unread bytes are an object's end marker (AMF0, 2.11), or all that was sent of it before the bytes ran out. */
  atObjectEnd(): boolean {
    const end = [0, 0, 9];
    const rest = this.#bytes.subarray(this.position, this.position + end.length);
    return rest.every((byte, i) => byte === end[i]);
  }

  /** Every value asks for its place before it is read. */
  countValue(): void {
    if (++this.#values > this.limits.maxValues) {
      throw new LimitError('AMF_TOO_MANY_VALUES', `more than ${this.limits.maxValues} AMF values`);
    }
  }

  /** Refuses a count that the remaining bytes cannot hold, before anything is done with it. */
  checkCount(count: number, bytesEach: number): void {
    if (count * bytesEach > this.remaining) throw truncated();
  }

  /** Runs `read` one container deeper. */
  nested<T>(read: () => T): T {
    if (this.#depth >= this.limits.maxDepth) {
      throw new LimitError('AMF_TOO_DEEP', `AMF containers nested deeper than ${this.limits.maxDepth}`);
    }
    this.#depth++;
    const value = read();
    this.#depth--;
    return value;
  }

  /**
   * Reads what a reference points to once more, at the price of reading it. So a few bytes of references cannot unfold
   * into gigabytes, and values stay a tree.
   */
  repeat<T>(start: number, end: number, read: () => T): T {
    this.chargeRepeated(end - start);
    const position = this.position;
    this.position = start;
    this.#repeating++;
    const value = read();
    this.#repeating--;
    this.position = position;
    return value;
  }

  /** Charges for bytes that a reference stands for. */
  chargeRepeated(length: number): void {
    this.#repeatedBytes += length;
    if (this.#repeatedBytes > this.limits.maxStringBytes) {
      throw new LimitError('AMF_TOO_MANY_REFERENCES', 'AMF references stand for too many bytes');
    }
  }

  #checkString(length: number): void {
    if (length > this.limits.maxStringBytes) {
      throw new LimitError('AMF_STRING_TOO_LONG', `AMF string of ${length} bytes`);
    }
  }

  #take(length: number): number {
    const start = this.position;
    if (length > this.remaining) throw truncated();
    this.position = start + length;
    return start;
  }
}

/** Where complex values began and ended, by their number: what references refer to. */
export class AmfReferences {
  readonly #spans: { start: number; end: number }[] = [];

  /** Reads a value that may be referred to later and that began at `start`. */
  remember<T>(reader: AmfReader, start: number, read: () => T): T {
    if (reader.repeating) return read();
    const span = { start, end: -1 };
    this.#spans.push(span);
    const value = read();
    span.end = reader.position;
    return value;
  }

  /** Reads the value of number `index` again with `read`, which starts at its marker. */
  repeat<T>(reader: AmfReader, index: number, read: () => T): T {
    const span = this.#spans[index];
    if (span === undefined) throw invalid(`AMF reference to value ${index}, which was not sent`);
    if (span.end < 0) throw invalid('AMF value that contains itself');
    return reader.repeat(span.start, span.end, read);
  }
}

export function invalid(message: string): ProtocolError {
  return new ProtocolError('AMF_INVALID', message);
}

/** Well formed, but more than we speak. */
export function unsupported(what: string): ProtocolError {
  return new ProtocolError('AMF_UNSUPPORTED', `${what} is not supported`);
}

function truncated(): ProtocolError {
  return new ProtocolError('AMF_TRUNCATED', 'AMF value ends before its time');
}
