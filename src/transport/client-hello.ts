import { LimitError, ProtocolError } from '../errors.ts';

/**
 * Reads a TLS ClientHello (RFC 8446, 4.1.2) without taking part in the handshake, to learn whether it names a server
 * (RFC 6066, 3) and, for the log, what it offers.
 *
 *     record     16 | version 2 | length 2 | fragment                 a hello may span several records
 *     handshake  01 | length 3 | version 2 | random 32 | session id <1> | cipher suites <2> | compression <1>
 *                | extensions <2>: type 2 | data <2>                   <n>: preceded by its length in n bytes
 */
export interface ClientHello {
  /** The host name asked for, only with characters that are safe in a log; undefined when there is none. */
  readonly serverName: string | undefined;
  /** The highest version offered, as people write it: "TLS 1.3". */
  readonly version: string;
  /** Whether there is nothing below TLS 1.3 to fall back to. */
  readonly onlyTls13: boolean;
  readonly alpn: readonly string[];
}

/** The bytes do not hold the whole hello yet; asking again is useless before there are `need` of them. */
export interface Incomplete {
  readonly need: number;
}

export const CLIENT_HELLO_LIMITS = Object.freeze({
  // With post-quantum key shares and a resumption ticket a hello takes 2 to 4 KiB; 16 KiB is one full record.
  maxBytes: 16_384,
  // Clients that cut their hello up to hide the name from inspecting proxies use a handful of records.
  maxRecords: 64,
});

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const MAX_FRAGMENT = 16_384;
const EXTENSION = Object.freeze({ serverName: 0, alpn: 16, supportedVersions: 43 });
const TLS13 = 0x0304;
const VERSIONS: Readonly<Record<number, string>> = Object.freeze({
  0x0300: 'SSL 3.0',
  0x0301: 'TLS 1.0',
  0x0302: 'TLS 1.1',
  0x0303: 'TLS 1.2',
  0x0304: 'TLS 1.3',
});

/** Throws `ProtocolError` when the bytes are no ClientHello, `LimitError` when it is beyond all measure. */
export function readClientHello(bytes: Buffer): ClientHello | Incomplete {
  const message = assemble(bytes);
  return Buffer.isBuffer(message) ? parseHello(message) : message;
}

/** Joins the records' fragments into the handshake message, without its four bytes of header. */
function assemble(bytes: Buffer): Buffer | Incomplete {
  const fragments: Buffer[] = [];
  let gathered = 0;
  let total: number | undefined;
  for (let offset = 0; fragments.length < CLIENT_HELLO_LIMITS.maxRecords;) {
    if (bytes.length < offset + 5) return { need: offset + 5 };
    const end = offset + 5 + fragmentLength(bytes, offset);
    const fragment = bytes.subarray(offset + 5, end);
    fragments.push(fragment);
    gathered += fragment.length;
    total ??= messageLength(fragments, gathered);
    const missing = (total ?? 4) - gathered;
    if (missing <= 0) return Buffer.concat(fragments, gathered).subarray(4, total);
    if (bytes.length < end) return { need: Math.min(end, bytes.length + missing) };
    offset = end;
  }
  throw tooLong();
}

function fragmentLength(bytes: Buffer, offset: number): number {
  const length = bytes.readUInt16BE(offset + 3);
  const valid = bytes[offset] === HANDSHAKE_RECORD && bytes[offset + 1] === 3 && length > 0 && length <= MAX_FRAGMENT;
  if (!valid) throw malformed('not a TLS handshake record');
  return length;
}

/** Length of the handshake message with its header, once the header is here. */
function messageLength(fragments: readonly Buffer[], gathered: number): number | undefined {
  const header = Buffer.concat(fragments, Math.min(gathered, 4));
  if (header.length > 0 && header[0] !== CLIENT_HELLO) throw malformed('its first message is not a ClientHello');
  if (header.length < 4) return undefined;
  const total = 4 + header.readUIntBE(1, 3);
  if (total > CLIENT_HELLO_LIMITS.maxBytes) throw tooLong();
  return total;
}

function parseHello(message: Buffer): ClientHello {
  const hello = new Fields(message);
  const legacyVersion = hello.number(2);
  hello.take(32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  // A hello without extensions is valid up to TLS 1.2 and is what the oldest clients send.
  const extensions = hello.left === 0 ? new Map<number, Buffer>() : readExtensions(new Fields(hello.vector(2)));
  const versions = readVersions(extensions.get(EXTENSION.supportedVersions), legacyVersion);
  return {
    serverName: readServerName(extensions.get(EXTENSION.serverName)),
    version: VERSIONS[Math.max(...versions)] ?? 'an unknown version',
    onlyTls13: Math.min(...versions) === TLS13,
    alpn: readAlpn(extensions.get(EXTENSION.alpn)),
  };
}

function readExtensions(fields: Fields): Map<number, Buffer> {
  const extensions = new Map<number, Buffer>();
  while (fields.left > 0) extensions.set(fields.number(2), fields.vector(2));
  return extensions;
}

function readServerName(data: Buffer | undefined): string | undefined {
  if (data === undefined) return undefined;
  const list = new Fields(new Fields(data).vector(2));
  while (list.left > 0) {
    const type = list.number(1);
    const name = list.vector(2).toString('latin1').slice(0, 255);
    if (type === 0 && name !== '') return name.replace(/[^\w.:*-]/g, '?');
  }
  return undefined;
}

/** Values that are in no table are GREASE (RFC 8701) or the future: what counts is what both could speak. */
function readVersions(data: Buffer | undefined, legacy: number): number[] {
  if (data === undefined) return [Math.min(legacy, TLS13 - 1)];
  const list = new Fields(new Fields(data).vector(1));
  const versions: number[] = [];
  while (list.left > 0) versions.push(list.number(2));
  return versions.filter((version) => VERSIONS[version] !== undefined);
}

function readAlpn(data: Buffer | undefined): string[] {
  if (data === undefined) return [];
  const list = new Fields(new Fields(data).vector(2));
  const names: string[] = [];
  while (list.left > 0) names.push(list.vector(1).toString('latin1'));
  return names;
}

/** Takes fields off the front of a buffer; whatever would read past its end is the peer's fault. */
class Fields {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  take(length: number): Buffer {
    if (length > this.left) throw malformed('a field reaches beyond its end');
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  number(size: 1 | 2): number {
    return this.take(size).readUIntBE(0, size);
  }

  vector(sizeOfLength: 1 | 2): Buffer {
    return this.take(this.number(sizeOfLength));
  }
}

function malformed(reason: string): ProtocolError {
  return new ProtocolError('BAD_CLIENT_HELLO', `the TLS ClientHello is malformed: ${reason}`);
}

function tooLong(): LimitError {
  return new LimitError('CLIENT_HELLO_TOO_LONG', 'the TLS ClientHello is longer than any real client sends');
}
