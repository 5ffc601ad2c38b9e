import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { isPlainHostName } from './development.ts';
import { normaliseName } from './names.ts';

/** A name that a certificate is for, as a subject alternative name (RFC 5280, 4.2.1.6). */
export interface SubjectName {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

export const SUBJECT_NAME_LIMITS = Object.freeze({
  // What public authorities put into one certificate; each handshake carries them all.
  maxNames: 100,
  // The length that RFC 5280 (appendix A.1, ub-common-name) leaves for a common name.
  commonName: 64,
});

/**
 * Reads a host name, a wildcard for a whole first label, or an address. Undefined for anything else: commas, plus and
 * equals signs above all, which could make another subject of it. Names in other scripts get their ASCII form.
 */
export function readSubjectName(text: string): SubjectName | undefined {
  const address = text.replace(/^\[(.*)\]$/, '$1');
  // A scope (fe80::1%eth0) means something on one machine only.
  if (isIP(address) !== 0) return address.includes('%') ? undefined : { type: 'ip', value: normaliseName(address) };
  const [, wildcard = '', rest = ''] = /^(\*\.)?(.*)$/s.exec(text) ?? [];
  const host = (staysAsItIs(rest) ? rest : domainToASCII(rest)).replace(/\.$/, '');
  // A top-level wildcard is refused by every client, and a last label of digits would be half an address.
  if (!isPlainHostName(host) || (wildcard !== '' && !host.includes('.')) || /(?:^|\.)\d+$/.test(host)) return undefined;
  return { type: 'dns', value: normaliseName(wildcard + host) };
}

/** All in ASCII, or with control characters in it, which the conversion would swallow. */
function staysAsItIs(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text) || /[\p{Cc} ]/u.test(text);
}

/** The common name for a certificate with these names: the first that has room, for old clients' sake. */
export function commonNameFor(names: readonly SubjectName[]): string {
  const fitting = names.find(({ value }) => value.length <= SUBJECT_NAME_LIMITS.commonName);
  return fitting?.value ?? 'rtmp-gateway';
}
