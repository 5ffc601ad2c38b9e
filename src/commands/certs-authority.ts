import { hostname } from 'node:os';
import { join } from 'node:path';
import { authorityFault, createAuthority } from '../certificates/index.ts';
import type { KeyKind, PemPair } from '../certificates/index.ts';
import { readPair, wrong, writeFiles } from './certs-files.ts';

/** The CA in a certificate directory. */
export interface OpenAuthority {
  readonly pair: PemPair;
  readonly certPath: string;
  /** Just now: nobody trusts it yet. */
  readonly made: boolean;
}

/** In a folder of its own: the gateway serves pairs that lie in the directory itself, and this must not be one. */
export function authorityPaths(directory: string): { readonly certPath: string; readonly keyPath: string } {
  return {
    // What Debian and Windows want such a file to be called.
    certPath: join(directory, 'ca', 'rtmp-gateway-ca.crt'),
    keyPath: join(directory, 'ca', 'rtmp-gateway-ca.key'),
  };
}

/**
 * The CA that is there, or a new one. Throws `ConfigError` for one that is of no use and is to be kept all the same: that
 * another takes its place is to be somebody's decision, since every machine has to be told of it.
 */
export async function openAuthority(
  directory: string,
  options: { readonly kind: KeyKind; readonly now: Date; readonly keep: boolean },
): Promise<OpenAuthority> {
  const { certPath, keyPath } = authorityPaths(directory);
  const kept = options.keep ? await readPair(certPath, keyPath, '--new-ca') : undefined;
  const fault = kept && authorityFault(kept, options.now);
  if (kept && fault === undefined) return { pair: kept, certPath, made: false };
  if (fault !== undefined) {
    throw wrong(certPath, `cannot be used as a CA: ${fault}; --new-ca makes another, to be trusted anew everywhere`);
  }
  const pair = await createAuthority({ kind: options.kind, hostName: hostname(), now: options.now });
  await writeFiles([
    { path: keyPath, data: pair.key, secret: true },
    { path: certPath, data: pair.cert, secret: false },
  ]);
  return { pair, certPath, made: true };
}
