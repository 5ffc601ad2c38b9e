import type { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Certificate } from './certificate.ts';

/**
 * The names a certificate is valid for, lower case: its subject alternative names, or for want of any the common name,
 * which old encoders' own tools still write alone.
 */
export function namesOf(certificate: X509Certificate): string[] {
  const names = (certificate.subjectAltName ?? '')
    .split(', ')
    .flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? [])
    // Node puts a name with odd characters in quotes: no host is called so.
    .filter((name) => !name.startsWith('"'));
  const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
  if (names.length === 0 && common !== undefined) names.push(common);
  return names.map(normaliseName);
}

/**
 * DNS names are the same in any case and with a trailing dot (RFC 4343, RFC 6066 3). IPv6 addresses are written short
 * (RFC 5952): OpenSSL says 0:0:0:0:0:0:0:1.
 */
export function normaliseName(name: string): string {
  if (isIPv6(name)) return new URL(`http://[${name}]`).hostname.slice(1, -1);
  return name.toLowerCase().replace(/\.$/, '');
}

/**
 * Finds the certificates for a name: the exact one, then a wildcard for its first label. There is one for each kind of
 * key; among those of one kind the earlier ones win.
 */
export class NameIndex {
  readonly #byName = new Map<string, Certificate[]>();

  constructor(certificates: readonly Certificate[]) {
    for (const certificate of certificates) for (const name of certificate.names) this.#add(name, certificate);
  }

  /** The same list every time, for the same name. */
  find(serverName: string): readonly Certificate[] | undefined {
    const name = normaliseName(serverName);
    const dot = name.indexOf('.');
    // A wildcard covers one whole label and never none (RFC 9525, 6.3).
    const wildcard = dot > 0 ? this.#byName.get(`*${name.slice(dot)}`) : undefined;
    return this.#byName.get(name) ?? wildcard;
  }

  #add(name: string, certificate: Certificate): void {
    const known = this.#byName.get(name);
    if (known === undefined) this.#byName.set(name, [certificate]);
    else if (known.every(({ keyType }) => keyType !== certificate.keyType)) known.push(certificate);
  }
}
