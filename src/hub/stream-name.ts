import { RejectedError } from '../errors.ts';

/** Which stream is meant: application and key, as `streamName` made them. */
export interface StreamName {
  readonly app: string;
  readonly key: string;
}

/** Longest application and longest key, each in bytes of UTF-8: what every file system and most logs take in one piece. */
export const MAX_NAME_BYTES = 255;

/**
 * Longest text that is looked at, in UTF-16 units: Unicode's forms differ by a factor of three at most. Putting a name of
 * 60,000 accents in order takes a second, in which nobody else is served (measured).
 */
const MAX_RAW_LENGTH = 4 * MAX_NAME_BYTES;

/** Letters, marks, digits, punctuation, symbols and the plain space, of any script: no controls, no invisible formatting. */
const ALLOWED = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

/** File types that Flash players put before a stream's name to choose a container; live streams have none. */
const CONTAINER = /^(?:\/|(?:flv|mp4|mp3):)+/;

/**
 * The name behind what a client called application and stream. The query is cut off, the form is Unicode's NFC, slashes at
 * either end and doubled ones go, and so do Flash's `_definst_` instance and `flv:`, `mp4:`, `mp3:`.
 * Throws `RejectedError` BAD_STREAM_NAME for an empty key and for what could not be shown or stored safely.
 */
export function streamName(app: string, name: string): StreamName {
  const place = segments(path(app));
  while (place.at(-1) === '_definst_') place.pop();
  const key = segments(path(name).replace(CONTAINER, ''));
  if (key.length === 0) throw new RejectedError('BAD_STREAM_NAME', 'a stream needs a name');
  return { app: checked(place), key: checked(key) };
}

/**
 * What makes two names the same stream. Clients split an address differently (`live` + `a/b`, or `live/a` + `b`), so it is the
 * whole path that counts.
 */
export function pathOf(name: StreamName): string {
  return name.app === '' ? name.key : `${name.app}/${name.key}`;
}

function path(text: string): string {
  const query = text.indexOf('?');
  const raw = query < 0 ? text : text.slice(0, query);
  if (raw.length > MAX_RAW_LENGTH) throw tooLong();
  return raw.normalize('NFC');
}

function segments(text: string): string[] {
  return text.split('/').filter((segment) => segment !== '');
}

function checked(parts: readonly string[]): string {
  const text = parts.join('/');
  if (Buffer.byteLength(text) > MAX_NAME_BYTES) throw tooLong();
  if (!ALLOWED.test(text) || text.includes('\\') || parts.some((segment) => segment === '.' || segment === '..')) {
    throw new RejectedError('BAD_STREAM_NAME', 'the stream name has characters that are not allowed');
  }
  return text;
}

function tooLong(): RejectedError {
  return new RejectedError('BAD_STREAM_NAME', 'the stream name is too long');
}
