/**
 * Tells a connection's protocol from its first bytes. Every protocol served here lets the client speak first, so no
 * time-out has to decide anything.
 *
 *     03                 RTMP (C0, RTMP 1.0 5.2.2)     06 08 09      RTMPE: left to the core or a bridge
 *     16 03 00..04       TLS handshake record          `POST ` …     HTTP/1, perhaps after empty lines (RFC 9112 2.2)
 */

/** What the first bytes mean. `what` names the protocol for people, also when it is one that nobody here speaks. */
export interface FirstBytes {
  readonly kind: 'rtmp' | 'tls' | 'http' | 'proxy' | 'foreign';
  readonly what: string;
}

/** The most bytes that are ever needed to decide: the longest method and its space, behind four bytes of empty lines. */
export const MAX_SNIFF_BYTES = 12;

const RTMP: FirstBytes = Object.freeze({ kind: 'rtmp', what: 'RTMP' });
const RTMPE: FirstBytes = Object.freeze({ kind: 'rtmp', what: 'RTMPE' });
const TLS: FirstBytes = Object.freeze({ kind: 'tls', what: 'TLS' });
const HTTP: FirstBytes = Object.freeze({ kind: 'http', what: 'HTTP' });

const PROXY: FirstBytes = Object.freeze({ kind: 'proxy', what: 'a PROXY protocol header' });

const METHODS = ['POST ', 'GET ', 'HEAD ', 'PUT ', 'OPTIONS ', 'DELETE ', 'PATCH ', 'TRACE ', 'CONNECT '];

/** Openings of what wanders in from elsewhere: named so that the log says what to look for. */
const FOREIGN: ReadonlyArray<readonly [opening: string, meaning: FirstBytes]> = [
  ['PRI * HTTP', { kind: 'foreign', what: 'HTTP/2 without TLS' }],
  ['PROXY ', PROXY],
  ['\r\n\r\n\0\r\nQUIT\n', PROXY],
  ['SSH-', { kind: 'foreign', what: 'SSH' }],
  ['<policy-fil', { kind: 'foreign', what: 'a Flash socket policy request' }],
];

/** Decides, or returns undefined while more bytes are needed (never beyond `MAX_SNIFF_BYTES`). Never throws. */
export function sniff(bytes: Buffer): FirstBytes | undefined {
  const first = bytes[0];
  if (first === undefined) return undefined;
  if (first === 0x03) return RTMP;
  if (first === 0x06 || first === 0x08 || first === 0x09) return RTMPE;
  if (first === 0x16) return sniffTls(bytes);
  if ((first & 0x80) !== 0) return sniffSsl2(bytes);
  return sniffText(bytes);
}

function sniffTls(bytes: Buffer): FirstBytes | undefined {
  const [, major, minor] = bytes;
  if (major === undefined) return undefined;
  if (major !== 0x03) return unknown(bytes);
  if (minor === undefined) return undefined;
  return minor <= 0x04 ? TLS : unknown(bytes);
}

/** An SSLv2-format hello: two bytes of length with the top bit set, then message type 1 (RFC 5246, E.2). */
function sniffSsl2(bytes: Buffer): FirstBytes | undefined {
  if (bytes.length < 3) return undefined;
  return bytes[2] === 0x01 ? { kind: 'foreign', what: 'SSLv2' } : unknown(bytes);
}

function sniffText(bytes: Buffer): FirstBytes | undefined {
  const text = bytes.toString('latin1', 0, MAX_SNIFF_BYTES);
  for (const [opening, meaning] of FOREIGN) if (text.startsWith(opening)) return meaning;
  const line = text.replace(/^(?:\r?\n){1,2}/, '');
  if (METHODS.some((method) => line.startsWith(method))) return HTTP;
  return couldStillBe(text, line) ? undefined : unknown(bytes);
}

function couldStillBe(text: string, line: string): boolean {
  if (text.length >= MAX_SNIFF_BYTES) return false;
  if (line === '' || line === '\r') return true;
  return METHODS.some((method) => method.startsWith(line)) || FOREIGN.some(([opening]) => opening.startsWith(text));
}

function unknown(bytes: Buffer): FirstBytes {
  const shown = bytes.toString('hex', 0, 4).replace(/(..)(?=.)/g, '$1 ');
  return { kind: 'foreign', what: `an unknown protocol (first bytes ${shown})` };
}
