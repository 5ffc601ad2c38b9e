import type { Carrier, CarrierEvents } from './carrier.ts';
import { openSocket, type Opened } from './socket.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = Buffer.from('\r\nContent-Length: ');
const ZERO = 0x30;

/** How a tunnel polls, and what it counts. */
export interface TunnelOptions {
  /** Pause after an answer that brought nothing, in milliseconds. 0: none, as librtmp does. */
  readonly pollMs: number;
  /** One answer is complete. `empty`: it was the polling byte alone. */
  readonly answered: (empty: boolean) => void;
}

/**
 * RTMP in HTTP requests over one keep-alive connection, one request at a time: `/open/1`, then `/send` when there is
 * something to say and `/idle` otherwise, numbered from 0 as FFmpeg and librtmp number them.
 */
export class TunnelCarrier implements Carrier {
  readonly sockets: Opened;
  readonly #events: CarrierEvents;
  readonly #options: TunnelOptions;
  #id: string | undefined;
  #sequence = 0;
  #output: Buffer[] = [];
  #waiting = false;
  #timer: NodeJS.Timeout | undefined;
  #head = '';
  #bodyLeft = 0;
  #inBody = false;
  #pollingByteDue = false;
  #answerBytes = 0;
  #closed = false;

  constructor(port: number, secure: boolean, events: CarrierEvents, options: TunnelOptions) {
    this.#events = events;
    this.#options = options;
    this.sockets = openSocket(port, secure, {
      opened: () => this.#request('/open/1', Buffer.alloc(1)),
      read: (bytes, start, end) => this.#read(bytes, start, end),
      closed: (reason) => this.#ended(reason),
    });
  }

  write(bytes: Buffer): void {
    this.#output.push(bytes);
    if (!this.#waiting && this.#id !== undefined) this.#next(0);
  }

  breakOff(bytes: Buffer, part: number, written: () => void): void {
    const head = headOf(`/send/${this.#id}/${this.#sequence++}`, bytes.length);
    this.sockets.stream.write(Buffer.concat([Buffer.from(head), bytes.subarray(0, part)]), written);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#id === undefined) this.sockets.stream.destroy();
    else
      this.#request(`/close/${this.#id}/${this.#sequence}`, Buffer.alloc(1), () => this.sockets.stream.destroySoon());
  }

  #ended(reason: string): void {
    clearTimeout(this.#timer);
    this.#events.closed(reason);
  }

  #request(path: string, body: Buffer, written?: () => void): void {
    this.#waiting = true;
    const head = headOf(path, body.length);
    if (body.length === 1) this.sockets.stream.write(`${head}\0`, 'latin1', written);
    else {
      this.sockets.stream.cork();
      this.sockets.stream.write(head, 'latin1');
      this.sockets.stream.write(body, written);
      this.sockets.stream.uncork();
    }
  }

  #next(pauseMs: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    if (this.#output.length > 0) {
      const body = Buffer.concat(this.#output);
      this.#output = [];
      this.#request(`/send/${this.#id}/${this.#sequence++}`, body);
    } else if (pauseMs === 0) this.#idle();
    else this.#timer = setTimeout(() => this.#idle(), pauseMs);
  }

  #idle(): void {
    this.#request(`/idle/${this.#id}/${this.#sequence++}`, EMPTY);
  }

  #read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#closed)
      at = this.#inBody ? this.#readBody(bytes, at, end) : this.#readHead(bytes, at, end);
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    if (this.#head === '') {
      const stop = bytes.indexOf(HEAD_END, start);
      if (stop >= 0 && stop + 4 <= end) return this.#beginBody(bytes, start, stop);
    }
    return this.#readCutHead(bytes, start, end);
  }

  #readCutHead(bytes: Buffer, start: number, end: number): number {
    const before = this.#head.length;
    this.#head += bytes.toString('latin1', start, end);
    const stop = this.#head.indexOf('\r\n\r\n');
    if (stop < 0) return end;
    const head = Buffer.from(this.#head.slice(0, stop + 4), 'latin1');
    this.#head = '';
    this.#beginBody(head, 0, stop);
    return start + stop + 4 - before;
  }

  #beginBody(bytes: Buffer, start: number, stop: number): number {
    // "HTTP/1.1 200": the digits begin at 9.
    const status = bytes.toString('latin1', start + 9, start + 12);
    const length = status === '200' ? contentLength(bytes, start, stop) : -1;
    if (length < 1) this.#refused(`HTTP status ${status} for a tunnel request`);
    this.#bodyLeft = length;
    this.#answerBytes = length;
    this.#inBody = true;
    this.#pollingByteDue = this.#id !== undefined;
    return stop + 4;
  }

  #refused(reason: string): void {
    this.#closed = true;
    this.sockets.stream.destroy(new Error(reason));
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#bodyLeft);
    this.#bodyLeft -= stop - start;
    if (this.#id === undefined) this.#head += bytes.toString('latin1', start, stop);
    else this.#passOn(bytes, start, stop);
    if (this.#bodyLeft === 0) this.#answered();
    return stop;
  }

  #passOn(bytes: Buffer, start: number, stop: number): void {
    const from = this.#pollingByteDue ? start + 1 : start;
    this.#pollingByteDue = false;
    if (from < stop) this.#events.read(bytes, from, stop);
  }

  #answered(): void {
    this.#inBody = false;
    this.#waiting = false;
    if (this.#id === undefined) {
      this.#id = this.#head.trimEnd();
      this.#head = '';
      this.#events.opened();
      if (!this.#waiting) this.#next(0);
      return;
    }
    const empty = this.#answerBytes === 1;
    this.#options.answered(empty);
    // Reading the answer may have asked for a send already.
    if (!this.#waiting) this.#next(empty ? this.#options.pollMs : 0);
  }
}

const EMPTY = Buffer.alloc(1);
const STATIC_HEAD = [
  'Host: 127.0.0.1',
  'Accept: */*',
  'User-Agent: Shockwave Flash',
  'Connection: Keep-Alive',
  'Cache-Control: no-cache',
  'Content-type: application/x-fcs',
  'Content-Length: ',
].join('\r\n');

function headOf(path: string, length: number): string {
  return `POST ${path} HTTP/1.1\r\n${STATIC_HEAD}${length}\r\n\r\n`;
}

function contentLength(bytes: Buffer, start: number, stop: number): number {
  const at = bytes.indexOf(LENGTH, start);
  if (at >= 0 && at < stop) return digits(bytes, at + LENGTH.length);
  const any = /\r\ncontent-length:\s*(\d+)/i.exec(bytes.toString('latin1', start, stop));
  return any ? Number(any[1]) : -1;
}

function digits(bytes: Buffer, at: number): number {
  let value = 0;
  for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) value = value * 10 + digit;
  return value;
}
