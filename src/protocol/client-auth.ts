import { createHash } from 'node:crypto';

/*
 * Theory of operation
 *
 * Adobe's (and Limelight's) way of asking a publisher for a password hides in the words of refused connects; each round is a
 * connection of its own (rtmp-core, 5.5; librtmp, FFmpeg and GStreamer do the same):
 *
 *     1.  app                                             ->  Rejected: … code=403 need auth; authmod=adobe …
 *     2.  app?authmod=adobe&user=U                        ->  Rejected: … ?reason=needauth&user=U&salt=S&challenge=C[&opaque=O]
 *     3.  app?authmod=adobe&user=U&challenge=C2&response=R  ->  accepted, or Rejected: … ?reason=authfailed
 *
 * R is base64(md5(base64(md5(U + S + password)) + (O or C) + C2)). Limelight's (llnw) sends a nonce and wants the digest of
 * HTTP (RFC 2617) over it. Nothing in these queries is percent-encoded.
 */

export interface ClientCredentials {
  readonly user: string;
  readonly password: string;
}

/** What a refusal asks for: the query to connect with next, or why there is no use in it. */
export type AuthStep =
  | { readonly type: 'ask'; readonly query: string }
  | { readonly type: 'refused'; readonly reason: string }
  /** It wants a user and a password, and there is none. */
  | { readonly type: 'needed' };

/** What is answered to: no server's salt or challenge is longer. */
const MAX_VALUE = 255;
/** Descriptions are looked at so far. */
const MAX_DESCRIPTION = 4096;

/**
 * Reads the description of a refused connect; undefined if it is not about a password. `app`: without what earlier rounds
 * added to it. `random`: so many bytes that nobody can foresee.
 */
export function authStep(
  description: string,
  app: string,
  credentials: ClientCredentials | undefined,
  random: (bytes: number) => Buffer,
): AuthStep | undefined {
  const text = description.slice(0, MAX_DESCRIPTION);
  const [, mode] = /authmod=(adobe|llnw)/.exec(text) ?? [];
  const fields = fieldsOf(text);
  const reason = fields.get('reason');
  // A server that refuses for another reason may repeat what we said.
  if (reason === undefined && (mode === undefined || !/code=403|need auth/.test(text))) return undefined;
  if (credentials === undefined) return { type: 'needed' };
  if (reason === undefined) return { type: 'ask', query: `authmod=${mode}&user=${credentials.user}` };
  if (reason !== 'needauth') return { type: 'refused', reason };
  const nonce = random(4).toString('hex');
  const query = fields.has('nonce')
    ? llnwQuery(fields.get('nonce')!, app, credentials, nonce)
    : adobeQuery(fields, credentials, nonce);
  return query === undefined ? { type: 'refused', reason: 'no challenge' } : { type: 'ask', query };
}

/** A query behind an application or its URL. */
export function withQuery(text: string, query: string): string {
  return query === '' ? text : `${text}${text.includes('?') ? '&' : '?'}${query}`;
}

function adobeQuery(
  fields: ReadonlyMap<string, string>,
  { user, password }: ClientCredentials,
  challenge: string,
): string | undefined {
  const [salt, theirs, opaque] = [fields.get('salt'), fields.get('challenge'), fields.get('opaque')];
  if (salt === undefined || (theirs ?? opaque) === undefined) return undefined;
  const salted = md5(`${user}${salt}${password}`, 'base64');
  const response = md5(`${salted}${opaque ?? theirs}${challenge}`, 'base64');
  const query = `authmod=adobe&user=${user}&challenge=${challenge}&response=${response}`;
  return opaque === undefined ? query : `${query}&opaque=${opaque}`;
}

/** As librtmp does it: the realm is "live", the method "publish", and an application without an instance has the default one. */
function llnwQuery(nonce: string, app: string, { user, password }: ClientCredentials, cnonce: string): string {
  const [name = ''] = app.split('?');
  const place = name.includes('/') ? name : `${name}/_definst_`;
  const [who, what, count] = [md5(`${user}:live:${password}`, 'hex'), md5(`publish:/${place}`, 'hex'), '00000001'];
  const response = md5(`${who}:${nonce}:${count}:${cnonce}:auth:${what}`, 'hex');
  return `authmod=llnw&user=${user}&nonce=${nonce}&cnonce=${cnonce}&nc=${count}&response=${response}`;
}

function md5(text: string, encoding: 'base64' | 'hex'): string {
  return createHash('md5').update(text, 'utf8').digest(encoding);
}

/** Names and values behind the last question mark; base64 may have "=" in it, and nothing is decoded. */
function fieldsOf(text: string): Map<string, string> {
  const start = text.lastIndexOf('?');
  const [query = ''] = start < 0 ? [] : text.slice(start + 1).split(/[\s\]]/, 1);
  const pairs = query.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
  });
  return new Map(
    pairs.filter(([name, value]) => name !== '' && /^[\x21-\x7e]+$/.test(value) && value.length <= MAX_VALUE),
  );
}
