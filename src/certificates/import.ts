import type { X509Certificate } from 'node:crypto';
import { pathFrom } from './chain.ts';
import type { PemPair } from './development.ts';
import { bad, fromPem, parseChain } from './inspect.ts';
import { openPkcs12 } from './pkcs12.ts';

/** What was in a PKCS#12 file, as a pair that TLS servers read. */
export interface ImportedPair extends PemPair {
  /** The key's own certificate first, then the issuers that belong to it, whatever their order in the file. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** Certificates in the file that have nothing to do with it; they are left out. */
  readonly left: readonly X509Certificate[];
}

/** Takes key and chain out of a PKCS#12 file, modern or old. Throws `ConfigError`, as opening it for TLS would. */
export async function importPkcs12(path: string, pfx: Buffer, passphrase: string | undefined): Promise<ImportedPair> {
  await openPkcs12(path, pfx, passphrase);
  const pair = await convert(path, pfx, passphrase);
  const [leaf, ...others] = parseChain(pair.cert, path);
  const { path: chain, superfluous: left } = pathFrom(leaf, others);
  const cert = chain.map(String).join('');
  fromPem({ certPath: path, keyPath: path, cert, key: pair.key });
  return { cert, key: pair.key, chain, left };
}

/** By way of node-forge in any case: Node serves what is in a PKCS#12 file, and does not show it. */
async function convert(path: string, pfx: Buffer, passphrase: string | undefined): Promise<PemPair> {
  const advice = 'convert it with "openssl pkcs12 -nodes"; the gateway can serve it as it is';
  const { convertLegacy } = await import('./pkcs12-legacy.ts');
  try {
    const pair = convertLegacy(pfx, passphrase);
    if (pair !== undefined) return pair;
  } catch (cause) {
    throw bad(`${path} is encrypted in a way that this command cannot take apart`, advice, cause);
  }
  throw bad(`${path} does not show its key and certificate`, advice);
}
