import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { issue, parseChain, writeLegacyPkcs12, writePkcs12 } from '../certificates/index.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import { openAuthority } from './certs-authority.ts';
import {
  daysOf,
  DIRECTORY_FLAGS,
  keyKindOf,
  passphraseOf,
  refuseToOverwrite,
  tlsOf,
  wrong,
  writeFiles,
} from './certs-files.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';

export const CLIENT_FLAGS: FlagKinds = {
  ...DIRECTORY_FLAGS,
  key: 'value',
  days: 'value',
  passphrase: 'value',
  legacy: 'switch',
  force: 'switch',
};

/** Ten years: as long as the CA lives at most. */
const MOST_DAYS = 3650;

/** Makes a client certificate for an encoder, as PKCS#12 and PEM. Throws `ConfigError`. */
export async function client(args: Arguments, io: CommandIo): Promise<number> {
  const name = nameOf(args);
  const { directory } = tlsOf(args, io);
  const kind = keyKindOf(args);
  const days = daysOf(args, MOST_DAYS);
  const force = args.flags.has('force');
  const base = join(directory, 'clients', name);
  const files = { p12: `${base}.p12`, cert: `${base}.crt`, key: `${base}.key` };
  if (!force) await refuseToOverwrite(Object.values(files));
  const now = new Date();
  const authority = await openAuthority(directory, { kind, now, keep: true });
  const options = { purpose: 'client' as const, commonName: name, names: [], kind, now };
  const pair = await issue(authority.pair, { ...options, ...(days !== undefined && { days }) });
  const given = passphraseOf(args, io);
  const passphrase = given ?? inventPassphrase();
  const chain = parseChain(pair.cert, files.cert);
  const write = args.flags.has('legacy') ? writeLegacyPkcs12 : writePkcs12;
  const p12 = await write({ chain, key: pair.key, name, passphrase });
  await writeFiles([
    { path: files.key, data: pair.key, secret: true },
    { path: files.cert, data: pair.cert, secret: false },
    { path: files.p12, data: p12, secret: true },
  ]);
  const until = new Date(chain[0].validTo).toISOString().slice(0, 10);
  io.out(
    `Made a client certificate for ${name}, valid until ${until}, signed by ${authority.certPath}\n` +
      `  ${files.p12}   for encoders that import PKCS#12${given === undefined ? `; passphrase ${passphrase}` : ''}\n` +
      `  ${files.cert}, ${files.key}   the same as PEM, not encrypted\n` +
      `FFmpeg:  ffmpeg … -f flv -cert_file ${files.cert} -key_file ${files.key} rtmps://HOST:8443/live/test\n` +
      `The gateway asks encoders for such certificates once the configuration says\n` +
      `  tls: { clientCa: ${authority.certPath} }\n`,
  );
  return EXIT.done;
}

/** What the certificate, and so the access rules, will call the encoder; also its files' name. */
function nameOf({ positionals: [name, ...more] }: Arguments): string {
  if (name === undefined || more.length > 0) throw wrong('certs client', 'expected one NAME');
  if (/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(name)) return name;
  throw wrong(
    name,
    'a name has up to 64 letters, digits, dots, hyphens, underscores and at signs, a letter or digit first',
  );
}

/** 20 of 31 characters that nobody mixes up: 99 bits, in groups that can be read out. */
export function inventPassphrase(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const groups = Array.from({ length: 4 }, () =>
    Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join(''),
  );
  return groups.join('-');
}
