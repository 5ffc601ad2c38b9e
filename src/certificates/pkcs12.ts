import type { X509Certificate } from 'node:crypto';
import { LimitError } from '../errors.ts';
import type { Certificate } from './certificate.ts';
import type { PemPair } from './development.ts';
import { bad, fromPem, fromPfx, parseChain } from './inspect.ts';

export const PKCS12_LIMITS = Object.freeze({
  // A chain with its key takes a few KiB. node-forge has had endless loops on crafted input, so nothing huge goes in.
  maxBytes: 1024 * 1024,
});

/**
 * Opens a PKCS#12 file: modern ones by Node itself, those encrypted with RC2 or triple DES (Windows, old Java and
 * macOS exports), which OpenSSL 3 no longer reads, by way of node-forge. Throws `ConfigError`.
 */
export async function openPkcs12(path: string, pfx: Buffer, passphrase: string | undefined): Promise<Certificate> {
  if (pfx.length > PKCS12_LIMITS.maxBytes) throw tooLarge(path);
  const convert = await converter(path, pfx, passphrase);
  try {
    return fromPfx(path, pfx, passphrase, (leaf) => issuersOf(leaf, convert, path));
  } catch (cause) {
    if (isWrongPassword(cause)) throw wrongPassword(path, passphrase, cause);
    if (!isLegacy(cause)) throw unreadable(path, cause);
  }
  return fromPem({ certPath: path, keyPath: path, ...convert() });
}

async function converter(path: string, pfx: Buffer, passphrase: string | undefined): Promise<() => PemPair> {
  const { convertLegacy } = await import('./pkcs12-legacy.ts');
  return () => {
    let pair: PemPair | undefined;
    try {
      pair = convertLegacy(pfx, passphrase);
    } catch (cause) {
      throw isWrongPassword(cause) ? wrongPassword(path, passphrase, cause) : unreadable(path, cause);
    }
    if (pair === undefined) throw bad(`${path} does not hold both a key and its certificate`, EXPORT_AGAIN);
    return pair;
  };
}

/** They are only looked at: what Node serves and the converter cannot read is served all the same. */
function issuersOf(leaf: X509Certificate, convert: () => PemPair, path: string): X509Certificate[] {
  try {
    return parseChain(convert().cert, path).filter(({ fingerprint256 }) => fingerprint256 !== leaf.fingerprint256);
  } catch {
    return [];
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
