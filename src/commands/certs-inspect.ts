import { createPrivateKey, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { findingsOf, importPkcs12, parseChain, readRequest } from '../certificates/index.ts';
import type { Finding } from '../certificates/index.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import { keyPathsFor, passphraseOf, readIfThere, readText, wrong } from './certs-files.ts';
import { plainFailure, readTarget, viewRemote } from './certs-remote.ts';
import type { RemoteTarget, RemoteView } from './certs-remote.ts';
import { chainLines, findingLines, verdictLines } from './certs-report.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';

export const INSPECT_FLAGS: FlagKinds = { ca: 'values', passphrase: 'value' };

/** A certificate file, taken apart. */
interface Inspected {
  readonly chain: readonly X509Certificate[];
  /** A line about its key, and the permission bits of that file. */
  readonly key?: string;
  readonly keyMode?: number;
}

/** Where systems keep the authorities that they trust, as far as that is a file: Debian, Fedora, Alpine and macOS. */
const SYSTEM_AUTHORITIES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/**
 * Says what is in a file or what a server shows, and what clients will make of it. Resolves to 1 when clients that verify
 * refuse it. Throws `ConfigError` for what is neither.
 */
export async function inspect(args: Arguments, io: CommandIo): Promise<number> {
  const [what, ...more] = args.positionals;
  if (what === undefined || more.length > 0) throw wrong('certs inspect', 'expected one FILE or HOST:PORT');
  const bytes = /^\w+:\/\//.test(what) ? undefined : await readIfThere(what);
  if (bytes !== undefined) return inspectFile(what, bytes, args, io);
  const target = readTarget(what);
  if (target === undefined) throw wrong(what, 'there is no such file; a server is written HOST:PORT');
  return inspectServer(target, args, io);
}

async function inspectFile(path: string, bytes: Buffer, args: Arguments, io: CommandIo): Promise<number> {
  if (/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/.test(bytes.toString('latin1')))
    return inspectRequest(path, bytes, io);
  const { chain, key, keyMode } = await open(path, bytes, passphraseOf(args, io));
  const now = new Date();
  io.out(`${path}\n${chainLines(chain, now)}${key === undefined ? '' : `Private key: ${key}\n`}`);
  return conclude(findingsOf(chain, { now, source: path, ...(keyMode !== undefined && { keyMode }) }), io);
}

async function open(path: string, bytes: Buffer, passphrase: string | undefined): Promise<Inspected> {
  const text = bytes.toString('utf8');
  if (text.includes('-----BEGIN CERTIFICATE-----')) {
    const chain = parseChain(text, path);
    return { chain, ...(await keyBeside(path, text, chain[0])) };
  }
  if (text.includes('PRIVATE KEY-----')) throw wrong(path, 'is a private key; name its certificate');
  try {
    return { chain: [new X509Certificate(bytes)] };
  } catch {
    const { chain } = await importPkcs12(path, bytes, passphrase);
    return { chain, key: 'in the same file, and belongs to it' };
  }
}

async function keyBeside(path: string, text: string, leaf: X509Certificate): Promise<Omit<Inspected, 'chain'>> {
  const places = text.includes('PRIVATE KEY-----') ? [path] : keyPathsFor(path);
  for (const place of places) {
    const bytes = await readIfThere(place).catch(() => undefined);
    if (bytes === undefined) continue;
    const { mode } = await stat(place);
    const verdict = keyVerdict(bytes.toString('utf8'), leaf);
    // Windows has no such bits, and Node makes some up.
    if (process.platform === 'win32') return { key: `${place}, ${verdict}` };
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    return { key: `${place} (mode ${octal}), ${verdict}`, keyMode: mode & 0o777 };
  }
  return {};
}

function keyVerdict(pem: string, leaf: X509Certificate): string {
  if (pem.includes('ENCRYPTED')) return 'encrypted, so it was not compared';
  try {
    return leaf.checkPrivateKey(createPrivateKey(pem)) ? 'belongs to it' : 'DOES NOT BELONG TO IT';
  } catch {
    return 'is damaged';
  }
}

async function inspectRequest(path: string, bytes: Buffer, io: CommandIo): Promise<number> {
  const { subject, names, key, intact } = await readRequest(bytes.toString('utf8')).catch(() => {
    throw wrong(path, 'is a signing request that cannot be read; make another');
  });
  io.out(`${path}\n  A signing request, no certificate yet: send it to an authority.\n`);
  io.out(`     subject     ${subject}\n     names       ${names.join(', ') || 'none'}\n     key         ${key}\n`);
  if (!intact) io.out('  error    its signature does not fit its key: it was changed or damaged; make another\n');
  return intact ? EXIT.done : EXIT.failed;
}

async function inspectServer(target: RemoteTarget, args: Arguments, io: CommandIo): Promise<number> {
  const source = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
  const system = await systemAuthorities();
  const given = await Promise.all((args.flags.get('ca') ?? []).map(readText));
  let view: RemoteView;
  try {
    view = await viewRemote(target, [...system.certificates, ...given]);
  } catch (error) {
    io.err(`${source}: ${plainFailure(error)}\n`);
    return EXIT.failed;
  }
  const now = new Date();
  const exchange = view.exchange === undefined ? '' : `, ${view.exchange}`;
  io.out(`${source}\n  ${view.protocol}, ${view.cipher}${exchange}\n${chainLines(view.chain, now)}`);
  const by = [system.from, ...(args.flags.get('ca') ?? [])].join(', ');
  const trust = view.distrusted === undefined ? 'trusts it' : `does not trust it: ${view.distrusted}`;
  io.out(`This machine ${trust} (by ${by})\n`);
  return conclude(findingsOf(view.chain, { now, source, host: target.host }), io);
}

async function systemAuthorities(): Promise<{ readonly from: string; readonly certificates: readonly string[] }> {
  for (const path of SYSTEM_AUTHORITIES) {
    const text = (await readIfThere(path).catch(() => undefined))?.toString('utf8');
    if (text !== undefined) return { from: path, certificates: [text] };
  }
  return { from: "the list of authorities in Node.js; the system's own store was not read", certificates: [] };
}

function conclude(findings: readonly Finding[], io: CommandIo): number {
  io.out(findings.length === 0 ? 'Nothing to find fault with.\n' : `Findings\n${findingLines(findings)}`);
  io.out(`Clients\n${verdictLines(findings)}`);
  return findings.some(({ level }) => level === 'error') ? EXIT.failed : EXIT.done;
}
