/** The little AMF0 that a load generator needs: what commands are made of (Adobe's AMF0 specification, section 2). */
export type Value = number | boolean | string | null | { readonly [key: string]: Value };

export function encode(...values: readonly Value[]): Buffer {
  return Buffer.concat(values.map(encodeOne));
}

function encodeOne(value: Value): Buffer {
  if (value === null) return Buffer.from([5]);
  if (typeof value === 'boolean') return Buffer.from([1, value ? 1 : 0]);
  if (typeof value === 'string') return Buffer.concat([Buffer.from([2]), text(value)]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  const entries = Object.entries(value).flatMap(([key, entry]) => [text(key), encodeOne(entry)]);
  return Buffer.concat([Buffer.from([3]), ...entries, Buffer.from([0, 0, 9])]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** All values of a command message. Servers under test are trusted to send sound ones: no limits here. */
export function decode(bytes: Buffer): Value[] {
  const reader = { bytes, at: 0 };
  const values: Value[] = [];
  while (reader.at < bytes.length) values.push(decodeOne(reader));
  return values;
}

interface Reader {
  readonly bytes: Buffer;
  at: number;
}

function decodeOne(reader: Reader): Value {
  const { bytes } = reader;
  const marker = bytes[reader.at++];
  switch (marker) {
    case 0:
      reader.at += 8;
      return bytes.readDoubleBE(reader.at - 8);
    case 1:
      return bytes[reader.at++] !== 0;
    case 2:
      return decodeText(reader);
    case 3:
      return decodeObject(reader);
    case 5:
    case 6:
      return null;
    case 8:
      reader.at += 4;
      return decodeObject(reader);
    default:
      throw new Error(`AMF0 marker ${marker} in a reply`);
  }
}

function decodeObject(reader: Reader): Value {
  const entries: [string, Value][] = [];
  while (reader.at < reader.bytes.length) {
    const key = decodeText(reader);
    if (key === '' && reader.bytes[reader.at] === 9) {
      reader.at += 1;
      break;
    }
    entries.push([key, decodeOne(reader)]);
  }
  return Object.fromEntries(entries);
}

function decodeText(reader: Reader): string {
  const length = reader.bytes.readUInt16BE(reader.at);
  reader.at += 2 + length;
  return reader.bytes.toString('utf8', reader.at - length, reader.at);
}
