import { createPublicKey } from 'node:crypto';
import type { PemPair } from './development.ts';
import { createKey, keyToPem, signingKey, type KeyKind } from './keys.ts';
import { commonNameFor, type SubjectName } from './subject-names.ts';

/** A certificate signing request (PKCS#10, RFC 2986) and the key that it is for, as PEM text. */
export interface SigningRequest {
  readonly request: string;
  readonly key: PemPair['key'];
}

/** Makes a key and asks for a server certificate for these names, of which there is at least one. */
export async function createRequest(names: readonly SubjectName[], kind: KeyKind): Promise<SigningRequest> {
  const x509 = await import('@peculiar/x509');
  const key = await createKey(kind);
  const keys = await signingKey(key);
  if (keys === undefined) throw new TypeError(`no request for a key of the kind ${kind}`);
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonNameFor(names)] }],
    keys,
    signingAlgorithm: keys.algorithm,
    extensions: [
      new x509.KeyUsagesExtension(digitalSignature | (kind === 'rsa' ? keyEncipherment : 0), true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map(({ type, value }) => ({ type, value }))),
    ],
  });
  return { request: `${request.toString('pem').trimEnd()}\n`, key: keyToPem(key) };
}

/** What somebody asks for in a request. */
export interface RequestContents {
  readonly subject: string;
  readonly names: readonly string[];
  /** The key's algorithm and size or curve. */
  readonly key: string;
  /** The request is signed with the key that it names, as it must be. */
  readonly intact: boolean;
}

/** Throws what @peculiar/x509 throws at bytes that are no request. */
export async function readRequest(pem: string): Promise<RequestContents> {
  const x509 = await import('@peculiar/x509');
  const request = new x509.Pkcs10CertificateRequest(pem);
  const names = request.extensions.flatMap((extension) =>
    extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.items : [],
  );
  const der = Buffer.from(request.publicKey.rawData);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey({
    key: der,
    format: 'der',
    type: 'spki',
  });
  return {
    subject: request.subject,
    names: names.map(({ value }) => value),
    key: [type, details?.namedCurve ?? details?.modulusLength].filter(Boolean).join(' '),
    intact: await request.verify(),
  };
}
