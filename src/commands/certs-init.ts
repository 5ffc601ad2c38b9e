import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  AUTHORITY_DEFAULTS,
  commonNameFor,
  isOurs,
  issue,
  namesOf,
  readSubjectName,
  SUBJECT_NAME_LIMITS,
} from '../certificates/index.ts';
import type { KeyKind, PemPair, SubjectName } from '../certificates/index.ts';
import { InvalidConfigError } from '../config/index.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import { openAuthority } from './certs-authority.ts';
import type { OpenAuthority } from './certs-authority.ts';
import { daysOf, DIRECTORY_FLAGS, keyKindOf, readPair, refuseToOverwrite, tlsOf, writeFiles } from './certs-files.ts';
import { trustInstructions } from './certs-trust.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';

export const INIT_FLAGS: FlagKinds = {
  ...DIRECTORY_FLAGS,
  key: 'value',
  days: 'value',
  force: 'switch',
  'new-ca': 'switch',
};

/** Elliptic first in the alphabet, so that it is the default of the two; the store sorts by name. */
const FILES: Readonly<Record<KeyKind, string>> = { ec: 'server', rsa: 'server.rsa' };

/** Makes a development CA, if there is none, and a server certificate that it has signed. Throws `ConfigError`. */
export async function init(args: Arguments, io: CommandIo): Promise<number> {
  const tls = tlsOf(args, io);
  const kind = keyKindOf(args);
  const days = daysOf(args, AUTHORITY_DEFAULTS.serverDays);
  const given = readNames(args.positionals);
  const now = new Date();
  const replace = args.flags.has('force');
  const certPath = join(tls.directory, `${FILES[kind]}.crt`);
  const keyPath = join(tls.directory, `${FILES[kind]}.key`);
  const before = await renewed(certPath, keyPath, replace);
  const authority = await openAuthority(tls.directory, {
    kind,
    now,
    keep: !args.flags.has('new-ca'),
  });
  const names = given.length > 0 ? given : namesFrom(before);
  const pair = await issue(authority.pair, {
    purpose: 'server',
    commonName: commonNameFor(names),
    names,
    kind,
    now,
    ...(days !== undefined && { days }),
  });
  await writeFiles([
    { path: keyPath, data: pair.key, secret: true },
    { path: certPath, data: pair.cert, secret: false },
  ]);
  io.out(report(authority, before !== undefined, { certPath, keyPath, pair }));
  if (tls.certificates.length > 0) {
    io.out(
      `The configuration names other certificates (tls.certificates): add { cert: ${certPath}, key: ${keyPath} }.\n`,
    );
  }
  io.out(`\n${trustInstructions(authority.certPath)}`);
  return EXIT.done;
}

/** Throws `ConfigError` that says all that is wrong. */
export function readNames(words: readonly string[]): SubjectName[] {
  const names = words.map((word) => readSubjectName(word));
  const problems = words
    .filter((_, index) => names[index] === undefined)
    .map((path) => ({
      path,
      reason: 'no host name or address; write it as live.example.com, *.example.com, 10.0.0.5',
    }));
  if (names.length > SUBJECT_NAME_LIMITS.maxNames) {
    problems.push({ path: `${names.length} names`, reason: `at most ${SUBJECT_NAME_LIMITS.maxNames} fit` });
  }
  if (problems.length > 0) throw new InvalidConfigError('COMMAND_LINE', problems);
  const known = names.filter((name) => name !== undefined);
  return known.filter(({ value }, index) => known.findIndex((other) => other.value === value) === index);
}

/** The pair that will be replaced, if it is one of ours. Throws `ConfigError` if it is somebody else's. */
async function renewed(certPath: string, keyPath: string, replace: boolean): Promise<PemPair | undefined> {
  const pair = await readPair(certPath, keyPath).catch((error: unknown) => {
    if (!replace) throw error;
    return undefined;
  });
  if (pair === undefined || isOurs(pair.cert)) return pair;
  if (!replace) await refuseToOverwrite([certPath, keyPath], 'does not come from a development CA');
  return undefined;
}

/** A renewed certificate keeps its names; the first one is for this machine. */
function namesFrom(before: PemPair | undefined): SubjectName[] {
  const words = before ? namesOf(new X509Certificate(before.cert)) : ['localhost', hostname(), '127.0.0.1', '::1'];
  const names = words.flatMap((word) => readSubjectName(word) ?? []);
  return names.filter(({ value }, index) => names.findIndex((other) => other.value === value) === index);
}

function report(
  authority: OpenAuthority,
  again: boolean,
  { certPath, keyPath, pair }: { readonly certPath: string; readonly keyPath: string; readonly pair: PemPair },
): string {
  const certificate = new X509Certificate(pair.cert);
  const until = new Date(certificate.validTo).toISOString().slice(0, 10);
  const ca = authority.made
    ? `Made a development CA: ${authority.certPath}\n` +
      `Keep the key beside it to yourself: with it anybody can pass for any server to those who trust this CA.\n`
    : `Signed by the CA that was there: ${authority.certPath}\n`;
  return (
    `${ca}${again ? 'Renewed' : 'Made'} ${certPath} and ${keyPath}\n` +
    `  for ${namesOf(certificate).join(', ')}; valid until ${until}\n` +
    `A gateway that runs notices by itself within seconds; another serves it from its next start on.\n`
  );
}
