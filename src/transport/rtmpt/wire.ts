import { LimitError, ProtocolError } from '../../errors.ts';

/**
 * Heads of HTTP/1.x requests, straight from the bytes (RFC 9112). Only what decides framing or the tunnel's behaviour is
 * kept; values become strings only where somebody asks. As strict as Node's own parser about everything that could make
 * two readers see two different requests: bare line feeds, folded lines, spaces before the colon, doubled lengths.
 */

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COMMA = 0x2c;
const COLON = 0x3a;
const ZERO = 0x30;

/** 15 digits are always a safe integer. */
const MAX_LENGTH_DIGITS = 15;
const MAX_METHOD = 16;

/** Reads one head after the other. The fields describe the last one and are overwritten by the next. */
export class HeadReader {
  method = '';
  /** As it stands in the request line. */
  target = '';
  /** HTTP/1.`minor` */
  minor = 1;
  /** -1: there is no `Content-Length`. */
  contentLength = -1;
  chunked = false;
  /** `Expect` or `Upgrade` is there: rare things that the web server knows how to do. */
  unusual = false;
  /** A proxy has left its name: `Via`, `Forwarded` or `X-Forwarded-…`. */
  proxied = false;
  /** `Connection: keep-alive`, spelled exactly so, and `Icy-MetaData: 1`: together that is FFmpeg. */
  ffmpeg = false;
  #maxBytes: number;
  #keepAlive = false;
  #close = false;
  #exactKeepAlive = false;
  #icy = false;
  #bytes: Buffer = Buffer.alloc(0);
  #fieldsAt = 0;
  #end = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the connection stays open behind the answer. */
  get persistent(): boolean {
    return !this.#close && (this.minor === 1 || this.#keepAlive);
  }

  /**
   * Reads the head that begins at `start`. Returns where its body begins, or -1 when more bytes are needed. Throws
   * `ProtocolError` (400), or `LimitError` (431) as soon as it is too long. Until the next call, `bytes` is referred to.
   */
  read(bytes: Buffer, start: number): number {
    const end = this.#read(bytes, start);
    if ((end < 0 ? bytes.length : end) - start > this.#maxBytes)
      throw new LimitError('HTTP_HEAD_TOO_LARGE', `the head of the request has more than ${this.#maxBytes} bytes`);
    return end;
  }

  /** A field's values, joined by commas (RFC 9110, 5.3). Slow, for what is asked once a session. */
  field(name: string): string | undefined {
    const values: string[] = [];
    for (const line of this.#bytes.toString('latin1', this.#fieldsAt, this.#end).split('\r\n')) {
      const colon = line.indexOf(':');
      if (line.slice(0, colon).toLowerCase() === name) values.push(line.slice(colon + 1).trim());
    }
    return values.length > 0 ? values.join(', ') : undefined;
  }

  #read(bytes: Buffer, start: number): number {
    this.#reset();
    let at = this.#readRequestLine(bytes, start);
    if (at < 0) return -1;
    this.#bytes = bytes;
    this.#fieldsAt = at;
    for (;;) {
      if (at + 1 >= bytes.length) return -1;
      if (bytes[at] === CR) break;
      at = this.#readField(bytes, at);
      if (at < 0) return -1;
    }
    if (bytes[at + 1] !== LF) throw bad('a line of its head does not end in CR LF');
    if (this.chunked && this.contentLength >= 0) throw bad('it has both a length and a transfer coding');
    this.ffmpeg = this.#icy && this.#exactKeepAlive && this.minor === 1;
    this.#end = at;
    return at + 2;
  }

  #reset(): void {
    this.contentLength = -1;
    this.chunked = this.unusual = this.proxied = this.ffmpeg = false;
    this.#keepAlive = this.#close = this.#exactKeepAlive = this.#icy = false;
  }

  #readRequestLine(bytes: Buffer, start: number): number {
    let at = start;
    const isPost = bytes[at] === 0x50 && bytes[at + 1] === 0x4f && bytes[at + 2] === 0x53 && bytes[at + 3] === 0x54;
    if (isPost && bytes[at + 4] === SPACE) {
      this.method = 'POST';
      at += 4;
    } else {
      at = methodEnd(bytes, start);
      if (at < 0) return -1;
      this.method = bytes.toString('latin1', start, at);
    }
    const targetAt = at + 1;
    at = targetEnd(bytes, targetAt);
    if (at < 0) return -1;
    this.target = bytes.toString('latin1', targetAt, at);
    return this.#readVersion(bytes, at + 1);
  }

  #readVersion(bytes: Buffer, start: number): number {
    const end = start + VERSION.length;
    for (let at = start; at < end; at++) {
      const byte = bytes[at];
      if (byte === undefined) return -1;
      if (byte !== VERSION[at - start]) throw bad('its version is not HTTP/1.0 or HTTP/1.1');
    }
    if (end + 2 >= bytes.length) return -1;
    this.minor = bytes[end]! - ZERO;
    if (this.minor !== 0 && this.minor !== 1) throw bad('its version is not HTTP/1.0 or HTTP/1.1');
    if (bytes[end + 1] !== CR || bytes[end + 2] !== LF) throw bad('a line of its head does not end in CR LF');
    return end + 3;
  }

  /** One line of the head. Returns where the next begins, or -1. */
  #readField(bytes: Buffer, start: number): number {
    const { length } = bytes;
    let colon = start;
    while (colon < length && IS_TOKEN[bytes[colon]!] === 1) colon += 1;
    if (colon === length) return -1;
    if (bytes[colon] !== COLON || colon === start) throw bad('a line of its head has no proper name');
    let end = colon + 1;
    while (end < length && IS_TEXT[bytes[end]!] === 1) end += 1;
    if (end + 1 >= length && (end === length || bytes[end] === CR)) return -1;
    if (bytes[end] !== CR || bytes[end + 1] !== LF) throw bad('a line of its head does not end in CR LF');
    this.#notice(bytes, start, colon, end);
    return end + 2;
  }

  /** By the length of its name: hardly any two fields that matter share one. */
  #notice(bytes: Buffer, start: number, colon: number, end: number): void {
    switch (colon - start) {
      case 3:
        if (isName(bytes, start, VIA)) this.proxied = true;
        return;
      case 6:
        if (isName(bytes, start, EXPECT)) this.unusual = true;
        return;
      case 7:
        if (isName(bytes, start, UPGRADE)) this.unusual = true;
        return;
      case 9:
        if (isName(bytes, start, FORWARDED)) this.proxied = true;
        return;
      case 10:
        if (isName(bytes, start, CONNECTION)) this.#noticeConnection(bytes, colon + 1, end);
        return;
      case 12:
        if (isName(bytes, start, ICY)) this.#icy = bytes.toString('latin1', colon + 1, end).trim() === '1';
        break;
      case 14:
        if (isName(bytes, start, CONTENT_LENGTH)) this.#noticeLength(bytes, colon + 1, end);
        break;
      case 17:
        if (isName(bytes, start, TRANSFER_ENCODING)) this.chunked = true;
        break;
      default:
    }
    if (colon - start > X_FORWARDED.length && isName(bytes, start, X_FORWARDED)) this.proxied = true;
  }

  #noticeLength(bytes: Buffer, from: number, to: number): void {
    if (this.contentLength >= 0) throw bad('it has two lengths');
    let at = from;
    while (at < to && isBlank(bytes[at]!)) at += 1;
    let end = to;
    while (end > at && isBlank(bytes[end - 1]!)) end -= 1;
    if (end === at || end - at > MAX_LENGTH_DIGITS) throw bad('its length is no number');
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) throw bad('its length is no number');
      value = value * 10 + digit;
    }
    this.contentLength = value;
  }

  #noticeConnection(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      while (at < to && (isBlank(bytes[at]!) || bytes[at] === COMMA)) at += 1;
      let end = at;
      while (end < to && bytes[end] !== COMMA) end += 1;
      const next = end;
      while (end > at && isBlank(bytes[end - 1]!)) end -= 1;
      if (end - at === 10 && isName(bytes, at, KEEP_ALIVE)) {
        this.#keepAlive = true;
        this.#exactKeepAlive = bytes.toString('latin1', at, end) === 'keep-alive';
      } else if (end - at === 5 && isName(bytes, at, CLOSE)) this.#close = true;
      at = next;
    }
  }
}

const VERSION = Buffer.from(' HTTP/1.').subarray(1);
const VIA = Buffer.from('via');
const EXPECT = Buffer.from('expect');
const UPGRADE = Buffer.from('upgrade');
const FORWARDED = Buffer.from('forwarded');
const X_FORWARDED = Buffer.from('x-forwarded-');
const CONNECTION = Buffer.from('connection');
const KEEP_ALIVE = Buffer.from('keep-alive');
const CLOSE = Buffer.from('close');
const ICY = Buffer.from('icy-metadata');
const CONTENT_LENGTH = Buffer.from('content-length');
const TRANSFER_ENCODING = Buffer.from('transfer-encoding');

/** Which bytes a name may consist of (`tchar`, RFC 9110, 5.6.2) and which a value (no control but the tab). */
const IS_TOKEN = table((byte) => /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte)));
const IS_TEXT = table((byte) => byte === TAB || (byte >= SPACE && byte !== 0x7f));

function table(includes: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (includes(byte) ? 1 : 0));
}

/** Whether the bytes are `name` in any case. The caller has compared the lengths. */
function isName(bytes: Buffer, at: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if ((bytes[at + i]! | 0x20) !== name[i]) return false;
  return true;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function methodEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && IS_TOKEN[bytes[at]!] === 1) at += 1;
  if (at - start > MAX_METHOD) throw bad('its method is unknown');
  if (at === bytes.length) return -1;
  if (bytes[at] !== SPACE || at === start) throw bad('it does not begin with a request line');
  return at;
}

function targetEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at]! > SPACE && bytes[at]! < 0x7f) at += 1;
  if (at === bytes.length) return -1;
  if (bytes[at] !== SPACE || at === start) throw bad('its target has bytes that no target may have');
  return at;
}

function bad(what: string): ProtocolError {
  return new ProtocolError('HTTP_BAD_REQUEST', `the request is no proper HTTP: ${what}`);
}
