import type { FirstBytes } from './sniff.ts';

/** What a listener may serve. `web` is the pages and media over HTTP, plain or inside TLS alike. */
export type Protocol = 'rtmp' | 'rtmps' | 'rtmpt' | 'rtmpts' | 'web';

export const ALL_PROTOCOLS: readonly Protocol[] = Object.freeze(['rtmp', 'rtmps', 'rtmpt', 'rtmpts', 'web']);

/** What a door does with a connection once its first bytes are known. */
export type Admission =
  | { readonly to: 'rtmp' }
  | { readonly to: 'tls' }
  | { readonly to: 'http'; readonly tunnel: boolean; readonly web: boolean }
  | { readonly to: 'nobody'; readonly hint: string; readonly kind: FirstBytes['kind'] };

export interface AdmissionRules {
  readonly protocols: readonly Protocol[];
  /** False when there is no certificate to serve TLS with. */
  readonly canTls: boolean;
  /** True where every connection begins with a PROXY header, which has been taken off by now. */
  readonly behindProxy: boolean;
}

const NAMES: Readonly<Record<Protocol, string>> = Object.freeze({
  rtmp: 'RTMP',
  rtmps: 'RTMPS',
  rtmpt: 'RTMPT',
  rtmpts: 'RTMPTS',
  web: 'web pages',
});

/**
 * Decides where a connection goes. `secure` says whether the bytes came out of TLS. A refusal carries one plain
 * sentence for the operator: most of them are a client pointed at the wrong port or with the wrong scheme.
 */
export function admit(first: FirstBytes, secure: boolean, rules: AdmissionRules): Admission {
  const allows = (protocol: Protocol): boolean => rules.protocols.includes(protocol);
  if (first.kind === 'rtmp') return allows(secure ? 'rtmps' : 'rtmp') ? { to: 'rtmp' } : refusal(first, secure, rules);
  if (first.kind === 'http') {
    const tunnel = allows(secure ? 'rtmpts' : 'rtmpt');
    const web = allows('web');
    return tunnel || web ? { to: 'http', tunnel, web } : refusal(first, secure, rules);
  }
  if (first.kind === 'tls' && !secure) return admitTls(first, rules, allows);
  return refusal(first, secure, rules);
}

function admitTls(first: FirstBytes, rules: AdmissionRules, allows: (protocol: Protocol) => boolean): Admission {
  if (!allows('rtmps') && !allows('rtmpts') && !allows('web')) return refusal(first, false, rules);
  if (!rules.canTls)
    return { to: 'nobody', hint: 'client speaks TLS, but there is no certificate to answer with', kind: 'tls' };
  return { to: 'tls' };
}

function refusal(first: FirstBytes, secure: boolean, { protocols, behindProxy }: AdmissionRules): Admission {
  if (first.kind === 'proxy') return { to: 'nobody', hint: proxyHint(secure, behindProxy), kind: first.kind };
  const where = secure ? ' inside TLS' : first.kind === 'rtmp' ? ' without TLS' : '';
  const allowed = protocols.map((protocol) => NAMES[protocol]);
  const list = allowed.length < 2 ? allowed.join('') : `${allowed.slice(0, -1).join(', ')} and ${allowed.at(-1) ?? ''}`;
  const hint = `client speaks ${first.what}${where} on a port that allows only ${list}`;
  return { to: 'nobody', hint, kind: first.kind };
}

function proxyHint(secure: boolean, behindProxy: boolean): string {
  if (secure) return 'a PROXY protocol header came inside TLS: it belongs in front of it';
  if (behindProxy) return 'a second PROXY protocol header came behind the first: only one proxy may send one';
  return 'a PROXY protocol header came to a port that expects none: set proxyProtocol: require for it, or turn it off in the proxy';
}
