/** What a tunnel request asks for, by its path. `bad`: a tunnel's path that nobody can have meant so. */
export type Command = 'ident' | 'ident2' | 'open' | 'send' | 'idle' | 'close' | 'bad';

export interface Target {
  readonly command: Command;
  /** The session's id as the client spelled it; empty where there is none. */
  readonly id: string;
  /** The request's number, or -1. */
  readonly number: number;
}

const SLASH = 0x2f;
/** 2^53 - 1 has 16 digits; leading zeroes count, a number of 400 digits is an attack. */
const MAX_DIGITS = 16;

const BAD: Target = Object.freeze({ command: 'bad', id: '', number: -1 });
const IDENT: Target = Object.freeze({ command: 'ident', id: '', number: -1 });
const IDENT2: Target = Object.freeze({ command: 'ident2', id: '', number: -1 });
const OPEN: Target = Object.freeze({ command: 'open', id: '', number: -1 });

/**
 * Reads a request target: the path alone, with a query behind it, with doubled slashes in front (some proxies), or in
 * absolute form (FFmpeg behind `http_proxy`, even inside TLS). Undefined: no path of the tunnel's. Never throws.
 */
export function parseTarget(target: string): Target | undefined {
  const start = pathStart(target);
  if (start < 0) return undefined;
  const query = target.indexOf('?', start);
  const end = query < 0 ? target.length : query;
  // Sorted by frequency: a session is thousands of idles or sends.
  if (target.startsWith('idle/', start)) return numbered('idle', target, start + 5, end);
  if (target.startsWith('send/', start)) return numbered('send', target, start + 5, end);
  return rare(target.slice(start, end));
}

/** The session's path of a numbered request, as clients spell it. */
export function formatTarget(command: 'send' | 'idle' | 'close', id: string, number: number): string {
  return `/${command}/${id}/${number}`;
}

/** Where the path begins, behind its slashes; -1 for `*` and the like. */
function pathStart(target: string): number {
  let at = 0;
  if (target.charCodeAt(0) !== SLASH) {
    const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(target);
    at = scheme ? target.indexOf('/', scheme[0].length) : -1;
    if (at < 0) return -1;
  }
  while (target.charCodeAt(at) === SLASH) at += 1;
  return at;
}

function rare(path: string): Target | undefined {
  const slash = path.indexOf('/');
  const name = slash < 0 ? path : path.slice(0, slash);
  const rest = slash < 0 ? path.length : slash + 1;
  switch (name) {
    case 'fcs':
      return slash < 0 ? undefined : ident(path.slice(rest));
    case 'open':
      // Clients say /open/1. Nothing depends on the number, so none is asked for.
      return OPEN;
    case 'close':
      return close(path, rest);
    case 'idel':
      // A spelling error that old HaishinKit shipped.
      return numbered('idle', path, rest, path.length);
    case 'idle':
    case 'send':
      return BAD;
    default:
      return undefined;
  }
}

function ident(name: string): Target {
  return name === 'ident2' ? IDENT2 : IDENT;
}

/** `/close/<id>/<n>`, or `/close/<id>` alone (RootEncoder, HaishinKit). */
function close(path: string, start: number): Target {
  const slash = path.indexOf('/', start);
  if (slash >= 0) return numbered('close', path, start, path.length);
  const id = path.slice(start);
  return id === '' ? BAD : { command: 'close', id, number: -1 };
}

function numbered(command: 'send' | 'idle' | 'close', path: string, start: number, end: number): Target {
  const slash = path.indexOf('/', start);
  if (slash <= start || slash >= end) return BAD;
  const number = parseNumber(path, slash + 1, end);
  return number < 0 ? BAD : { command, id: path.slice(start, slash), number };
}

/** Plain digits up to 2^53 - 1, or -1. */
function parseNumber(text: string, start: number, end: number): number {
  if (end <= start || end - start > MAX_DIGITS) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : -1;
}
