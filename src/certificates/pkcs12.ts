import forge from 'node-forge';
import { LimitError } from '../errors.ts';
import type { Certificate } from './certificate.ts';
import type { PemPair } from './development.ts';
import { bad, fromPem, fromPfx } from './inspect.ts';

export const PKCS12_LIMITS = Object.freeze({
  // A chain with its key takes a few KiB. node-forge has had endless loops on crafted input, so nothing huge goes in.
  maxBytes: 1024 * 1024,
});

const { certBag, pkcs8ShroudedKeyBag, keyBag } = forge.pki.oids;

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

/** Takes key and certificates out of a legacy file. RSA only: node-forge knows no elliptic curves. */
function convertLegacy(path: string, pfx: Buffer, passphrase: string | undefined): PemPair {
  const content = decrypt(path, pfx, passphrase);
  const bags = (type: string | undefined): forge.pkcs12.Bag[] =>
    content.getBags({ bagType: type ?? '' })[type ?? ''] ?? [];
  const [keyHolder] = [...bags(pkcs8ShroudedKeyBag), ...bags(keyBag)];
  const certificates = bags(certBag).flatMap(({ cert }) => cert ?? []);
  if (!keyHolder?.key || certificates.length === 0) {
    throw bad(`${path} is a legacy PKCS#12 file without an RSA key and its certificate`, EXPORT_AGAIN);
  }
  const key = keyHolder.key as forge.pki.rsa.PrivateKey;
  const chain = leafFirst(certificates, key).map((certificate) => forge.pki.certificateToPem(certificate));
  return { cert: chain.join(''), key: forge.pki.privateKeyToPem(key) };
}

function decrypt(path: string, pfx: Buffer, passphrase: string | undefined): forge.pkcs12.Pkcs12Pfx {
  try {
    return forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(pfx.toString('binary')), false, passphrase ?? '');
  } catch (cause) {
    throw isWrongPassword(cause) ? wrongPassword(path, passphrase, cause) : unreadable(path, cause);
  }
}

/** Bags come in any order; TLS wants the key's own certificate first. */
function leafFirst(certificates: forge.pki.Certificate[], key: forge.pki.rsa.PrivateKey): forge.pki.Certificate[] {
  const isLeaf = (certificate: forge.pki.Certificate): boolean =>
    (certificate.publicKey as forge.pki.rsa.PublicKey).n?.equals(key.n) ?? false;
  return [...certificates.filter(isLeaf), ...certificates.filter((certificate) => !isLeaf(certificate))];
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
