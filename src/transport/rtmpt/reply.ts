import { intervalByte } from './polling.ts';

/**
 * The tunnel's answers as bytes, the same from both engines:
 *
 *     HTTP/1.1 200 OK                            librtmp wants these 13 bytes, also when it asked with HTTP/1.0
 *     Content-Type: application/x-fcs            HaishinKit compares it literally
 *     Connection: Keep-Alive                     or close
 *     Cache-Control: no-store, no-transform      proxies neither keep nor recompress it
 *     X-Accel-Buffering: no                      nginx passes it on at once
 *     Content-Length: 3074                       last, in this spelling, one space: librtmp looks for nothing else
 *
 *     01 ...                                     interval byte, then RTMP bytes
 */

/** Why a request is not served. Every refusal but the ident's has no body and closes the connection. */
export type RefusalStatus = 400 | 404 | 405 | 408 | 411 | 413 | 431 | 500 | 503;
export type Status = 200 | RefusalStatus;

const REASONS: Readonly<Record<Status, string>> = Object.freeze({
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  411: 'Length Required',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
});

/** Fields that only some refusals have. */
const EXTRA: Partial<Record<Status, readonly [name: string, value: string]>> = Object.freeze({
  405: ['Allow', 'POST'] as const,
  // Long enough for a restart behind a balancer, short enough for an encoder's patience.
  503: ['Retry-After', '5'] as const,
});

export function reasonOf(status: Status): string {
  return REASONS[status];
}

/** Names and values in their order; `Content-Length` comes last. */
export function headFields(status: Status, persistent: boolean, contentLength: number): Array<[string, string]> {
  const extra = EXTRA[status];
  return [
    ['Content-Type', 'application/x-fcs'],
    ['Connection', persistent ? 'Keep-Alive' : 'close'],
    ['Cache-Control', 'no-store, no-transform'],
    ['X-Accel-Buffering', 'no'],
    ...(extra ? [[...extra] as [string, string]] : []),
    ['Content-Length', String(contentLength)],
  ];
}

/** A whole answer without an interval byte: open, close, ident and refusals. */
export function formatReply(status: Status, persistent: boolean, body: string): Buffer {
  return Buffer.from(`${startOf(status, persistent)}${body.length}\r\n\r\n${body}`, 'latin1');
}

/** Status line and fields up to and with `Content-Length: `. */
function startOf(status: Status, persistent: boolean): string {
  const lines = headFields(status, persistent, 0).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines.join('\r\n')}`.slice(0, -1);
}

const START = { kept: startOf(200, true), closed: startOf(200, false) };

/**
 * What of a 200 FFmpeg may get while its body is still on the way, up to and with `Content-Length: `. Each line carries
 * an acknowledgement, for which the rest of the body may be waiting (Nagle): over TLS a body is a write per 16 KiB.
 */
export const EARLY_LINES: readonly Buffer[] = START.kept.split(/(?<=\r\n)/).map((line) => Buffer.from(line, 'latin1'));

/** What follows the first `early` of these: other lines, the length, the interval byte. `bytes` of payload are to follow. */
export function formatEarlyRest(early: number, interval: number, bytes: number): Buffer {
  const rest = Buffer.from(`${bytes + 1}\r\n\r\n${String.fromCharCode(interval)}`, 'latin1');
  return Buffer.concat([...EARLY_LINES.slice(early), rest]);
}

/** Everything of a 200 in front of its `bytes` of payload, interval byte included. */
export function formatDataStart(interval: number, bytes: number, persistent: boolean): Buffer {
  const start = persistent ? START.kept : START.closed;
  return Buffer.from(`${start}${bytes + 1}\r\n\r\n${String.fromCharCode(interval)}`, 'latin1');
}

/** How many bare answers one block holds: a blocked connection may owe tens of thousands. */
export const BLOCK = 64;

/** Bare answers by interval byte: written thousands of times a second, so made once. */
interface Bare {
  readonly kept: Buffer;
  readonly closed: Buffer;
  /** `BLOCK` times `kept`. */
  readonly block: Buffer;
}

const BARE = new Map<number, Bare>();

function bareOf(interval: number): Bare {
  const known = BARE.get(interval);
  if (known) return known;
  const kept = formatDataStart(interval, 0, true);
  const block = Buffer.concat(Array.from({ length: BLOCK }, () => kept));
  const bare = { kept, closed: formatDataStart(interval, 0, false), block };
  BARE.set(interval, bare);
  return bare;
}

for (let empties = 0; empties < 20; empties++) bareOf(intervalByte(0, empties));
const { kept: BARE_KEPT, block: BARE_BLOCK } = bareOf(1);

/** A 200 with nothing but the interval byte. */
export function bareReply(interval: number, persistent: boolean): Buffer {
  if (interval === 1 && persistent) return BARE_KEPT;
  return persistent ? bareOf(interval).kept : bareOf(interval).closed;
}

/** `count` bare answers in a row, at most `BLOCK`. They all say 01, since more requests came behind them. */
export function bareReplies(count: number): Buffer {
  return BARE_BLOCK.subarray(0, count * BARE_KEPT.length);
}

/** librtmp reads through a window of this many bytes ... */
const WINDOW = 16_383;
/** ... and takes a header that straddles its end for the end of the connection (measured from 16,293 on). */
const SAFE = WINDOW - 300;

/**
 * How many of `bytes` of payload an answer may carry: up to 300 are left out where the next answer's head would
 * straddle the end of librtmp's window.
 */
export function fitWindow(bytes: number, persistent: boolean): number {
  const start = persistent ? START.kept.length : START.closed.length;
  const total = start + String(bytes + 1).length + 5 + bytes;
  const beyond = (total % WINDOW) - SAFE;
  return beyond > 0 ? bytes - beyond : bytes;
}
