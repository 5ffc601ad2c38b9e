import * as x509 from '@peculiar/x509';
import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';

/** A certificate with whatever is wrong with it that a test asks for. */
export interface Wanted {
  /** The common name; none at all when null. */
  readonly name?: string | null;
  /** Subject alternative names that are host names; none when empty. */
  readonly names?: readonly string[];
  /** Itself when left out. */
  readonly issuer?: MadeCertificate;
  readonly ca?: boolean;
  readonly usages?: readonly ('serverAuth' | 'clientAuth')[];
  readonly hash?: 'SHA-1' | 'SHA-256';
  readonly key?: 'P-256' | 'P-521' | 'RSA-1024' | 'RSA-2048';
  /** Days from `MADE_AT`. */
  readonly from?: number;
  readonly to?: number;
  /** Where the issuer's certificate is to be had. */
  readonly issuerUrl?: string;
  /** In an extension that nobody knows. */
  readonly extra?: Buffer;
}

export interface MadeCertificate {
  readonly certificate: X509Certificate;
  readonly cert: string;
  readonly key: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly algorithm: { readonly name: string; readonly hash: string };
}

export const MADE_AT = new Date('2026-03-01T12:00:00Z');

const DAY_MS = 86_400_000;

export async function makeCertificate(wanted: Wanted = {}): Promise<MadeCertificate> {
  const { name = 'live.example', names = ['live.example'], key = 'P-256', hash = 'SHA-256', issuer } = wanted;
  const keys = await makeKeys(key, hash);
  const algorithm = { name: key.startsWith('RSA') ? 'RSASSA-PKCS1-v1_5' : 'ECDSA', hash };
  const made = await x509.X509CertificateGenerator.create({
    subject: name === null ? [{ O: ['Nobody'] }] : [{ CN: [name] }],
    issuer: issuer
      ? new x509.X509Certificate(issuer.cert).subjectName
      : name === null
        ? [{ O: ['Nobody'] }]
        : [{ CN: [name] }],
    notBefore: daysFrom(wanted.from ?? -10),
    notAfter: daysFrom(wanted.to ?? 80),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: { ...(issuer?.algorithm ?? algorithm), hash },
    extensions: extensionsOf(wanted, names),
  });
  const cert = `${made.toString('pem')}\n`;
  const pem = String(KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }));
  return { certificate: new X509Certificate(cert), cert, key: pem, keys, algorithm };
}

/** A root, an intermediate that it has signed, and a server's certificate that the intermediate has. */
export async function makeChain(leaf: Wanted = {}) {
  const root = await makeCertificate({ name: 'Root', names: [], ca: true });
  const intermediate = await makeCertificate({ name: 'Intermediate', names: [], ca: true, issuer: root });
  const server = await makeCertificate({ usages: ['serverAuth'], issuer: intermediate, ...leaf });
  return { root, intermediate, server };
}

function extensionsOf({ ca = false, usages, issuerUrl, extra }: Wanted, names: readonly string[]): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(ca, undefined, true),
    ...(usages ? [new x509.ExtendedKeyUsageExtension(usages.map((usage) => x509.ExtendedKeyUsage[usage]))] : []),
    ...(names.length > 0
      ? [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))]
      : []),
    ...(extra ? [new x509.Extension('1.3.6.1.4.1.32473.1', false, new Uint8Array(extra))] : []),
    ...(issuerUrl !== undefined ? [new x509.AuthorityInfoAccessExtension({ caIssuers: [issuerUrl] })] : []),
  ];
}

function makeKeys(key: NonNullable<Wanted['key']>, hash: string): Promise<webcrypto.CryptoKeyPair> {
  const algorithm = key.startsWith('RSA')
    ? {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: Number(key.slice(4)),
        publicExponent: new Uint8Array([1, 0, 1]),
        hash,
      }
    : { name: 'ECDSA', namedCurve: key };
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function daysFrom(days: number): Date {
  return new Date(MADE_AT.getTime() + days * DAY_MS);
}
