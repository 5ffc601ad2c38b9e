import { ConfigError } from '../errors.ts';
import type { StreamName } from '../hub/index.ts';
import { redactKey } from '../log.ts';
import { credentialsFault, parseTarget, readUserinfo, type Credentials } from '../transport/index.ts';
import { withoutSecrets } from './secrets.ts';

/** Where one stream goes to or comes from: what to dial and what to say there. */
export interface Target {
  /** For the dialer, which looks at scheme, host and port only. */
  readonly dial: string;
  readonly app: string;
  readonly tcUrl: string;
  readonly key: string;
  /** By which the server knows us, if it asks. */
  readonly credentials: Credentials | undefined;
  /** Safe to show. */
  readonly shown: string;
}

/** A target with places left open for the stream's names. */
export interface TargetTemplate {
  fill(name: StreamName): Target;
  /** Scheme, host and port. */
  readonly dial: string;
  /** Safe to show. */
  readonly shown: string;
}

const PARTS = /^(rtmp[ts]?|rtmpts):\/\/([^/?#]*)(?:\/(.*))?$/is;
const OPEN_PLACE = /\{([^{}]*)\}/g;
const PLACES = ['app', 'stream'];

/** What a server may name as a place: as long as any program's addresses, and nothing that steers a terminal. */
const NAMEABLE = /^\P{Cc}{1,2048}$/u;

/**
 * Reads a URL with `{app}` and `{stream}` in it. Nothing is decoded, encoded or put in order: application and key go to the
 * server byte for byte as they stand here. The last slash before any `?` divides them, so a query belongs to the key; where
 * that is not what a server wants, `key` is given apart, and the whole path, query included, is the application. A user and a
 * password may stand before the host, percent-encoded; they are no part of what the server is told, unless it asks.
 * Throws `ConfigError` BAD_URL, which never repeats the URL.
 */
export function targetTemplate(url: string, key?: string, given?: Credentials): TargetTemplate {
  const [, scheme = '', written = '', path = ''] = PARTS.exec(url) ?? [];
  const at = written.lastIndexOf('@');
  const authority = written.slice(at + 1);
  if (/[{}]/.test(authority)) throw bad('the host cannot depend on the stream');
  const credentials = credentialsOf(at < 0 ? undefined : written.slice(0, at), given);
  const dial = `${scheme}://${authority}`;
  parseTarget(dial);
  for (const [, place = ''] of `${path}${key ?? ''}`.matchAll(OPEN_PLACE)) {
    if (!PLACES.includes(place)) throw bad(`{${place}} stands for nothing; {app} and {stream} do`);
  }
  const [app, name] = key === undefined ? divide(path) : [path, key];
  if (name === '') throw bad('no stream is named: write rtmp://HOST/APP/STREAM');
  return {
    dial,
    shown: show(dial, app, name.replace(/\?.*/s, '?').replace(/[^{}?]+(?![^{]*\})/g, redactKey)),
    fill: (stream) => {
      const [filledApp, filledName] = [fill(app, stream), fill(name, stream)];
      const shown = show(dial, filledApp, redactKey(filledName.replace(/\?.*/s, '?')));
      return { dial, app: filledApp, tcUrl: `${dial}/${filledApp}`, key: filledName, credentials, shown };
    },
  };
}

/**
 * The same stream at a place that a server named: an absolute URL, `//HOST/APP` or `/APP`, relative to where it is; none for
 * the same again. Throws `ConfigError` BAD_URL for what is no place of RTMP's.
 */
export function movedTarget(target: Target, tcUrl: string | undefined): Target {
  const [, scheme = ''] = PARTS.exec(target.tcUrl) ?? [];
  const absolute =
    tcUrl === undefined || tcUrl === ''
      ? target.tcUrl
      : tcUrl.startsWith('//')
        ? `${scheme}:${tcUrl}`
        : tcUrl.startsWith('/')
          ? `${target.dial}${tcUrl}`
          : tcUrl;
  if (!NAMEABLE.test(absolute)) throw bad('no address is so long, or has such characters');
  const [, newScheme = '', authority = '', app = ''] = PARTS.exec(absolute) ?? [];
  if (authority.includes('@')) throw bad('a server may not tell us who we are');
  const dial = `${newScheme}://${authority}`;
  parseTarget(dial);
  const { key, credentials } = target;
  // The server may name the key in its address.
  const shown = withoutSecrets(show(dial, app, redactKey(key.replace(/\?.*/s, '?'))), [target]);
  return { dial, app, tcUrl: absolute, key, credentials, shown };
}

/** From the URL or from beside it. What would end a user's name where it is said stands in nobody's. */
function credentialsOf(userinfo: string | undefined, given: Credentials | undefined): Credentials | undefined {
  const read = userinfo === undefined ? given : readUserinfo(userinfo);
  if (userinfo !== undefined && given !== undefined) throw bad('user and password are there twice');
  const fault = typeof read === 'object' ? credentialsFault(read) : read;
  if (fault !== undefined) throw bad(fault);
  if (typeof read === 'object' && /[&?#\s]/.test(read.user)) throw bad('a user has no & ? # and no spaces in its name');
  return typeof read === 'object' ? read : undefined;
}

/** Of a query nobody sees more than that there is one. */
function show(dial: string, app: string, name: string): string {
  return `${dial}/${app.replace(/\?.*/s, '?…')}/${name.replace('?', '?…')}`;
}

function divide(path: string): [app: string, key: string] {
  const query = path.indexOf('?');
  const slash = path.lastIndexOf('/', query < 0 ? path.length : query);
  return slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash + 1)];
}

/** Once, and never in what was put in: a stream may be called `{app}`. */
function fill(template: string, { app, key }: StreamName): string {
  return template.replace(OPEN_PLACE, (_, place: string) => (place === 'app' ? app : key));
}

function bad(reason: string): ConfigError {
  return new ConfigError('BAD_URL', reason);
}
