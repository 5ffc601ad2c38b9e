import { createHash, createPrivateKey, createPublicKey, webcrypto, X509Certificate, type KeyObject } from 'node:crypto';
import type forge from 'node-forge';
import type * as pkijs from 'pkijs';
import { bad } from './inspect.ts';

type Forge = typeof forge;
type ForgeCertificate = forge.pki.Certificate;

/** What goes into a PKCS#12 file (RFC 7292). */
export interface Pkcs12Contents {
  /** The key's own certificate first, then its issuers. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** PEM, not encrypted. */
  readonly key: string;
  /** What lists of certificates show. */
  readonly name: string;
  readonly passphrase: string;
}

export const EXPORT_DEFAULTS = Object.freeze({
  // As OpenSSL 3; more would only slow down who knows the passphrase: one of ours cannot be guessed.
  iterations: 2048,
});

const OIDS = { keyBag: '1.2.840.113549.1.12.10.1.2', certBag: '1.2.840.113549.1.12.10.1.3' } as const;
const ATTRIBUTES = { friendlyName: '1.2.840.113549.1.9.20', localKeyId: '1.2.840.113549.1.9.21' } as const;
/** AES-256 with PBKDF2 and HMAC-SHA-256 (PBES2, RFC 8018), as OpenSSL 3, Windows 10 and Java write it today. */
const CIPHER = {
  contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 },
  hmacHashAlgorithm: 'SHA-256',
  iterationCount: EXPORT_DEFAULTS.iterations,
} as const;

/**
 * Writes a modern PKCS#12 file, for any kind of key that Node reads: Windows 10 and Server 2019, Java 8u301, OpenSSL 1.0
 * and newer open it. Throws `ConfigError` for a passphrase that programs spell differently.
 */
export async function writePkcs12({ chain, key, name, passphrase }: Pkcs12Contents): Promise<Buffer> {
  checkPassphrase(passphrase);
  const [pkijs, { BmpString, OctetString }] = await Promise.all([import('pkijs'), import('asn1js')]);
  const engine = await createEngine();
  const password = bytes(Buffer.from(passphrase));
  const privateKey = createPrivateKey(key);
  const attributes = [
    new pkijs.Attribute({ type: ATTRIBUTES.friendlyName, values: [new BmpString({ value: name })] }),
    // Ties the key to its certificate.
    new pkijs.Attribute({ type: ATTRIBUTES.localKeyId, values: [new OctetString({ valueHex: keyId(privateKey) })] }),
  ];
  const parsedValue = pkijs.PrivateKeyInfo.fromBER(bytes(privateKey.export({ type: 'pkcs8', format: 'der' })));
  const keyBag = new pkijs.PKCS8ShroudedKeyBag({ parsedValue });
  await keyBag.makeInternalValues({ password, ...CIPHER }, engine);
  const certBags = chain.map((certificate, index) => {
    const bagValue = new pkijs.CertBag({ parsedValue: pkijs.Certificate.fromBER(bytes(certificate.raw)) });
    return new pkijs.SafeBag({ bagId: OIDS.certBag, bagValue, ...(index === 0 && { bagAttributes: attributes }) });
  });
  const keyBags = [new pkijs.SafeBag({ bagId: OIDS.keyBag, bagValue: keyBag, bagAttributes: attributes })];
  const safe = new pkijs.AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        { privacyMode: 0, value: new pkijs.SafeContents({ safeBags: keyBags }) },
        { privacyMode: 1, value: new pkijs.SafeContents({ safeBags: certBags }) },
      ],
    },
  });
  await safe.makeInternalValues({ safeContents: [{}, { password, ...CIPHER }] }, engine);
  const pfx = new pkijs.PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } });
  const integrity = { pbkdf2HashAlgorithm: 'SHA-256', hmacHashAlgorithm: 'SHA-256' };
  await pfx.makeInternalValues({ password, iterations: EXPORT_DEFAULTS.iterations, ...integrity }, engine);
  return Buffer.from(pfx.toSchema().toBER());
}

/**
 * Node's cryptography for pkijs. What it encrypts comes in one piece and with its length in front: node-forge, for one,
 * does not read the pieces of a key, into which pkijs cuts it.
 */
async function createEngine() {
  const [pkijs, { OctetString }] = await Promise.all([import('pkijs'), import('asn1js')]);
  class WholeEngine extends pkijs.CryptoEngine {
    override async encryptEncryptedContentInfo(options: pkijs.CryptoEngineEncryptParams) {
      const { contentType, contentEncryptionAlgorithm, ...made } = await super.encryptEncryptedContentInfo(options);
      const encryptedContent = new OctetString({ valueHex: made.encryptedContent?.getValue() ?? new ArrayBuffer(0) });
      const parts = { contentType, contentEncryptionAlgorithm, encryptedContent, disableSplit: true };
      return new pkijs.EncryptedContentInfo(parts);
    }
  }
  return new WholeEngine({ name: 'node', crypto: webcrypto as never });
}

/**
 * The old form, triple DES and SHA-1, for what cannot read the modern one: Windows before 10, and the keychains of older
 * Macs and phones. node-forge writes it, which knows nothing but RSA: throws `ConfigError` for other keys, and for an RSA
 * key whose certificate an elliptic CA has signed.
 */
export async function writeLegacyPkcs12({ chain, key, name, passphrase }: Pkcs12Contents): Promise<Buffer> {
  checkPassphrase(passphrase);
  const privateKey = createPrivateKey(key);
  if (privateKey.asymmetricKeyType !== 'rsa') throw onlyRsa('the key is of another kind');
  const { default: forge } = await import('node-forge');
  const [leaf, ...issuers] = chain.map((certificate) => forgeCertificate(certificate, forge));
  if (leaf === undefined) throw onlyRsa('the certificate is signed by an authority of another kind');
  const asn1 = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(String(privateKey.export({ type: 'pkcs1', format: 'pem' }))),
    [leaf, ...issuers.filter((issuer) => issuer !== undefined)],
    passphrase,
    { algorithm: '3des', friendlyName: name, count: EXPORT_DEFAULTS.iterations, generateLocalKeyId: true },
  );
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary');
}

/** Undefined for one that node-forge does not read, or would write down otherwise: its signature would no longer fit. */
function forgeCertificate(certificate: X509Certificate, { pki, asn1 }: Forge): ForgeCertificate | undefined {
  if (certificate.publicKey.asymmetricKeyType !== 'rsa') return undefined;
  const read = pki.certificateFromPem(certificate.toString());
  const written = Buffer.from(asn1.toDer(pki.certificateToAsn1(read)).getBytes(), 'binary');
  return written.equals(certificate.raw) ? read : undefined;
}

function onlyRsa(reason: string): Error {
  return bad(
    `the legacy form of PKCS#12 can be written for RSA only, and ${reason}`,
    'leave --legacy out, or use an RSA key under an RSA authority ("certs init --key rsa" makes both in a new directory)',
  );
}

/** PKCS#12 spells passphrases in UTF-16 here and in UTF-8 there, and programs disagree on where. */
function checkPassphrase(passphrase: string): void {
  if (!/^[\x20-\x7e]+$/.test(passphrase))
    throw bad('that passphrase would not open the file in every program', 'use letters, digits and signs of ASCII');
}

function keyId(key: KeyObject): ArrayBuffer {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return bytes(createHash('sha1').update(der).digest());
}

/** What these packages take: nothing but the bytes, in memory of their own. */
function bytes(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
