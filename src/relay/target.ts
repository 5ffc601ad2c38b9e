import { ConfigError } from '../errors.ts';
import type { StreamName } from '../hub/index.ts';
import { redactKey } from '../log.ts';
import { parseTarget } from '../transport/index.ts';

/** Where one stream goes to or comes from: what to dial and what to say there. */
export interface Target {
  /** For the dialer, which looks at scheme, host and port only. */
  readonly dial: string;
  readonly app: string;
  readonly tcUrl: string;
  readonly key: string;
  /** Safe to show. */
  readonly shown: string;
}

/** A target with places left open for the stream's names. */
export interface TargetTemplate {
  fill(name: StreamName): Target;
  /** Safe to show. */
  readonly shown: string;
}

const PARTS = /^(rtmp[ts]?|rtmpts):\/\/([^/?#]*)(?:\/(.*))?$/is;
const OPEN_PLACE = /\{([^{}]*)\}/g;
const PLACES = ['app', 'stream'];

/**
 * Reads a URL with `{app}` and `{stream}` in it. Nothing is decoded, encoded or put in order: application and key go to the
 * server byte for byte as they stand here. The last slash before any `?` divides them, so a query belongs to the key; where
 * that is not what a server wants, `key` is given apart, and the whole path, query included, is the application.
 * Throws `ConfigError` BAD_URL, which never repeats the URL.
 */
export function targetTemplate(url: string, key?: string): TargetTemplate {
  const [, scheme = '', authority = '', path = ''] = PARTS.exec(url) ?? [];
  if (/[{}]/.test(authority)) throw bad('the host cannot depend on the stream');
  if (authority.includes('@')) throw bad('user names are not supported; most servers take the key for a password');
  const dial = `${scheme}://${authority}`;
  parseTarget(dial);
  for (const [, place = ''] of `${path}${key ?? ''}`.matchAll(OPEN_PLACE)) {
    if (!PLACES.includes(place)) throw bad(`{${place}} stands for nothing; {app} and {stream} do`);
  }
  const [app, name] = key === undefined ? divide(path) : [path, key];
  if (name === '') throw bad('no stream is named: write rtmp://HOST/APP/STREAM');
  return {
    shown: show(dial, app, name.replace(/\?.*/s, '?').replace(/[^{}?]+(?![^{]*\})/g, redactKey)),
    fill: (stream) => {
      const [filledApp, filledName] = [fill(app, stream), fill(name, stream)];
      const shown = show(dial, filledApp, redactKey(filledName.replace(/\?.*/s, '?')));
      return { dial, app: filledApp, tcUrl: `${dial}/${filledApp}`, key: filledName, shown };
    },
  };
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
