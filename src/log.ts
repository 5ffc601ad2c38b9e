import { Writable } from 'node:stream';
import { pino } from 'pino';
import pretty from 'pino-pretty';

/** What the rooms need of a logger: an object of fields, then one plain sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: object): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** One JSON object a line for programs, or coloured lines for people. */
  readonly format: 'json' | 'pretty';
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Paths that hold a secret: tunnel ids, stream keys in URLs, passwords. Redacted whoever logs them. */
const SECRET_PATHS = ['tunnelId', '*.tunnelId', 'passphrase', '*.passphrase', 'token', '*.token'];

/** Where lines go; standard output unless told otherwise (tests). */
export interface LogSink {
  write(line: string): void;
}

/** Fields that show who or what without giving the secret in them away, nor more of it than anybody reads. */
const SERIALIZERS = {
  app: whenText(shorten),
  key: whenText(redactKey),
  streamKey: whenText(redactKey),
  url: whenText(redactUrl),
  tcUrl: whenText(redactUrl),
};

/** Logging must not throw, whatever is logged. */
function whenText(redact: (text: string) => string): (value: unknown) => unknown {
  return (value) => (typeof value === 'string' ? redact(value) : value);
}

/** Makes the process's root logger. */
export function createLog(options: LogOptions, sink?: LogSink): Log {
  const settings = {
    level: options.level,
    base: null,
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    serializers: SERIALIZERS,
    // The net below: messages and stacks may quote what a client or the operator wrote.
    hooks: { streamWrite: (line: string) => redactText(withoutControls(line)) },
  };
  if (options.format === 'json') return pino(settings, sink ?? pino.destination({ sync: true }));
  const colorize = sink === undefined && process.stdout.isTTY;
  const destination = sink ? new Writable({ write: (line, _encoding, done) => (sink.write(String(line)), done()) }) : 1;
  // One line each, as in JSON: who watches twenty clients come and go reads down a column.
  const layout = { singleLine: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' };
  return pino(settings, pretty({ colorize, ...layout, sync: true, destination }));
}

/** Says nothing: the default wherever a logger is optional. */
export const NO_LOG: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child() {
    return NO_LOG;
  },
};

/** A stream name that is safe in a log: a key may be a secret, so only its first four characters are shown. */
export function redactKey(key: string): string {
  const visible = key.slice(0, 4).replace(/[^\x20-\x7e]/g, '?');
  return key.length <= 4 ? visible : `${visible}…`;
}

/** As long as a stream's application may be; clients may say 64 KiB before anybody looks at it. */
const MAX_FIELD_LENGTH = 255;
/** What browsers and proxies take in one piece. */
const MAX_URL_LENGTH = 2048;

function shorten(text: string): string {
  return text.length <= MAX_FIELD_LENGTH ? text : `${text.slice(0, MAX_FIELD_LENGTH)}…`;
}

/**
 * What steers a terminal or turns writing round: as itself, where JSON lets it pass (DEL, the C1 controls, one of which
 * begins a colour, separators of lines, marks of direction), and as an escape, which the pretty form would undo.
 */
const STEERING = /\\(?:u00[01][0-9a-f]|[^])|[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A line of JSON without them. Line ends in stacks are a pair of characters there, and stay. */
function withoutControls(line: string): string {
  return line.replace(STEERING, (found) => (found.length === 2 ? found : '?'));
}

/** An address that is safe in a log: no password, no query, and of the stream's name what `redactKey` leaves. */
export function redactUrl(url: string): string {
  // Whatever was cut off might have been what tells a password.
  if (url.length > MAX_URL_LENGTH) return '…';
  const [, origin = '', path = ''] = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(url) ?? [];
  const segments = path.split('/');
  const last = segments.pop() ?? '';
  // To the last @ before the path: whatever stands in a password, quotes and spaces too, is behind the first colon.
  const authority = origin.replace(/^([^:]*:\/\/[^:@]*:).*@/s, '$1***@');
  return authority + [...segments, redactKey(last)].join('/') + (/[?#]/.test(url) ? '?…' : '');
}

/** Any text without passwords in URLs and without the tunnel ids that request targets carry. */
export function redactText(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/"]*:)[^\s@/"]+@/gi, '$1***@')
    .replace(/(\/(?:send|idle|idel|close)\/)[A-Za-z0-9]{22,31}(?![A-Za-z0-9])/g, '$1[redacted]');
}
