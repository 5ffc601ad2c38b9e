import type { X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';

/** How a certificate is signed, as far as it is known. */
export interface Signature {
  /** `RSA`, `RSA-PSS`, `ECDSA`, `Ed25519`, or the algorithm's object identifier. */
  readonly algorithm: string;
  /** `SHA-256`; undefined where the algorithm brings its own. */
  readonly hash?: string;
}

/** As the Web Cryptography API has it. */
interface SignatureAlgorithm {
  readonly name: string;
  readonly hash?: { readonly name: string };
}

const require = createRequire(import.meta.url);

/**
 * Node tells a certificate's signature algorithm only from version 24.9 on, so @peculiar/x509 reads it. Loading that
 * takes a tenth of a second, hence only when somebody asks; and not by `import()`, for those who ask cannot wait.
 */
export function signatureOf(certificate: X509Certificate): Signature {
  const { X509Certificate: Reader } = require('@peculiar/x509') as typeof import('@peculiar/x509');
  const { name, hash } = new Reader(certificate.raw).signatureAlgorithm as unknown as SignatureAlgorithm;
  if (Object.hasOwn(BROKEN, name)) return BROKEN[name] as Signature;
  const algorithm = name === 'RSASSA-PKCS1-v1_5' ? 'RSA' : name;
  return { algorithm, ...(hash !== undefined && { hash: hash.name }) };
}

/** Algorithms that the package has no names for. */
const BROKEN: Readonly<Record<string, Signature>> = {
  '1.2.840.113549.1.1.2': { algorithm: 'RSA', hash: 'MD2' },
  '1.2.840.113549.1.1.3': { algorithm: 'RSA', hash: 'MD4' },
  '1.2.840.113549.1.1.4': { algorithm: 'RSA', hash: 'MD5' },
  '1.2.840.10040.4.3': { algorithm: 'DSA', hash: 'SHA-1' },
};

/**
 * Identifiers that stand in every certificate with a signature that might be weak: RSA with MD2, MD4, MD5 and SHA-1,
 * RSA-PSS (whose hash is a parameter), ECDSA and DSA with SHA-1.
 */
const SUSPICIOUS: readonly Buffer[] = [
  ...['02', '03', '04', '05', '0a'].map((last) => Buffer.from(`06092a864886f70d0101${last}`, 'hex')),
  Buffer.from('06072a8648ce3d0401', 'hex'),
  Buffer.from('06072a8648ce380403', 'hex'),
];

/**
 * The hash of a weak signature; undefined for a sound one. Certificates in which none of the identifiers occurs, which
 * are nearly all, never reach the reader: this runs at every start.
 */
export function weakHashOf(certificate: X509Certificate): string | undefined {
  if (!SUSPICIOUS.some((identifier) => certificate.raw.includes(identifier))) return undefined;
  const { hash } = signatureOf(certificate);
  return hash !== undefined && /^(?:SHA-1|MD[245])$/.test(hash) ? hash : undefined;
}
