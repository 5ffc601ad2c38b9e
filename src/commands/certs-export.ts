import { join } from 'node:path';
import { fromPem, parseChain, shortName, writeLegacyPkcs12, writePkcs12 } from '../certificates/index.ts';
import { createPrivateKey } from 'node:crypto';
import type { Arguments, FlagKinds } from './arguments.ts';
import { inventPassphrase } from './certs-client.ts';
import {
  DIRECTORY_FLAGS,
  keyPathsFor,
  passphraseOf,
  readIfThere,
  readText,
  refuseToOverwrite,
  tlsOf,
  wrong,
  writeFiles,
} from './certs-files.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';

export const EXPORT_FLAGS: FlagKinds = {
  ...DIRECTORY_FLAGS,
  out: 'value',
  passphrase: 'value',
  'key-passphrase': 'value',
  legacy: 'switch',
  force: 'switch',
};

interface Pair {
  readonly certPath: string;
  readonly keyPath: string;
}

/** Puts a certificate with its chain and its key into one PKCS#12 file. Throws `ConfigError`. */
export async function exportFile(args: Arguments, io: CommandIo): Promise<number> {
  const out = args.flags.get('out')?.[0];
  if (out === undefined) throw wrong('--out', 'expected the file to write, as live.p12');
  const { certPath, keyPath } = await pairOf(args, io);
  if (!args.flags.has('force')) await refuseToOverwrite([out]);
  const [cert, encrypted] = await Promise.all([readText(certPath), readText(keyPath)]);
  const keyPassphrase = args.flags.get('key-passphrase')?.[0];
  const secret = keyPassphrase !== undefined && { passphrase: keyPassphrase };
  fromPem({ certPath, keyPath, cert, key: encrypted, ...secret });
  const key = String(createPrivateKey({ key: encrypted, ...secret }).export({ type: 'pkcs8', format: 'pem' }));
  const chain = parseChain(cert, certPath);
  const given = passphraseOf(args, io);
  const passphrase = given ?? inventPassphrase();
  const write = args.flags.has('legacy') ? writeLegacyPkcs12 : writePkcs12;
  const data = await write({ chain, key, name: shortName(chain[0].subject), passphrase });
  await writeFiles([{ path: out, data, secret: true }]);
  io.out(`Wrote ${out}: ${certPath} with ${chain.length - 1} of its issuers, and ${keyPath}\n`);
  if (given === undefined) io.out(`Its passphrase: ${passphrase}\n`);
  return EXIT.done;
}

/** Two files, or the name of a pair in the certificate directory. */
async function pairOf(args: Arguments, io: CommandIo): Promise<Pair> {
  const [first, second, ...more] = args.positionals;
  if (first === undefined || more.length > 0)
    throw wrong('certs export', 'expected the NAME of a pair in the certificate directory, or two files: CERT KEY');
  if (second !== undefined) return { certPath: first, keyPath: second };
  const { directory } = tlsOf(args, io);
  const names = /\.(?:crt|cer|pem)$/.test(first) ? [first] : ['.crt', '.pem', '.cer'].map((ending) => first + ending);
  const places = [
    ...names.map((name) => join(directory, name)),
    ...names.map((name) => join(directory, 'clients', name)),
  ];
  for (const certPath of places) {
    if ((await readIfThere(certPath)) === undefined) continue;
    for (const keyPath of keyPathsFor(certPath)) if (await readIfThere(keyPath)) return { certPath, keyPath };
  }
  throw wrong(first, `no certificate with a key of that name in ${directory}; name two files: CERT KEY`);
}
