import { basename, join } from 'node:path';
import { findingsOf, importPkcs12, namesOf, shortName } from '../certificates/index.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import {
  DIRECTORY_FLAGS,
  passphraseOf,
  readIfThere,
  refuseToOverwrite,
  tlsOf,
  wrong,
  writeFiles,
} from './certs-files.ts';
import { findingLines } from './certs-report.ts';
import { fileNameOf } from './certs-request.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';

export const IMPORT_FLAGS: FlagKinds = { ...DIRECTORY_FLAGS, passphrase: 'value', as: 'value', force: 'switch' };

/** Takes a PKCS#12 file apart into a PEM pair that the gateway finds by itself. Throws `ConfigError`. */
export async function importFile(args: Arguments, io: CommandIo): Promise<number> {
  const [file, ...more] = args.positionals;
  if (file === undefined || more.length > 0) throw wrong('certs import', 'expected one FILE.p12');
  const bytes = await readIfThere(file);
  if (bytes === undefined) throw wrong(file, 'there is no such file');
  if (bytes.includes('-----BEGIN ')) throw wrong(file, 'is PEM already; copy it into the certificate directory');
  const { directory } = tlsOf(args, io);
  const base = join(directory, fileNameOf(args, basename(file).replace(/\.(?:p12|pfx)$/i, '')));
  const files = { cert: `${base}.crt`, key: `${base}.key` };
  if (!args.flags.has('force')) await refuseToOverwrite(Object.values(files));
  const { cert, key, chain, left } = await importPkcs12(file, bytes, passphraseOf(args, io));
  await writeFiles([
    { path: files.key, data: key, secret: true },
    { path: files.cert, data: cert, secret: false },
  ]);
  const names = namesOf(chain[0]).join(', ') || shortName(chain[0].subject);
  const others = chain.length === 1 ? 'no issuers' : `${chain.length - 1} of its issuers`;
  io.out(`Wrote ${files.cert}, for ${names}, with ${others}, and ${files.key}\n`);
  for (const certificate of left) io.out(`Left out "${shortName(certificate.subject)}": it is no part of the chain.\n`);
  io.out(findingLines(findingsOf(chain, { now: new Date(), source: files.cert })));
  return EXIT.done;
}
