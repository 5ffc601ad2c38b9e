import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIssuedBy, shortName } from './chain.ts';
import type { PemPair } from './development.ts';
import { DEVELOPMENT_AUTHORITY, FINDING_LIMITS } from './findings.ts';
import { bad } from './inspect.ts';
import { createKey, keyToPem, signingKey, type KeyKind, type SigningKey } from './keys.ts';
import type { SubjectName } from './subject-names.ts';

export const AUTHORITY_DEFAULTS = Object.freeze({
  // Installing a CA on phones and machines is the work; ten years, as mkcert's.
  authorityDays: 3650,
  // A day below what Apple's and Google's programs take, since we date a day back.
  serverDays: FINDING_LIMITS.publicDays - 2,
  // Encoders hang on walls: two years, for nothing is more annoying than a visit to each.
  clientDays: 730,
});

export interface AuthorityOptions {
  readonly kind: KeyKind;
  /** Of the machine that makes it: people will find it in a list among others. */
  readonly hostName: string;
  readonly now: Date;
}

export interface IssueOptions {
  readonly purpose: 'server' | 'client';
  /** Checked by the caller; put in as it is, whatever characters it has. */
  readonly commonName: string;
  readonly names: readonly SubjectName[];
  readonly kind: KeyKind;
  readonly now: Date;
  readonly days?: number;
}

const DAY_MS = 86_400_000;

/** Makes a small CA: it signs servers and clients, and no further CAs. */
export async function createAuthority({ kind, hostName, now }: AuthorityOptions): Promise<PemPair> {
  const x509 = await import('@peculiar/x509');
  const key = await createKey(kind);
  const keys = await known(key, 'the new key');
  // The date tells one CA from its successor.
  const name = `${DEVELOPMENT_AUTHORITY} (${hostName} ${now.toISOString().slice(0, 10)})`;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name.slice(0, 64)] }, { O: ['rtmp-gateway'] }],
    notBefore: yesterday(now),
    notAfter: new Date(now.getTime() + AUTHORITY_DEFAULTS.authorityDays * DAY_MS),
    signingAlgorithm: keys.algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pem(certificate), key: keyToPem(key) };
}

/**
 * Makes a key and a certificate for it, signed by `authority`; what comes back holds the CA's certificate behind it. It
 * never outlives the CA. Throws `ConfigError` when the CA's key is of no use.
 */
export async function issue(authority: PemPair, options: IssueOptions): Promise<PemPair> {
  const { purpose, commonName, names, now } = options;
  const x509 = await import('@peculiar/x509');
  const signer = await known(authority.key, "the CA's key");
  const issuer = new x509.X509Certificate(authority.cert);
  const key = await createKey(options.kind);
  const { publicKey } = await known(key, 'the new key');
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const altNames = names.map(({ type, value }) => ({ type, value }));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }],
    issuer: issuer.subjectName,
    notBefore: yesterday(now),
    notAfter: endOf(options, issuer.notAfter),
    signingAlgorithm: signer.algorithm,
    publicKey,
    signingKey: signer.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      // RSA keys also decrypt, in the oldest ciphers of TLS 1.2.
      new x509.KeyUsagesExtension(digitalSignature | (options.kind === 'rsa' ? keyEncipherment : 0), true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[`${purpose}Auth`]]),
      ...(altNames.length > 0 ? [new x509.SubjectAlternativeNameExtension(altNames)] : []),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { cert: pem(certificate) + pem(issuer), key: keyToPem(key) };
}

/** True when a certificate comes from a CA of ours, this one or an earlier one. */
export function isOurs(cert: string): boolean {
  try {
    return shortName(new X509Certificate(cert).issuer).startsWith(DEVELOPMENT_AUTHORITY);
  } catch {
    return false;
  }
}

/** Why a pair cannot serve as a CA; undefined when it can. */
export function authorityFault({ cert, key }: PemPair, now: Date): string | undefined {
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.ca) return 'its certificate is not that of a CA';
    if (!isIssuedBy(certificate, certificate)) return 'it is signed by another one';
    if (new Date(certificate.validTo) <= now) return 'it has expired';
    return certificate.checkPrivateKey(createPrivateKey(key)) ? undefined : 'its key belongs to another one';
  } catch {
    return 'its files are damaged';
  }
}

async function known(key: Parameters<typeof signingKey>[0], what: string): Promise<SigningKey> {
  const found = await signingKey(key);
  if (found === undefined) throw bad(`${what} is of a kind that this command cannot sign with`, 'use RSA or P-256');
  return found;
}

/** The clocks of encoders in the same room are rarely the same. */
function yesterday(now: Date): Date {
  return new Date(now.getTime() - DAY_MS);
}

function endOf({ purpose, now, days = AUTHORITY_DEFAULTS[`${purpose}Days`] }: IssueOptions, last: Date): Date {
  return new Date(Math.min(now.getTime() + days * DAY_MS, last.getTime()));
}

function pem(certificate: { toString(format: 'pem'): string }): string {
  return `${certificate.toString('pem').trimEnd()}\n`;
}
