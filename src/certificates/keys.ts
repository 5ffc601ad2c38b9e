import { createPrivateKey, createPublicKey, generateKeyPair, webcrypto, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

/** The kinds of key that we make. P-256 by default: every client since TLS 1.2 knows it, and it costs least. */
export type KeyKind = 'ec' | 'rsa';

/** A key in the form in which @peculiar/x509 signs with it. */
export interface SigningKey {
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicKey: webcrypto.CryptoKey;
  readonly algorithm: { readonly name: string; readonly hash: string };
}

const generate = promisify(generateKeyPair);

export async function createKey(kind: KeyKind): Promise<KeyObject> {
  // 2048 bits: more only slows every handshake down, and old encoders' chips stop there.
  const pair = kind === 'ec' ? generate('ec', { namedCurve: 'P-256' }) : generate('rsa', { modulusLength: 2048 });
  return (await pair).privateKey;
}

/** PKCS#8, as everything since OpenSSL 1.0 reads it. */
export function keyToPem(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

/** Undefined for a kind of key that we do not sign with. Throws what Node throws at a key that it cannot read. */
export async function signingKey(key: KeyObject | string): Promise<SigningKey | undefined> {
  const privateKey = typeof key === 'string' ? createPrivateKey(key) : key;
  const algorithm = algorithmOf(privateKey);
  if (algorithm === undefined) return undefined;
  const publicKey = createPublicKey(privateKey);
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), algorithm, true, [
      'sign',
    ]),
    publicKey: await subtle.importKey('spki', publicKey.export({ type: 'spki', format: 'der' }), algorithm, true, [
      'verify',
    ]),
    algorithm: { name: algorithm.name, hash: algorithm.hash },
  };
}

/** A curve's own size of hash (RFC 5656, 6.2.1), or SHA-256. */
const CURVES: Readonly<Record<string, { readonly namedCurve: string; readonly hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
};

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  if (asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const curve = asymmetricKeyType === 'ec' && CURVES[asymmetricKeyDetails?.namedCurve ?? ''];
  return curve ? { name: 'ECDSA', ...curve } : undefined;
}
