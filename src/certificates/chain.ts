import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';

/** A certificate's way up, and what was sent along with it for nothing. */
export interface ChainPath {
  /** The certificate first, then each one's issuer, as far as the others lead. */
  readonly path: readonly [X509Certificate, ...X509Certificate[]];
  readonly superfluous: readonly X509Certificate[];
}

/** Orders certificates by who has signed whom; `leaf` comes first whatever it is. */
export function pathFrom(leaf: X509Certificate, others: readonly X509Certificate[]): ChainPath {
  const path: [X509Certificate, ...X509Certificate[]] = [leaf];
  const rest = new Set(others);
  for (let last: X509Certificate | undefined = leaf; last !== undefined && !isSelfSigned(last);) {
    const child: X509Certificate = last;
    last = [...rest].find((candidate) => isIssuedBy(child, candidate));
    if (last === undefined) break;
    path.push(last);
    rest.delete(last);
  }
  return { path, superfluous: [...rest] };
}

/**
 * Whether `issuer` has signed `certificate`. Node's own `checkIssued` also asks what the issuer's key may be used for,
 * which is another question with another answer for people.
 */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (certificate.issuer !== issuer.subject) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A key or an algorithm that OpenSSL does not know: the names have to do.
    return true;
  }
}

export function isSelfSigned(certificate: X509Certificate): boolean {
  return isIssuedBy(certificate, certificate);
}

let publicRoots: ReadonlyMap<string, readonly X509Certificate[]> | undefined;

/** The public authority's own certificate that has signed this one, from Mozilla's list as Node carries it. */
export function publicIssuerOf(certificate: X509Certificate): X509Certificate | undefined {
  publicRoots ??= bySubject(rootCertificates.map((pem) => new X509Certificate(pem)));
  return publicRoots.get(certificate.issuer)?.find((root) => isIssuedBy(certificate, root));
}

/** The list is looked at for every chain, so it is sorted once. */
function bySubject(certificates: readonly X509Certificate[]): Map<string, X509Certificate[]> {
  const found = new Map<string, X509Certificate[]>();
  for (const certificate of certificates) {
    found.set(certificate.subject, [...(found.get(certificate.subject) ?? []), certificate]);
  }
  return found;
}

/** What people call a certificate or its issuer: the common name, or for want of one the organisation. */
export function shortName(distinguishedName: string): string {
  // Node puts a backslash before what has a meaning in such names.
  const part = (name: string) =>
    new RegExp(`^${name}=(.+)$`, 'm').exec(distinguishedName)?.[1]?.replaceAll(/\\(.)/g, '$1');
  return part('CN') ?? part('O') ?? distinguishedName.replaceAll('\n', ', ');
}
