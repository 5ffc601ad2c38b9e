import { describe, expect, it } from 'vitest';
import { MAX_SNIFF_BYTES, sniff, type FirstBytes } from '../../src/transport/sniff.ts';
import { hex } from '../support/fixture.ts';

/** Opening bytes, what they are, and how many of them it takes to know. */
const CASES: ReadonlyArray<readonly [bytes: Buffer, kind: FirstBytes['kind'], what: RegExp, needed: number]> = [
  [hex('03'), 'rtmp', /^RTMP$/, 1],
  [hex('06'), 'rtmp', /^RTMPE$/, 1],
  [hex('08'), 'rtmp', /^RTMPE$/, 1],
  [hex('09'), 'rtmp', /^RTMPE$/, 1],
  [hex('16 03 00'), 'tls', /^TLS$/, 3],
  [hex('16 03 01'), 'tls', /^TLS$/, 3],
  [hex('16 03 04'), 'tls', /^TLS$/, 3],
  [hex('16 03 05'), 'foreign', /unknown .*16 03 05/, 3],
  [hex('16 02'), 'foreign', /unknown .*16 02/, 2],
  // RFC 5246, E.2: length 46, client_hello, version 3.1
  [hex('80 2e 01 03 01'), 'foreign', /^SSLv2$/, 3],
  [hex('80 2e 02'), 'foreign', /unknown .*80 2e 02/, 3],
  [hex('00 00 00 2f ff'), 'foreign', /unknown .*first bytes 00 00 00 2f\)/, 1],
  [hex('04 01'), 'foreign', /unknown/, 1],
  [hex('05 01'), 'foreign', /unknown/, 1],
  [Buffer.from('SSH-2.0-x'), 'foreign', /^SSH$/, 4],
  [Buffer.from('PRI * HTTP/2.0\r\n'), 'foreign', /HTTP\/2/, 10],
  [Buffer.from('PROXY TCP4 1'), 'proxy', /PROXY/, 6],
  [Buffer.from('\r\n\r\n\0\r\nQUIT\n'), 'proxy', /PROXY/, 12],
  [Buffer.from('<policy-file-request/>\0'), 'foreign', /Flash/, 11],
  [Buffer.from('post /open/1'), 'foreign', /unknown .*70/, 1],
  [Buffer.from('POSTMAN '), 'foreign', /unknown/, 5],
  [Buffer.from('GET\t/ HTTP/1.1'), 'foreign', /unknown/, 4],
  [Buffer.from('\r\n\r\n\r\nGET '), 'foreign', /unknown/, 6],
  ...['POST ', 'GET ', 'HEAD ', 'PUT ', 'OPTIONS ', 'DELETE ', 'PATCH ', 'TRACE ', 'CONNECT '].map(
    (method) => [Buffer.from(`${method}/ HTTP/1.1\r\n`), 'http', /^HTTP$/, method.length] as const,
  ),
  // RFC 9112, 2.2: empty lines before a request line are to be ignored
  [Buffer.from('\r\nGET / HTTP/1.1'), 'http', /^HTTP$/, 6],
  [Buffer.from('\r\n\r\nOPTIONS * HTTP/1.1'), 'http', /^HTTP$/, 12],
  [Buffer.from('\nPOST /'), 'http', /^HTTP$/, 6],
];

describe('telling a protocol from its first bytes', () => {
  it.each(CASES.map((row) => [JSON.stringify(String(row[0])), ...row] as const))(
    'knows %s',
    (_, bytes, kind, what, needed) => {
      const whole = sniff(bytes);
      expect(whole).toMatchObject({ kind });
      expect(whole?.what).toMatch(what);
      const enough = Array.from({ length: bytes.length }, (_, i) => sniff(bytes.subarray(0, i + 1)));
      expect(enough.findIndex((answer) => answer !== undefined) + 1).toBe(needed);
      expect(enough.at(-1)?.kind).toBe(kind);
      expect(sniff(Buffer.concat([bytes, Buffer.alloc(2000, 0x41)]))?.kind).toBe(kind);
    },
  );

  it('never needs more than its bound', () => {
    for (const opening of ['\r\n\r\nOPTIONS', '\r\n\r\nCONNECT', 'PRI * HTT', '\r\n\r\n\0\r\nQUIT']) {
      const padded = Buffer.from(opening.padEnd(MAX_SNIFF_BYTES, '\0'));
      expect(sniff(padded.subarray(0, MAX_SNIFF_BYTES))).toBeDefined();
    }
  });

  it('asks for a byte when there is none', () => {
    expect(sniff(Buffer.alloc(0))).toBeUndefined();
  });
});
