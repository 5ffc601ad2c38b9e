import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { LimitError } from '../errors.ts';
import type { Certificate } from './certificate.ts';
import type { PemPair } from './development.ts';
import { bad, fromPem, fromPfx } from './inspect.ts';

export const PKCS12_LIMITS = Object.freeze({
  // A chain with its key takes a few KiB. node-forge has had endless loops on crafted input, so nothing huge goes in.
  maxBytes: 1024 * 1024,
});

const { oids } = forge.pki;

/**
 * Opens a PKCS#12 file: modern ones by Node itself, those encrypted with RC2 or triple DES (Windows, old Java and
 * macOS exports), which OpenSSL 3 no longer reads, by way of node-forge. Throws `ConfigError`.
 */
export function openPkcs12(path: string, pfx: Buffer, passphrase: string | undefined): Certificate {
  if (pfx.length > PKCS12_LIMITS.maxBytes) throw tooLarge(path);
  try {
    return fromPfx(path, pfx, passphrase);
  } catch (cause) {
    if (isWrongPassword(cause)) throw wrongPassword(path, passphrase, cause);
    if (!isLegacy(cause)) throw unreadable(path, cause);
  }
  const pair = convertLegacy(path, pfx, passphrase);
  return fromPem({ certPath: path, keyPath: path, ...pair });
}

/** Takes key and certificates out of a legacy file. */
function convertLegacy(path: string, pfx: Buffer, passphrase: string | undefined): PemPair {
  const content = decrypt(path, pfx, passphrase);
  const bagsOf = (type = ''): forge.pkcs12.Bag[] => content.getBags({ bagType: type })[type] ?? [];
  const [keyBag] = [...bagsOf(oids.pkcs8ShroudedKeyBag), ...bagsOf(oids.keyBag)];
  const certificates = bagsOf(oids.certBag).map(readCertificate);
  if (keyBag === undefined || certificates.length === 0) {
    throw bad(`${path} does not hold both a key and its certificate`, EXPORT_AGAIN);
  }
  const key = readKey(keyBag);
  // Bags come in any order; TLS wants the key's own certificate first.
  const leaves = certificates.filter((certificate) => certificate.checkPrivateKey(key));
  const issuers = certificates.filter((certificate) => !leaves.includes(certificate));
  const cert = [...leaves, ...issuers].map(String).join('');
  return { cert, key: String(key.export({ type: 'pkcs8', format: 'pem' })) };
}

/** node-forge knows only RSA; what else it decrypts it leaves as ASN.1, which Node can read. */
function readKey({ key, asn1 }: forge.pkcs12.Bag): KeyObject {
  if (key) return createPrivateKey(forge.pki.privateKeyToPem(key));
  return createPrivateKey({ key: toDer(asn1), format: 'der', type: 'pkcs8' });
}

function readCertificate({ cert, asn1 }: forge.pkcs12.Bag): X509Certificate {
  return new X509Certificate(cert ? forge.pki.certificateToPem(cert) : toDer(asn1));
}

function toDer(asn1: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary');
}

function decrypt(path: string, pfx: Buffer, passphrase: string | undefined): forge.pkcs12.Pkcs12Pfx {
  try {
    return forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(pfx.toString('binary')), false, passphrase ?? '');
  } catch (cause) {
    throw isWrongPassword(cause) ? wrongPassword(path, passphrase, cause) : unreadable(path, cause);
  }
}

const EXPORT_AGAIN = 'export it again with a current tool, or convert it to PEM';

/** Node (OpenSSL) and node-forge each have their own words for it. */
function isWrongPassword(cause: unknown): boolean {
  return cause instanceof Error && /mac verify failure|MAC could not be verified|Invalid password/i.test(cause.message);
}

function isLegacy(cause: unknown): boolean {
  return cause instanceof Error && (cause as NodeJS.ErrnoException).code === 'ERR_CRYPTO_UNSUPPORTED_OPERATION';
}

function wrongPassword(path: string, passphrase: string | undefined, cause: unknown): Error {
  const advice = passphrase === undefined ? 'give its passphrase' : 'check the passphrase';
  return bad(`the passphrase does not open ${path}`, advice, cause);
}

function unreadable(path: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return bad(`${path} is not a readable PKCS#12 file (${reason})`, EXPORT_AGAIN, cause);
}

function tooLarge(path: string): Error {
  const limit = `${PKCS12_LIMITS.maxBytes} bytes`;
  return bad(
    `${path} is larger than any PKCS#12 file needs to be (${limit})`,
    'name the right file',
    new LimitError('PKCS12_TOO_LARGE', limit),
  );
}
