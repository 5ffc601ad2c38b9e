import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket, type SecureContextOptions } from 'node:tls';
import { ConfigError } from '../errors.ts';
import type { Certificate, CertificateMaterial, KeyType } from './certificate.ts';
import { namesOf } from './names.ts';

/** A certificate as an entry of the configuration gives it: file names for messages, contents beside them. */
export interface PemSource {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: string;
  readonly key: string;
  readonly passphrase?: string;
  /** Permission bits of the key's file. */
  readonly keyMode?: number;
}

/**
 * Checks a PEM certificate chain against its key. Throws `ConfigError` that names the file at fault and says what to
 * do, since OpenSSL's own words ("no start line") help nobody.
 */
export function fromPem(source: PemSource, development = false): Certificate {
  const { certPath, keyPath, passphrase, keyMode } = source;
  const chain = parseChain(source.cert, certPath);
  const [leaf] = chain;
  const key = parseKey(source);
  if (!leaf.checkPrivateKey(key)) {
    throw bad(
      `the key ${keyPath} does not belong to the first certificate in ${certPath}`,
      'put the server certificate first, its issuers after it, or name the matching key',
    );
  }
  const material = { cert: source.cert, key: source.key, ...(passphrase !== undefined && { passphrase }) };
  checkContext(material, certPath);
  return { ...describe(chain, certPath, material), development, ...(keyMode !== undefined && { keyMode }) };
}

/**
 * The same for a PKCS#12 file that Node can read. `issuers` takes the other certificates out of it, which Node does not
 * show. Throws whatever Node throws at it.
 */
export function fromPfx(
  path: string,
  pfx: Buffer,
  passphrase: string | undefined,
  issuers: (leaf: X509Certificate) => readonly X509Certificate[],
): Certificate {
  const material = { pfx, ...(passphrase !== undefined && { passphrase }) };
  const leaf = leafOf(material);
  if (leaf === undefined) throw bad(`${path} holds no certificate with a key`, 'export it again with its private key');
  return { ...describe([leaf, ...issuers(leaf)], path, material), development: false };
}

/** All certificates of a PEM text, in their order. Throws `ConfigError`. */
export function parseChain(pem: string, path: string): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    const [leaf, ...issuers] = blocks.map((block) => new X509Certificate(block));
    if (leaf !== undefined) return [leaf, ...issuers];
  } catch (cause) {
    throw bad(`the certificate in ${path} cannot be read`, 'the file looks damaged; copy it again', cause);
  }
  if (pem.includes('-----BEGIN CERTIFICATE-----'))
    throw bad(`the certificate in ${path} cannot be read`, 'the file looks damaged; copy it again');
  throw bad(`${path} holds no PEM certificate`, 'it should contain a line "-----BEGIN CERTIFICATE-----"');
}

export function bad(problem: string, advice: string, cause?: unknown): ConfigError {
  return new ConfigError('BAD_CERTIFICATE', `${problem}: ${advice}`, cause === undefined ? undefined : { cause });
}

function parseKey({ key, keyPath, passphrase }: PemSource): KeyObject {
  if (!key.includes('PRIVATE KEY-----')) {
    throw bad(`${keyPath} holds no PEM private key`, 'it should contain a line like "-----BEGIN PRIVATE KEY-----"');
  }
  const encrypted = key.includes('ENCRYPTED');
  if (encrypted && passphrase === undefined) throw bad(`the key ${keyPath} is encrypted`, 'give its passphrase');
  try {
    return createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) });
  } catch (cause) {
    const advice = encrypted ? 'the passphrase is probably wrong' : 'the file looks damaged; copy it again';
    throw bad(`the key ${keyPath} cannot be read`, advice, cause);
  }
}

/** Throws `ConfigError` when TLS cannot work with it. */
export function checkContext(material: SecureContextOptions, path: string): void {
  try {
    createSecureContext(material);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw bad(`TLS cannot use the certificate in ${path}`, reason, cause);
  }
}

/** Node shows what is in a PKCS#12 file only through a TLS socket, which here never gets to speak. */
function leafOf(material: CertificateMaterial): X509Certificate | undefined {
  const nowhere = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const secureContext = createSecureContext(material);
  const socket = new TLSSocket(nowhere, { isServer: true, secureContext });
  const leaf = socket.getX509Certificate();
  socket.destroy();
  return leaf;
}

function describe(
  chain: readonly [X509Certificate, ...X509Certificate[]],
  source: string,
  material: CertificateMaterial,
): Omit<Certificate, 'development'> {
  const [leaf] = chain;
  return {
    source,
    names: namesOf(leaf),
    keyType: keyTypeOf(leaf),
    validFrom: new Date(leaf.validFrom),
    validTo: new Date(leaf.validTo),
    fingerprint: leaf.fingerprint256,
    chain,
    material,
  };
}

function keyTypeOf({ publicKey }: X509Certificate): KeyType {
  const type = publicKey.asymmetricKeyType;
  return type === 'rsa' || type === 'ec' ? type : 'other';
}
