import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InvalidConfigError, loadConfig } from '../config/index.ts';
import type { Config } from '../config/index.ts';
import { PKCS12_LIMITS } from '../certificates/index.ts';
import type { KeyKind, PemPair } from '../certificates/index.ts';
import { ConfigError } from '../errors.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import type { CommandIo } from './io.ts';

/** Flags that all commands have which look into the certificate directory. */
export const DIRECTORY_FLAGS: FlagKinds = { certs: 'value', config: 'value' };

/** Where a passphrase comes from that is not to stand on the command line, which everybody on the machine can read. */
export const PASSPHRASE_VARIABLE = 'RTMP_GATEWAY_PASSPHRASE';

/** A file to be written. */
export interface NewFile {
  readonly path: string;
  readonly data: string | Buffer;
  /** Only its owner may read it. */
  readonly secret: boolean;
}

/** `tls` of the configuration that `serve` would run with: `--certs`, the configuration file, or the defaults. */
export function tlsOf({ flags }: Arguments, io: CommandIo): Config['tls'] {
  const source = { file: flags.get('config')?.[0], flags: { certs: flags.get('certs')?.[0] } };
  return loadConfig({ ...source, env: io.env, terminal: io.terminal }).config.tls;
}

export function keyKindOf({ flags }: Arguments): KeyKind {
  const kind = flags.get('key')?.[0] ?? 'ec';
  if (kind === 'ec' || kind === 'rsa') return kind;
  throw wrong('--key', `expected ec or rsa, got "${kind}"`);
}

export function daysOf({ flags }: Arguments, most: number): number | undefined {
  const given = flags.get('days')?.[0];
  if (given === undefined) return undefined;
  const days = Number(given);
  if (/^\d+$/.test(given) && days >= 1 && days <= most) return days;
  throw wrong('--days', `expected 1 to ${most}, got "${given}"`);
}

export function passphraseOf({ flags }: Arguments, io: CommandIo): string | undefined {
  const given = flags.get('passphrase')?.[0] ?? io.env[PASSPHRASE_VARIABLE];
  return given === '' ? undefined : given;
}

/** Wrong usage, with exit status 2. */
export function wrong(what: string, reason: string): ConfigError {
  return new InvalidConfigError('COMMAND_LINE', [{ path: what, reason }]);
}

/** Undefined when there is no such file. Throws `ConfigError` for one that cannot be read, or that is no certificate. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    const { size } = await stat(path);
    if (size > PKCS12_LIMITS.maxBytes) throw wrong(path, 'too large for a certificate; name the right file');
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EISDIR') throw wrong(path, 'is a directory; name a file in it');
    throw wrong(path, code === 'EACCES' ? 'may not be read by this user' : message);
  }
}

export async function readText(path: string): Promise<string> {
  const bytes = await readIfThere(path);
  if (bytes === undefined) throw wrong(path, 'there is no such file');
  return bytes.toString('utf8');
}

/** Undefined when there is neither file; throws `ConfigError`, which names `flag`, when one is there without the other. */
export async function readPair(certPath: string, keyPath: string, flag = '--force'): Promise<PemPair | undefined> {
  const [cert, key] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)]);
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw wrong(certPath, `is missing, though its key ${keyPath} is there; ${flag} makes both`);
  if (key === undefined) throw wrong(keyPath, `is missing, though ${certPath} is there; ${flag} makes both`);
  return { cert: cert.toString('utf8'), key: key.toString('utf8') };
}

/** Throws `ConfigError` that names the files which are there already. */
export async function refuseToOverwrite(paths: readonly string[], why = 'exists already'): Promise<void> {
  const there: string[] = [];
  for (const path of paths) if ((await stat(path).catch(() => undefined)) !== undefined) there.push(path);
  if (there.length === 0) return;
  throw new InvalidConfigError(
    'COMMAND_LINE',
    there.map((path) => ({ path, reason: `${why}; --force replaces it` })),
  );
}

/**
 * Writes files so that nobody ever sees one half-written, or a key that others may read, and so that a watching gateway
 * finds a pair complete: all are written under other names first, and then renamed in one go. Throws system errors.
 */
export async function writeFiles(files: readonly NewFile[]): Promise<void> {
  const ready: { readonly temporary: string; readonly path: string }[] = [];
  try {
    for (const { path, data, secret } of files) {
      await mkdir(dirname(path), { recursive: true });
      const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
      ready.push({ temporary, path });
      const mode = secret ? 0o600 : 0o644;
      await rm(temporary, { force: true });
      await writeFile(temporary, data, { mode, flag: 'wx', flush: true });
      // Whatever the process's mask takes away from a file that all may read.
      await chmod(temporary, mode);
    }
    for (const { temporary, path } of ready) await rename(temporary, path);
  } finally {
    for (const { temporary } of ready) await rm(temporary, { force: true });
  }
}

/** Keys of certificate files as the usual tools name them: the same name, certbot's, mkcert's. */
export function keyPathsFor(certPath: string): string[] {
  const folder = dirname(certPath);
  const file = basename(certPath);
  const stem = file.replace(/\.(?:crt|cer|pem)$/, '');
  const names = [`${stem}.key`, `${stem}-key.pem`, ...(file === 'fullchain.pem' ? ['privkey.pem'] : [])];
  if (file.endsWith('-cert.pem')) names.push(file.replace(/-cert\.pem$/, '-key.pem'));
  return names.map((name) => join(folder, name));
}
