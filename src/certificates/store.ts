import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Certificate } from './certificate.ts';
import { createDevelopmentCertificate, wantsRenewal, type PemPair } from './development.ts';
import { bad, checkContext, fromPem, parseChain } from './inspect.ts';
import { NameIndex } from './names.ts';
import { openPkcs12, PKCS12_LIMITS } from './pkcs12.ts';

/** Where one certificate is: a PEM chain and its key, or both in one PKCS#12 file. */
export type CertificateSource =
  | { readonly cert: string; readonly key: string; readonly passphrase?: string }
  | { readonly pfx: string; readonly passphrase?: string };

export interface CertificateOptions {
  /** Where certificates are put, by people or by us; relative paths of sources are looked for here first. */
  readonly directory: string;
  /** The first one is the default. Empty: whatever pairs are in the directory, or else a development certificate. */
  readonly certificates: readonly CertificateSource[];
  /** PEM files that are read along: authorities of clients, and their revocation lists. */
  readonly trustFiles?: readonly string[];
  /** Refuse keys that others on this machine may read, instead of warning of them. */
  readonly strictKeys?: boolean;
}

/** Names of the pair that we make, so that nobody takes it for a real one. */
export const DEVELOPMENT_FILES = Object.freeze({ cert: 'development-cert.pem', key: 'development-key.pem' });

/** Pairs as the usual tools write them: certbot, Kubernetes and acme.sh, mkcert. */
const PAIRS: ReadonlyArray<(file: string) => string | undefined> = [
  (file) => (file === 'fullchain.pem' ? 'privkey.pem' : undefined),
  (file) => (/\.(?:crt|cer|pem)$/.test(file) ? file.replace(/\.[a-z]+$/, '.key') : undefined),
  (file) => (file.endsWith('.pem') && !file.endsWith('-key.pem') ? file.replace(/\.pem$/, '-key.pem') : undefined),
];

/**
 * The certificates that this process serves with, chosen by the name a client asks for. A store never changes: new
 * files make a new store.
 */
export class CertificateStore {
  readonly all: readonly Certificate[];
  /** For clients that name no server, or one that we have no certificate for: one for each kind of key. */
  readonly fallback: readonly [Certificate, ...Certificate[]];
  /** The same for stores that hold the same. */
  readonly digest: string;
  readonly #index: NameIndex;
  readonly #trust: ReadonlyMap<string, string>;

  constructor(certificates: readonly [Certificate, ...Certificate[]], trust: ReadonlyMap<string, string> = new Map()) {
    const [first] = certificates;
    this.all = certificates;
    this.#trust = trust;
    this.#index = new NameIndex(certificates);
    // Whoever is at its side for its name is so for those who ask for none.
    const [, ...beside] = this.#index.find(first.names[0] ?? '') ?? [];
    this.fallback = [first, ...beside];
    this.digest = digestOf(certificates, trust);
  }

  /** Reads everything once. Throws `ConfigError` that names the file and what to do about it. */
  static async open(options: CertificateOptions, log: Log): Promise<CertificateStore> {
    const { directory, trustFiles = [] } = options;
    const given = await sourcesOf(options);
    const [first, ...others] = await Promise.all(given.map((source) => openSource(options, source)));
    const certificates = [first ?? (await openDevelopment(directory, log)), ...others] as const;
    const trust = await Promise.all(trustFiles.map((path) => openTrust(directory, path)));
    return new CertificateStore(certificates, new Map(trust));
  }

  /** The certificates for a name: exact, then wildcard, then the default. The same list every time, for the same name. */
  choose(serverName: string): readonly Certificate[] {
    return this.#index.find(serverName) ?? this.fallback;
  }

  /** What is in one of the `trustFiles`. */
  trust(path: string): string {
    return this.#trust.get(path) ?? '';
  }
}

/** Changes whenever a file that `CertificateStore.open` would read does: size, time or what a link points to. */
export async function signatureOf(options: CertificateOptions): Promise<string> {
  const { directory, trustFiles = [] } = options;
  const sources = await sourcesOf(options);
  const development = sources.length === 0 ? Object.values(DEVELOPMENT_FILES) : [];
  const files = sources.flatMap((source) => ('pfx' in source ? [source.pfx] : [source.cert, source.key]));
  const paths = [...files, ...trustFiles, ...development];
  return (await Promise.all(paths.map((path) => stateOf(directory, path)))).join('\n');
}

async function stateOf(directory: string, path: string): Promise<string> {
  const found = await locate(directory, path);
  const { ino = 0, size = 0, mtimeMs = 0, ctimeMs = 0 } = (await stat(found).catch(() => undefined)) ?? {};
  return `${found} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

function digestOf(certificates: readonly Certificate[], trust: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const { material, chain } of certificates) {
    hash.update('pfx' in material ? material.pfx : material.key);
    for (const { fingerprint256 } of chain) hash.update(fingerprint256);
  }
  for (const [path, text] of trust) hash.update(`${path}\0${text}\0`);
  return hash.digest('hex');
}

async function sourcesOf({ certificates, directory }: CertificateOptions): Promise<readonly CertificateSource[]> {
  return certificates.length > 0 ? certificates : findPairs(directory);
}

async function openTrust(directory: string, path: string): Promise<[string, string]> {
  const found = await locate(directory, path);
  const text = (await read(found)).toString('utf8');
  if (!/-----BEGIN (?:CERTIFICATE|X509 CRL)-----/.test(text)) {
    throw bad(`${found} holds neither certificates nor revocation lists`, 'name a PEM file that does');
  }
  // Node passes over authorities that it cannot read, without a word.
  if (/-----BEGIN CERTIFICATE-----/.test(text)) parseChain(text, found);
  if (text.includes('X509 CRL')) checkContext({ crl: text }, found);
  return [path, text];
}

async function openSource(
  { directory, strictKeys }: CertificateOptions,
  source: CertificateSource,
): Promise<Certificate> {
  const { passphrase } = source;
  if ('pfx' in source) {
    const path = await locate(directory, source.pfx);
    return openPkcs12(path, await read(path), passphrase);
  }
  const certPath = await locate(directory, source.cert);
  const keyPath = await locate(directory, source.key);
  const [cert, key] = await Promise.all([read(certPath), read(keyPath)]);
  const { mode } = await stat(keyPath);
  if (strictKeys === true && isReadableByOthers(mode)) throw readableByOthers(keyPath);
  const secret = passphrase !== undefined && { passphrase };
  return fromPem({
    certPath,
    keyPath,
    keyMode: mode & 0o777,
    cert: cert.toString('utf8'),
    key: key.toString('utf8'),
    ...secret,
  });
}

function isReadableByOthers(mode: number): boolean {
  return (mode & 0o007) !== 0;
}

function readableByOthers(path: string): ConfigError {
  return bad(`${path} can be read by every user of this machine, which strictKeys forbids`, `chmod o-rwx ${path}`);
}

/** A relative path means a file in the certificate directory, or else one in the working directory. */
async function locate(directory: string, path: string): Promise<string> {
  if (isAbsolute(path)) return path;
  const inDirectory = join(directory, path);
  const found = await stat(inDirectory).catch(() => undefined);
  return found ? inDirectory : (await stat(path).catch(() => undefined)) ? resolve(path) : inDirectory;
}

async function read(path: string): Promise<Buffer> {
  try {
    // Checked before reading: a wrong path may well be a recording of many gigabytes.
    const { size } = await stat(path);
    if (size > PKCS12_LIMITS.maxBytes) throw bad(`${path} is no certificate, it is too large`, 'name the right file');
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw bad(`there is no file ${path}`, 'correct the path, or put the file there', cause);
    if (code === 'EACCES') throw bad(`${path} may not be read`, 'give the user of this process permission', cause);
    throw bad(`${path} cannot be read`, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Certificates that somebody just put into the directory, in the order of their names. */
async function findPairs(directory: string): Promise<CertificateSource[]> {
  const files = new Set(await readdir(directory).catch(() => []));
  files.delete(DEVELOPMENT_FILES.cert);
  return [...files].sort().flatMap((cert) => {
    const key = PAIRS.map((pair) => pair(cert)).find((name) => name !== undefined && files.has(name));
    return key === undefined ? [] : [{ cert: join(directory, cert), key: join(directory, key) }];
  });
}

// The development certificate -----------------------------------------------------------------------------------------

async function openDevelopment(directory: string, log: Log): Promise<Certificate> {
  const certPath = resolve(directory, DEVELOPMENT_FILES.cert);
  const keyPath = resolve(directory, DEVELOPMENT_FILES.key);
  const now = new Date();
  const kept = await readDevelopment(certPath, keyPath);
  if (kept && !wantsRenewal(kept.validTo, now)) return kept;
  const pair = await createDevelopmentCertificate(hostname(), now);
  const source = await writePair(directory, certPath, keyPath, pair).then(
    () => certPath,
    (error: unknown) => keptInMemory(directory, error, log),
  );
  return fromPem({ certPath: source, keyPath, ...pair }, true);
}

/** Undefined when there is none, or none of use: it is ours, so a damaged one is simply made again. */
async function readDevelopment(certPath: string, keyPath: string): Promise<Certificate | undefined> {
  try {
    const [cert, key] = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')]);
    return fromPem({ certPath, keyPath, cert, key }, true);
  } catch {
    return undefined;
  }
}

/** The key is never readable by others, not even for a moment, and a crash leaves no half-written file. */
async function writePair(directory: string, certPath: string, keyPath: string, pair: PemPair): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [path, text, mode] of [
    [keyPath, pair.key, 0o600],
    [certPath, pair.cert, 0o644],
  ] as const) {
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, text, { mode });
    await chmod(temporary, mode);
    await rename(temporary, path);
  }
}

function keptInMemory(directory: string, error: unknown, log: Log): string {
  const message = `the directory ${directory} cannot be written, so every start makes a new development certificate`;
  log.warn({ event: 'certificate.unsaved', err: error }, message);
  return 'development certificate (in memory)';
}
