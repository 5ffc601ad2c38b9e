import { describe, expect, test } from 'vitest';
import { LimitError, ProtocolError } from '../../../src/errors.ts';
import { HeadReader } from '../../../src/transport/rtmpt/wire.ts';

/** Recorded from the programs named, but for the ids. */
const LIBRTMP = [
  'POST /send/ID/3 HTTP/1.1',
  'Host: localhost:8080',
  'Accept: */*',
  'User-Agent: Shockwave Flash',
  'Connection: Keep-Alive',
  'Cache-Control: no-cache',
  'Content-type: application/x-fcs',
  'Content-length: 1537',
  '\r\n',
].join('\r\n');
const FFMPEG = [
  'POST /idle/ID/4 HTTP/1.1',
  'Accept: */*',
  'Connection: keep-alive',
  'Host: localhost:8080',
  'Content-Length: 1',
  'Icy-MetaData: 1',
  'Cache-Control: no-cache',
  'Content-type: application/x-fcs',
  'User-Agent: Shockwave Flash',
  '\r\n',
].join('\r\n');

function read(text: string, max = 16 * 1024): HeadReader {
  const head = new HeadReader(max);
  const bytes = Buffer.from(text, 'latin1');
  expect(head.read(bytes, 0)).toBe(bytes.length);
  return head;
}

function withField(...fields: string[]): HeadReader {
  return read(`POST /a HTTP/1.1\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
}

describe('heads of real clients', () => {
  test('librtmp', () => {
    const head = read(LIBRTMP);
    expect(head).toMatchObject({ method: 'POST', target: '/send/ID/3', minor: 1, contentLength: 1537 });
    expect(head).toMatchObject({ persistent: true, ffmpeg: false, chunked: false, unusual: false, proxied: false });
  });

  test('FFmpeg', () => {
    expect(read(FFMPEG)).toMatchObject({ target: '/idle/ID/4', contentLength: 1, persistent: true, ffmpeg: true });
  });
});

describe('what is noticed', () => {
  test.each([
    ['GET / HTTP/1.0', { method: 'GET', minor: 0, persistent: false }],
    ['DELETE /x HTTP/1.1', { method: 'DELETE', target: '/x', minor: 1, persistent: true }],
    ['POSTS /x HTTP/1.1', { method: 'POSTS' }],
    ['M-SEARCH * HTTP/1.1', { method: 'M-SEARCH', target: '*' }],
  ])('%s', (line, expected) => {
    expect(read(`${line}\r\n\r\n`)).toMatchObject({ contentLength: -1, ...expected });
  });

  test.each([
    ['Content-Length: 0', 0],
    ['content-length:17', 17],
    ['CONTENT-LENGTH: \t 17 \t', 17],
    ['Content-Length: 000000000000017', 17],
  ])('%j', (field, contentLength) => {
    expect(withField(field).contentLength).toBe(contentLength);
  });

  test.each([
    ['Connection: close', false],
    ['Connection: Close', false],
    ['connection: TE, close', false],
    ['Connection: keep-alive, close', false],
    ['Connection: closed', true],
    ['Connection: keep-alive', true],
    ['Connection:', true],
    ['Xonnection: close', true],
  ])('%s leaves it open: %s', (field, persistent) => {
    expect(withField(field).persistent).toBe(persistent);
  });

  test.each(['Connection: keep-alive', 'Connection: KEEP-ALIVE', 'connection: TE,Keep-Alive'])(
    'HTTP/1.0 with %s stays open',
    (field) => {
      expect(read(`POST /a HTTP/1.0\r\n${field}\r\n\r\n`).persistent).toBe(true);
    },
  );

  test.each([
    'Via: 1.1 a',
    'Forwarded: for=a',
    'X-Forwarded-For: a',
    'x-forwarded-proto: https',
    'X-FORWARDED-HOST: a',
  ])('%s is the trace of a proxy', (field) => {
    expect(withField(field).proxied).toBe(true);
  });

  test.each(['Vie: a', 'X-Forwarded: a', 'X-Forwarded-: a', 'Forwarder: a', 'Y-Forwarded-For: a'])(
    '%s is not',
    (field) => {
      expect(withField(field).proxied).toBe(false);
    },
  );

  test.each(['Expect: 100-continue', 'upgrade: h2c'])('%s is unusual', (field) => {
    expect(withField(field).unusual).toBe(true);
  });

  test('Transfer-Encoding makes it chunked', () => {
    expect(withField('Transfer-Encoding: chunked').chunked).toBe(true);
  });

  test.each([
    ['Connection: Keep-Alive', 'Icy-MetaData: 1'],
    ['Connection: keep-alive', 'Icy-MetaData: 0'],
    ['Connection: keep-alive', 'Icy-MetaDate: 1'],
  ])('%s with %s is not FFmpeg', (...fields) => {
    expect(withField(...fields).ffmpeg).toBe(false);
  });

  test('nothing of one head is left in the next', () => {
    const head = new HeadReader(1000);
    const noisy = 'POST /a HTTP/1.0\r\nVia: a\r\nExpect: a\r\nTransfer-Encoding: a\r\nConnection: close\r\n\r\n';
    head.read(Buffer.from(noisy), 0);
    head.read(Buffer.from(FFMPEG), 0);
    expect(head).toMatchObject({ minor: 1, proxied: false, unusual: false, chunked: false, persistent: true });
    head.read(Buffer.from('POST /a HTTP/1.1\r\n\r\n'), 0);
    expect(head).toMatchObject({ contentLength: -1, ffmpeg: false });
  });

  test('a field can be asked for by name; repeated ones are joined', () => {
    const head = withField('X-Forwarded-For: a', 'Host: b', 'x-forwarded-for:  c ');
    expect(head.field('x-forwarded-for')).toBe('a, c');
    expect(head.field('host')).toBe('b');
    expect(head.field('via')).toBeUndefined();
  });
});

describe('pieces', () => {
  test.each([LIBRTMP, FFMPEG])('every beginning of a head asks for more', (text) => {
    const head = new HeadReader(16 * 1024);
    for (let end = 0; end < text.length; end++) expect(head.read(Buffer.from(text.slice(0, end)), 0)).toBe(-1);
  });

  test('a head is found behind other bytes, and what follows it is left alone', () => {
    const head = new HeadReader(16 * 1024);
    const bytes = Buffer.from(`before${LIBRTMP}POST /next`, 'latin1');
    expect(head.read(bytes, 6)).toBe(6 + LIBRTMP.length);
    expect(head.target).toBe('/send/ID/3');
  });
});

describe('refusals', () => {
  test.each([
    'POST /a HTTP/1.1\n\n',
    'POST /a HTTP/1.1\r\nHost: a\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\n\rX',
    'POST /a HTTP/1.1\r\n folded: a\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost : a\r\n\r\n',
    'POST /a HTTP/1.1\r\nHo st: a\r\n\r\n',
    'POST /a HTTP/1.1\r\n: a\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\0b\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: \x7f\r\n\r\n',
    'POST /a HTTP/1.2\r\n\r\n',
    'POST /a HTTP/2.0\r\n\r\n',
    'POST /a http/1.1\r\n\r\n',
    'POST /a  HTTP/1.1\r\n\r\n',
    'POST  /a HTTP/1.1\r\n\r\n',
    'POST /a\r\n\r\n',
    'POST /\xe9 HTTP/1.1\r\n\r\n',
    'POST /a\tb HTTP/1.1\r\n\r\n',
    ' POST /a HTTP/1.1\r\n\r\n',
    'ABCDEFGHIJKLMNOPQ /a HTTP/1.1\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length:\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length: +1\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length: 0x10\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length: 1 2\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length: 1234567890123456\r\n\r\n',
    'POST /a HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'POST /a HTTP/1.1\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\n',
  ])('%j is refused, whole and at some byte', (text) => {
    const read = (bytes: string): number => new HeadReader(16 * 1024).read(Buffer.from(bytes, 'latin1'), 0);
    expect(() => read(text)).toThrow(ProtocolError);
    // However it is cut: first more is wanted, then it is refused; it never passes.
    for (let end = 0; end < text.length; end++) {
      try {
        expect(read(text.slice(0, end))).toBe(-1);
      } catch (fault) {
        expect(fault).toBeInstanceOf(ProtocolError);
      }
    }
  });

  test('a head may have as many bytes as the limit says, and not one more', () => {
    const text = (length: number): string => `${'POST /a HTTP/1.1\r\nX: '.padEnd(length - 4, 'a')}\r\n\r\n`;
    expect(read(text(200), 200).target).toBe('/a');
    expect(() => read(text(201), 200)).toThrow(LimitError);
    const head = new HeadReader(200);
    expect(head.read(Buffer.from(text(300).slice(0, 200)), 0)).toBe(-1);
    expect(() => head.read(Buffer.from(text(300).slice(0, 201)), 0)).toThrow(LimitError);
  });
});
