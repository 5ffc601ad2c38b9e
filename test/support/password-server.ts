import { createHash } from 'node:crypto';
import { property } from '../../src/protocol/index.ts';
import type { ConnectAnswer, FarHabits } from './far-server.ts';

export const SERVER_USER = 'myuser';
export const SERVER_PASSWORD = 'my:p@ss';
const SALT = 'kDGnLQ==';
const CHALLENGE = 'IkEBAA==';
const OPAQUE = 'VCAAAA+=';
const NONCE = 'testnonce';

export type PasswordMode = 'adobe' | 'adobe with opaque' | 'llnw';

const md5 = (text: string, encoding: 'base64' | 'hex'): string => createHash('md5').update(text).digest(encoding);

/** A server that asks for a password as Adobe's Access Manager does, or as Limelight. */
export function passwordHabits(mode: PasswordMode): FarHabits {
  const name = mode === 'llnw' ? 'llnw' : 'adobe';
  const layout = (rest: string): ConnectAnswer => ({ reject: `[ AccessManager.Reject ] : [ ${rest}` });
  return {
    connect(properties) {
      const app = String(property(properties, 'app'));
      const said = new Map(
        (/\?(.*)/.exec(app)?.[1] ?? '')
          .split('&')
          .map((pair) => /^([^=]*)=?(.*)/.exec(pair)!.slice(1, 3) as [string, string]),
      );
      if (!said.has('authmod')) return layout(`code=403 need auth; authmod=${name} ] : `);
      if (said.get('user') !== SERVER_USER) return layout(`authmod=${name} ] : ?reason=nosuchuser`);
      if (!said.has('response')) return layout(`authmod=${name} ] : ${challenge(mode)}`);
      return said.get('response') === expected(mode, app, said) ? {} : layout(`authmod=${name} ] : ?reason=authfailed`);
    },
  };
}

function challenge(mode: PasswordMode): string {
  if (mode === 'llnw') return `?reason=needauth&user=${SERVER_USER}&nonce=${NONCE}`;
  const opaque = mode === 'adobe' ? '' : `&opaque=${OPAQUE}`;
  return `?reason=needauth&user=${SERVER_USER}&salt=${SALT}&challenge=${CHALLENGE}${opaque}`;
}

function expected(mode: PasswordMode, app: string, said: ReadonlyMap<string, string>): string {
  if (mode === 'llnw') {
    const who = md5(`${SERVER_USER}:live:${SERVER_PASSWORD}`, 'hex');
    const what = md5(`publish:/${app.split('?')[0]}/_definst_`, 'hex');
    return md5(`${who}:${NONCE}:${said.get('nc')}:${said.get('cnonce')}:auth:${what}`, 'hex');
  }
  const salted = md5(`${SERVER_USER}${SALT}${SERVER_PASSWORD}`, 'base64');
  return md5(`${salted}${mode === 'adobe' ? CHALLENGE : OPAQUE}${said.get('challenge')}`, 'base64');
}
