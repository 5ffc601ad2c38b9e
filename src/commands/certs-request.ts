import { join } from 'node:path';
import { createRequest } from '../certificates/index.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import { DIRECTORY_FLAGS, keyKindOf, refuseToOverwrite, tlsOf, wrong, writeFiles } from './certs-files.ts';
import { readNames } from './certs-init.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';

export const REQUEST_FLAGS: FlagKinds = { ...DIRECTORY_FLAGS, key: 'value', as: 'value', force: 'switch' };

/** Makes a key and a signing request for an authority. Throws `ConfigError`. */
export async function request(args: Arguments, io: CommandIo): Promise<number> {
  const names = readNames(args.positionals);
  const [first] = names;
  if (first === undefined) throw wrong('certs request', 'expected at least one NAME');
  const kind = keyKindOf(args);
  const { directory } = tlsOf(args, io);
  const base = join(directory, fileNameOf(args, first.value.replace('*', 'wildcard').replaceAll(':', '-')));
  const files = { request: `${base}.csr`, key: `${base}.key` };
  if (!args.flags.has('force')) await refuseToOverwrite(Object.values(files));
  const made = await createRequest(names, kind);
  await writeFiles([
    { path: files.key, data: made.key, secret: true },
    { path: files.request, data: made.request, secret: false },
  ]);
  io.out(
    `Made a signing request for ${names.map(({ value }) => value).join(', ')}: ${files.request}, and its key: ${files.key}\n` +
      `Send the request to the authority, never the key. Put what comes back, with the whole chain, as PEM into\n` +
      `${base}.crt, and look at it with: rtmp-gateway certs inspect ${base}.crt\n`,
  );
  return EXIT.done;
}

/** What files are to be called: `--as`, or what suggests itself. */
export function fileNameOf({ flags }: Arguments, fallback: string): string {
  const name = flags.get('as')?.[0] ?? fallback;
  // Nothing that leads elsewhere, and nothing that hides.
  if (/^[\p{L}\p{N}_][\p{L}\p{N} ._@-]{0,200}$/u.test(name)) return name;
  throw wrong(flags.has('as') ? '--as' : name, 'no name for a file in the certificate directory; choose one with --as');
}
