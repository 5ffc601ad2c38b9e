import type { Endpoint } from '../../src/transport/proxy-header.ts';
import { hex } from './fixture.ts';
import { slowCrc32c } from './proxy-judge.ts';

export const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

const text = (line: string): Buffer => Buffer.from(line, 'latin1');

/** A version 2 header: the two bytes behind the signature, then whatever is to follow, with its length in front. */
export function v2(commandAndFamily: string, ...block: readonly (Buffer | string)[]): Buffer {
  const rest = Buffer.concat(block.map((part) => (typeof part === 'string' ? hex(part) : part)));
  const length = Buffer.from([rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([SIGNATURE, hex(commandAndFamily), length, rest]);
}

/** One field behind the addresses. */
export function tlv(type: number, value: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

/** The same header with a right checksum in its first field of that type; the field must be there, with 4 bytes. */
export function withChecksum(header: Buffer): Buffer {
  const at = header.indexOf(hex('03 00 04'), 16) + 3;
  const copy = Buffer.from(header).fill(0, at, at + 4);
  copy.writeUInt32BE(slowCrc32c(copy), at);
  return copy;
}

export const IPV4 = 'c0 00 02 07  cb 00 71 09  dc 04 07 8f';
export const FROM_IPV4: Endpoint = { address: '192.0.2.7', port: 56324 };
export const TO_IPV4: Endpoint = { address: '203.0.113.9', port: 1935 };
export const IPV6 = '20010db8 00000000 00000000 00000001  20010db8 00010002 00030004 00050006  0001 ffff';

export interface Vector {
  readonly name: string;
  readonly bytes: Buffer;
  readonly client?: Endpoint;
  readonly destination?: Endpoint;
}

const vector = (name: string, bytes: Buffer, client?: Endpoint, destination?: Endpoint): Vector => ({
  name,
  bytes,
  ...(client && { client }),
  ...(destination && { destination }),
});

const ends = (client: string, port: number, destination: string, to: number): [Endpoint, Endpoint] => [
  { address: client, port },
  { address: destination, port: to },
];

const LONGEST_IPV6 = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

/** Valid headers. "Specification" is HAProxy's proxy-protocol.txt; recordings are of loopback connections. */
export const VECTORS: readonly Vector[] = [
  vector(
    'the example of the specification, 2.1',
    text('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n'),
    ...ends('192.168.0.1', 56324, '192.168.0.11', 443),
  ),
  vector(
    'the longest TCP4 line of the specification, 2.1',
    text('PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n'),
    ...ends('255.255.255.255', 65535, '255.255.255.255', 65535),
  ),
  vector(
    'the longest TCP6 line of the specification, 2.1',
    text(`PROXY TCP6 ${LONGEST_IPV6} ${LONGEST_IPV6} 65535 65535\r\n`),
    ...ends(LONGEST_IPV6, 65535, LONGEST_IPV6, 65535),
  ),
  vector('the short form of the specification, 2.1', text('PROXY UNKNOWN\r\n')),
  vector(
    'the longest line of the specification, 2.1',
    text(`PROXY UNKNOWN ${LONGEST_IPV6} ${LONGEST_IPV6} 65535 65535\r\n`),
  ),
  vector('UNKNOWN with anything behind it (specification, 2.1)', text('PROXY UNKNOWN \xff\n\r what ever\r\n')),
  vector('the lowest values', text('PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n'), ...ends('0.0.0.0', 0, '0.0.0.0', 0)),
  vector(
    'upper case and a double colon',
    text('PROXY TCP6 2001:DB8::1 :: 1 2\r\n'),
    ...ends('2001:db8::1', 1, '::', 2),
  ),
  vector(
    'HAProxy 2.6, send-proxy, client on ::1',
    text('PROXY TCP6 ::1 ::1 41796 43183\r\n'),
    ...ends('::1', 41796, '::1', 43183),
  ),
  vector(
    'HAProxy 2.6 and nginx 1.22, IPv4 client of a socket for both families',
    text('PROXY TCP6 ::ffff:127.0.0.1 ::ffff:127.0.0.1 44732 43183\r\n'),
    ...ends('127.0.0.1', 44732, '127.0.0.1', 43183),
  ),
  vector(
    'HAProxy 2.6, send-proxy-v2, client on ::1',
    hex(
      '0d0a0d0a000d0a515549540a 21 21 0024 00000000000000000000000000000001 00000000000000000000000000000001 e67c a077',
    ),
    ...ends('::1', 59004, '::1', 41079),
  ),
  vector(
    'HAProxy 2.6, proxy-v2-options crc32c, IPv4 client of a socket for both families',
    hex(`0d0a0d0a000d0a515549540a 21 21 002b 00000000000000000000ffff7f000001 00000000000000000000ffff7f000001 e3ea a62f
      030004 48b9fe50`),
    ...ends('127.0.0.1', 58346, '127.0.0.1', 42543),
  ),
  vector(
    'HAProxy 2.6, proxy-v2-options crc32c,authority,unique-id',
    hex(`0d0a0d0a000d0a515549540a 21 21 0043 00000000000000000000ffff7f000001 00000000000000000000ffff7f000001 e1a2 af65
      030004 8e5469d2 050015 3a3a666666663a3132372e302e302e313537373632`),
    ...ends('127.0.0.1', 57762, '127.0.0.1', 44901),
  ),
  vector(
    'HAProxy 2.6, send-proxy-v2-ssl with crc32c, client without TLS',
    hex(`0d0a0d0a000d0a515549540a 21 21 0033 00000000000000000000000000000001 00000000000000000000000000000001 816e b2df
      030004 a9b97f1d 200005 0000000000`),
    ...ends('::1', 33134, '::1', 45791),
  ),
  vector(
    'an Amazon VPC endpoint: checksum, its own field, padding (elastic-load-balancing-tools, Compatibility test)',
    hex(`0d0a0d0a000d0a515549540a 21 11 0054 ac1f0771 ac1f0a1f c8f2 0050 030004 e8d6892d
      ea0017 01 767063652d3038643262663135666163353030316339 040024 ${'00'.repeat(36)}`),
    ...ends('172.31.7.113', 51442, '172.31.10.31', 80),
  ),
  vector(
    "LOCAL of Amazon's NLB: a family, no address, 84 bytes (kubernetes#57250)",
    hex(`0d0a0d0a000d0a515549540a 20 11 0054 030004 bce5951f 04004a ${'00'.repeat(74)}`),
  ),
  vector("LOCAL of HAProxy's health checks", v2('20 00')),
  vector('LOCAL with something that is no field', v2('20 00', '03 00')),
  vector('TCP over IPv4 (specification, 2.2)', v2('21 11', IPV4), FROM_IPV4, TO_IPV4),
  vector(
    'TCP over IPv6 (specification, 2.2)',
    v2('21 21', IPV6),
    ...ends('2001:db8::1', 1, '2001:db8:1:2:3:4:5:6', 65535),
  ),
  vector('UNIX stream (specification, 2.2)', v2('21 31', Buffer.alloc(216, 'a'))),
  vector('a datagram over IPv4', v2('21 12', IPV4)),
  vector('nobody in particular, with something behind it', v2('21 00', 'ff ff ff')),
  vector('fields of length 0', v2('21 11', IPV4, tlv(4), tlv(4), tlv(1)), FROM_IPV4, TO_IPV4),
  vector(
    'TLS with fields of its own (specification, 2.2.6)',
    v2('21 11', IPV4, tlv(0x20, Buffer.concat([hex('01 00000000'), tlv(0x21, text('TLSv1.3')), tlv(0x22)]))),
    FROM_IPV4,
    TO_IPV4,
  ),
  vector('as long as may be', v2('21 11', IPV4, tlv(4, Buffer.alloc(4096 - 12 - 3))), FROM_IPV4, TO_IPV4),
];

export interface Hostile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly code: string;
}

const bad = (code: string, name: string, bytes: Buffer): Hostile => ({ name, bytes, code: `PROXY_${code}` });
const line = (code: string, content: string, end = '\r\n'): Hostile =>
  bad(code, JSON.stringify(content), text(`${content}${end}`));

/** What is refused, and why. Each is whole: nothing more needs to come for it to be known. */
export const HOSTILE: readonly Hostile[] = [
  line('MISSING', 'PROXYjunk TCP4 192.0.2.1 192.0.2.2 1 2'),
  line('MISSING', 'proxy TCP4 192.0.2.1 192.0.2.2 1 2'),
  line('MISSING', ' PROXY TCP4 192.0.2.1 192.0.2.2 1 2'),
  line('MISSING', 'GET / HTTP/1.1'),
  bad('MISSING', 'RTMP', Buffer.alloc(1537, 3)),
  bad('MISSING', 'a TLS handshake', hex('16 03 01 00 00')),
  bad('MISSING', 'an empty line before HTTP', text('\r\nGET /')),
  bad('MISSING', 'a signature that is not quite one', text('\r\n\r\n\0\r\nQUIX\n!\x11\0\0')),
  line('LINE_INVALID', 'PROXY  TCP4 192.0.2.1 192.0.2.2 1 2'),
  line('LINE_INVALID', 'PROXY TCP4 192.0.2.1  192.0.2.2 1 2'),
  line('LINE_INVALID', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 '),
  line('LINE_INVALID', 'PROXY TCP4 192.0.2.1 192.0.2.2 1'),
  line('LINE_INVALID', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3'),
  line('LINE_INVALID', 'PROXY TCP5 192.0.2.1 192.0.2.2 1 2'),
  line('LINE_INVALID', 'PROXY UDP4 192.0.2.1 192.0.2.2 1 2'),
  line('LINE_INVALID', 'PROXY tcp4 192.0.2.1 192.0.2.2 1 2'),
  line('LINE_INVALID', 'PROXY UNKNOWNS'),
  line('LINE_INVALID', 'PROXY '),
  line('ADDRESS_INVALID', 'PROXY TCP4 010.0.0.1 192.0.2.2 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP4 192.0.2.256 192.0.2.2 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP4 192.0.2 192.0.2.2 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP4 192.0.2.1 ::1 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP4 ::ffff:192.0.2.1 192.0.2.2 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP4 localhost 192.0.2.2 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP6 192.0.2.1 192.0.2.2 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP6 ::1 192.0.2.2 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP6 fe80::1%eth0 ::1 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP6 64:ff9b::192.0.2.1 ::1 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP6 1::2::3 ::1 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP6 [::1] ::1 1 2'),
  line('ADDRESS_INVALID', 'PROXY TCP6 12345::1 ::1 1 2'),
  line('PORT_INVALID', 'PROXY TCP4 192.0.2.1 192.0.2.2 65536 2'),
  line('PORT_INVALID', 'PROXY TCP4 192.0.2.1 192.0.2.2 01 2'),
  line('PORT_INVALID', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 -2'),
  line('PORT_INVALID', 'PROXY TCP4 192.0.2.1 192.0.2.2 +1 2'),
  line('PORT_INVALID', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2e3'),
  line('PORT_INVALID', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\0'),
  line('LINE_END', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2', '\n'),
  line('LINE_END', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2', '\r\0'),
  line('LINE_END', 'PROXY TCP4 192.0.2.1\n192.0.2.2 1 2'),
  line('LINE_TOO_LONG', `PROXY UNKNOWN ${'f'.repeat(92)}`),
  line('LINE_TOO_LONG', `PROXY TCP4 ${'1'.repeat(96)}`, ''),
  bad('VERSION', 'version 1 in binary', v2('11 11', IPV4)),
  bad('VERSION', 'version 3', v2('31 11', IPV4)),
  bad('COMMAND', 'command 2', v2('22 11', IPV4)),
  bad('COMMAND', 'command 15', v2('2f 11', IPV4)),
  bad('FAMILY', 'family 4', v2('21 41', IPV4)),
  bad('FAMILY', 'transport 3', v2('21 13', IPV4)),
  bad('FAMILY', 'family and transport 9', v2('21 99', IPV4)),
  bad('FAMILY', 'family and transport 9, of a LOCAL header', v2('20 99')),
  bad('TOO_SHORT', 'IPv4 without addresses (caddy-proxyprotocol#8)', v2('21 11')),
  bad('TOO_SHORT', 'IPv4 with a byte too little', v2('21 11', Buffer.alloc(11))),
  bad('TOO_SHORT', 'IPv6 with a byte too little', v2('21 21', Buffer.alloc(35))),
  bad('TOO_SHORT', 'UNIX with a byte too little', v2('21 31', Buffer.alloc(215))),
  bad('TOO_SHORT', 'a datagram over IPv4 with a byte too little', v2('21 12', Buffer.alloc(11))),
  bad('TOO_LONG', 'one byte more than may be', v2('21 11', Buffer.alloc(4097)).subarray(0, 16)),
  bad('TOO_LONG', '65535 bytes, then silence', Buffer.concat([SIGNATURE, hex('21 11 ff ff')])),
  bad('TOO_LONG', '65535 bytes of LOCAL', Buffer.concat([SIGNATURE, hex('20 00 ff ff')])),
  bad('FIELD_INVALID', 'a field that reaches beyond the end', v2('21 11', IPV4, '04 00 02 00')),
  bad('FIELD_INVALID', 'a field cut off in its length', v2('21 11', IPV4, '04 00')),
  bad('FIELD_INVALID', 'a field of TLS without its fixed part', v2('21 11', IPV4, '20 0004 01000000')),
  bad(
    'FIELD_INVALID',
    'a field inside that of TLS reaching beyond it',
    v2('21 11', IPV4, '20 0009 01 00000000 21 0002 54', tlv(4)),
  ),
  bad('FIELD_INVALID', 'a checksum of 3 bytes', v2('21 11', IPV4, '03 0003 000000')),
  bad('FIELD_INVALID', 'two checksums', withChecksum(v2('21 11', IPV4, '03 0004 00000000 03 0004 00000000'))),
  bad('CHECKSUM', 'a wrong checksum', v2('21 11', IPV4, '03 0004 00000000')),
  bad('CHECKSUM', 'a right checksum of other addresses', spoiled()),
];

/** As a middle box leaves a header whose address it changes. */
function spoiled(): Buffer {
  const header = withChecksum(v2('21 11', IPV4, tlv(4), '03 0004 00000000'));
  header[16] = 10;
  return header;
}
