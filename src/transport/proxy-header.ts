import { isIPv4, isIPv6 } from 'node:net';
import { LimitError, ProtocolError } from '../errors.ts';
import { addressBytes, addressText, ipv6Bytes, ipv6Text } from './address.ts';
import type { Incomplete } from './client-hello.ts';
import { crc32c } from './crc32c.ts';

/**
 * The PROXY protocol: what a proxy that only carries bytes puts in front of them, to say whose they are (HAProxy's
 * specification, versions 1 and 2; sections below are of it).
 *
 *     1   PROXY TCP4|TCP6|UNKNOWN source destination source-port destination-port CR LF               (2.1)
 *     2   signature 12 | version and command 1 | family and transport 1 | length 2 | addresses | TLVs  (2.2)
 */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Bytes of the header; whatever follows is the client's. */
  readonly length: number;
  /**
   * Whom the proxy speaks for. Undefined: for itself (LOCAL, which health checks are), or for somebody it cannot name
   * in terms of TCP (UNKNOWN, UNSPEC, UNIX, datagrams), so that the connection's own address has to do.
   */
  readonly client: Endpoint | undefined;
  /** Where that client connected to. */
  readonly destination: Endpoint | undefined;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export const PROXY_HEADER_LIMITS = Object.freeze({
  // The longest line there is, with its end (2.1).
  maxLineBytes: 107,
  // What version 2 may declare to follow its first 16 bytes: UNIX paths take 216, a client's certificate name and a
  // load balancer's own fields some hundred more. go-proxyproto came to the same bound.
  maxBlockBytes: 4_096,
});

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const OPENING = Buffer.from('PROXY ');
const FIXED_BYTES = 16;
const COMMAND = Object.freeze({ local: 0, proxy: 1 });
const FAMILY = Object.freeze({ unspecified: 0, inet: 1, inet6: 2, unix: 3 });
const STREAM = 1;
const TLV = Object.freeze({ checksum: 0x03, ssl: 0x20 });

/** Flags 1, result of verifying 4; fields of their own follow (2.2.6). */
const SSL_FIXED_BYTES = 5;

/** Source and destination together, by family. */
const ADDRESS_BYTES: readonly number[] = [0, 12, 36, 216];

/**
 * Reads the header at the front of `bytes`, or says how many bytes it takes before asking again makes sense. What comes
 * of a header does not depend on how it was cut. Throws `ProtocolError` at the first byte that cannot belong to one,
 * `LimitError` for one that is beyond all measure.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | Incomplete {
  if (beginsLike(bytes, SIGNATURE)) return readBinary(bytes);
  if (beginsLike(bytes, OPENING)) return readLine(bytes);
  throw new ProtocolError(
    'PROXY_MISSING',
    'there is none; let the proxy send one, or set proxyProtocol: off for this port',
  );
}

function beginsLike(bytes: Buffer, opening: Buffer): boolean {
  const length = Math.min(bytes.length, opening.length);
  return bytes.compare(opening, 0, length, 0, length) === 0;
}

// Version 1 ---------------------------------------------------------------------------------------------------------

function readLine(bytes: Buffer): ProxyHeader | Incomplete {
  const text = bytes.toString('latin1', 0, PROXY_HEADER_LIMITS.maxLineBytes);
  // Anything may stand in a line about UNKNOWN; in the others a line end that is half of one ends the patience at once.
  if (/^PROXY TCP[^\r\n]*(?:\n|\r[^\n])/.test(text))
    throw malformed('PROXY_LINE_END', 'its line ends without CR and LF');
  const end = text.indexOf('\r\n');
  if (end < 0 && bytes.length < PROXY_HEADER_LIMITS.maxLineBytes) return { need: bytes.length + 1 };
  if (end < 0) throw malformed('PROXY_LINE_TOO_LONG', 'its line does not end within 107 bytes');
  const found = { version: 1, length: end + 2 } as const;
  const line = text.slice(0, end);
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { ...found, client: undefined, destination: undefined };
  return { ...found, ...parseLine(line) };
}

function parseLine(line: string): Pick<ProxyHeader, 'client' | 'destination'> {
  const [, keyword, from, to, fromPort, toPort] = /^PROXY (TCP[46]) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  if (keyword === undefined) {
    throw malformed('PROXY_LINE_INVALID', `${JSON.stringify(line)} is not a family, two addresses and two ports`);
  }
  return {
    client: { address: parseAddress(keyword, from), port: parsePort(fromPort) },
    destination: { address: parseAddress(keyword, to), port: parsePort(toPort) },
  };
}

function parseAddress(keyword: string, text = ''): string {
  const fits = keyword === 'TCP4' ? isIPv4(text) : isIPv6(text) && isPlainIpv6(text);
  if (!fits)
    throw malformed('PROXY_ADDRESS_INVALID', `${JSON.stringify(text)} is no address of the kind ${keyword} needs`);
  return addressText(addressBytes(text)!);
}

/**
 * The specification knows only hexadecimal groups, but HAProxy and nginx write `::ffff:192.0.2.1` for an IPv4 client of
 * a socket that takes both families (measured, HAProxy 2.6 and nginx 1.22).
 */
function isPlainIpv6(text: string): boolean {
  return /^[0-9a-f:]+$/i.test(text) || /^::ffff:[0-9.]+$/i.test(text);
}

function parsePort(text = ''): number {
  if (/^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw malformed('PROXY_PORT_INVALID', `${JSON.stringify(text)} is no port`);
}

// Version 2 ---------------------------------------------------------------------------------------------------------

function readBinary(bytes: Buffer): ProxyHeader | Incomplete {
  const [version, command] = nibbles(bytes[12]);
  if (version !== undefined && version !== 2)
    throw malformed('PROXY_VERSION', `it is of version ${version}, not 1 or 2`);
  if (command !== undefined && command > COMMAND.proxy)
    throw malformed('PROXY_COMMAND', `there is no command ${command}`);
  const [family = 0, transport = 0] = nibbles(bytes[13]);
  if (family > FAMILY.unix || transport > 2) throw malformed('PROXY_FAMILY', 'its family or transport does not exist');
  if (bytes.length < FIXED_BYTES) return { need: bytes.length + 1 };
  const addressesEnd = FIXED_BYTES + (command === COMMAND.local ? 0 : ADDRESS_BYTES[family]!);
  const length = FIXED_BYTES + blockLength(bytes);
  if (length < addressesEnd) throw malformed('PROXY_TOO_SHORT', 'it is too short for the addresses it announces');
  if (bytes.length < length) return { need: length };
  const found = { version: 2, length, client: undefined, destination: undefined } as const;
  // What these carry means nothing (2.2): Amazon's health checks name a family and bring no address at all.
  if (command === COMMAND.local || family === FAMILY.unspecified) return found;
  const header = bytes.subarray(0, length);
  checkFields(header, addressesEnd);
  const isTcp = transport === STREAM && family !== FAMILY.unix;
  return isTcp ? { ...found, ...readAddresses(header.subarray(FIXED_BYTES, addressesEnd)) } : found;
}

function nibbles(byte: number | undefined): readonly [high?: number, low?: number] {
  return byte === undefined ? [] : [byte >> 4, byte & 0x0f];
}

function blockLength(bytes: Buffer): number {
  const length = bytes.readUInt16BE(FIXED_BYTES - 2);
  if (length <= PROXY_HEADER_LIMITS.maxBlockBytes) return length;
  throw new LimitError('PROXY_TOO_LONG', `it announces ${length} bytes, more than any proxy sends`);
}

/** Two addresses, then two ports. */
function readAddresses(block: Buffer): Pick<ProxyHeader, 'client' | 'destination'> {
  const size = (block.length - 4) / 2;
  const endpoint = (index: 0 | 1): Endpoint => ({
    address: addressText(block.subarray(index * size, (index + 1) * size)),
    port: block.readUInt16BE(2 * size + 2 * index),
  });
  return { client: endpoint(0), destination: endpoint(1) };
}

/** The fields behind the addresses: none is needed here, but each must lie within its bounds, and a checksum be right. */
function checkFields(header: Buffer, start: number): void {
  const fields = readFields(header, start, header.length);
  const checksums = fields.filter(({ type }) => type === TLV.checksum);
  for (const { type, from, to } of fields) {
    if (type === TLV.ssl && to - from < SSL_FIXED_BYTES) throw badField('too little about TLS');
    if (type === TLV.ssl) readFields(header, from + SSL_FIXED_BYTES, to);
    if (type === TLV.checksum && (to - from !== 4 || checksums.length > 1))
      throw badField('not one checksum of 4 bytes');
  }
  for (const { from, to } of checksums) checkChecksum(header, from, to);
}

function checkChecksum(header: Buffer, from: number, to: number): void {
  const blanked = Buffer.from(header).fill(0, from, to);
  if (crc32c(blanked) !== header.readUInt32BE(from)) throw malformed('PROXY_CHECKSUM', 'its checksum is wrong');
}

interface Field {
  readonly type: number;
  readonly from: number;
  readonly to: number;
}

/** Type 1, length 2, value: as many as fill the space between `at` and `end` exactly. */
function readFields(bytes: Buffer, at: number, end: number): Field[] {
  const fields: Field[] = [];
  while (at !== end) {
    if (at + 3 > end) throw badField('one ends in the middle');
    const from = at + 3;
    const to = from + bytes.readUInt16BE(at + 1);
    if (to > end) throw badField('one reaches beyond the end');
    fields.push({ type: bytes[at]!, from, to });
    at = to;
  }
  return fields;
}

function badField(reason: string): ProtocolError {
  return malformed('PROXY_FIELD_INVALID', `its additional fields are malformed: ${reason}`);
}

function malformed(code: string, reason: string): ProtocolError {
  return new ProtocolError(code, reason);
}

// What we send ------------------------------------------------------------------------------------------------------

/**
 * The header that tells another server whom we speak for: to be written before, and best together with, the first
 * byte. Without both ends it says that nobody is named: UNKNOWN in version 1, LOCAL in version 2, which every receiver
 * must accept. One IPv4 and one IPv6 end are both told as IPv6, the former IPv4-mapped, as HAProxy does.
 */
export function formatProxyHeader(
  version: 'v1' | 'v2',
  client: Endpoint | undefined,
  destination: Endpoint | undefined,
): Buffer {
  const ends = [client, destination].map((end) => end && addressBytes(end.address));
  const [from, to] = ends.some((end) => end?.length === 16) ? ends.map((end) => end && ipv6Bytes(end)) : ends;
  const ports = [client?.port ?? 0, destination?.port ?? 0] as const;
  if (version === 'v1') return from && to ? formatLine(from, to, ports) : Buffer.from('PROXY UNKNOWN\r\n');
  return from && to ? formatBinary(from, to, ports) : Buffer.concat([SIGNATURE, Buffer.from([0x20, 0x00, 0, 0])]);
}

function formatLine(from: Buffer, to: Buffer, ports: readonly [number, number]): Buffer {
  const [keyword, text] = from.length === 4 ? (['TCP4', addressText] as const) : (['TCP6', ipv6Text] as const);
  return Buffer.from(`PROXY ${keyword} ${text(from)} ${text(to)} ${ports.join(' ')}\r\n`);
}

function formatBinary(from: Buffer, to: Buffer, ports: readonly [number, number]): Buffer {
  const fixed = Buffer.from([0x21, from.length === 4 ? 0x11 : 0x21, 0, 2 * from.length + 4]);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(ports[0], 0);
  tail.writeUInt16BE(ports[1], 2);
  return Buffer.concat([SIGNATURE, fixed, from, to, tail]);
}
