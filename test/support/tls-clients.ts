import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { TlsVersion } from '../../src/transport/index.ts';
import { parseFrameHashes, type Packets } from './packets.ts';
import { has, run } from './programs.ts';

/** Alerts by which a server tells why it goes (RFC 8446, 6.2; RFC 7301, 3.2). */
export const TLS_ALERT = { handshakeFailure: 40, protocolVersion: 70, noApplicationProtocol: 120 } as const;

/** What `openssl s_client` says of a handshake; undefined fields where it did not come to that. */
export interface Handshake {
  /** Whether it came about, and the certificate was in order where that was asked for. */
  readonly succeeded: boolean;
  readonly version: string | undefined;
  readonly cipher: string | undefined;
  /** The common name of the server's certificate. */
  readonly subject: string | undefined;
  readonly signature: string | undefined;
  readonly alpn: string | undefined;
  /** The number of the alert that ended it. */
  readonly alert: number | undefined;
  /** What it complained of, for a failing test to show. */
  readonly said: string;
}

export interface HandshakeOptions {
  /** Without it none is sent. */
  readonly serverName?: string;
  /** Trusted; the chain and `serverName` are checked then, and the handshake fails unless both are right. */
  readonly root?: string;
  readonly version?: TlsVersion;
  /** OpenSSL's list of those offered up to TLS 1.2. */
  readonly ciphers?: string;
  /** OpenSSL's list of the signatures that the client can check. */
  readonly signatures?: string;
  readonly alpn?: readonly string[];
}

const VERSION_FLAGS: Readonly<Record<TlsVersion, string>> = {
  TLSv1: '-tls1',
  'TLSv1.1': '-tls1_1',
  'TLSv1.2': '-tls1_2',
  'TLSv1.3': '-tls1_3',
};

/** Shakes hands and leaves. */
export async function shakeHands(port: number, options: HandshakeOptions = {}): Promise<Handshake> {
  const { serverName, root, version, ciphers, signatures, alpn } = options;
  const args = ['s_client', '-connect', `127.0.0.1:${port}`];
  args.push(...(serverName === undefined ? ['-noservername'] : ['-servername', serverName]));
  if (root !== undefined) args.push('-verify_return_error', '-CAfile', root);
  if (root !== undefined && serverName !== undefined) args.push('-verify_hostname', serverName);
  if (version !== undefined) args.push(VERSION_FLAGS[version]);
  if (ciphers !== undefined) args.push('-cipher', ciphers);
  if (signatures !== undefined) args.push('-sigalgs', signatures);
  if (alpn !== undefined) args.push('-alpn', alpn.join(','));
  const { code, stdout, stderr } = await run('openssl', args).finished;
  return { succeeded: code === 0, ...readHandshake(`${stdout.toString('latin1')}\n${stderr}`), said: stderr };
}

function readHandshake(said: string): Omit<Handshake, 'succeeded' | 'said'> {
  const find = (pattern: RegExp) => pattern.exec(said)?.[1];
  const [, version, cipher] = /^New, (TLSv[\d.]+), Cipher is (\S+)/m.exec(said) ?? [];
  const alert = find(/SSL alert number (\d+)/);
  return {
    version: find(/^\s*Protocol\s*: (\S+)$/m) ?? version,
    cipher,
    subject: find(/^subject=.*?CN = (.+)$/m),
    signature: find(/^Peer signature type: (\S+)$/m),
    alpn: find(/^ALPN protocol: (\S+)$/m),
    alert: alert === undefined ? undefined : Number(alert),
  };
}

/** What a program that fetches a page came back with. */
export interface Fetched {
  readonly succeeded: boolean;
  readonly text: string;
  /** What it complained of. */
  readonly complaint: string;
}

/** Fetches a page with curl, which trusts `root` alone. */
export async function curl(url: string, root: string, ...more: readonly string[]): Promise<Fetched> {
  const args = ['-sS', '--noproxy', '*', '--cacert', root, ...more, url];
  const { code, stdout, stderr } = await run('curl', args).finished;
  return { succeeded: code === 0, text: stdout.toString(), complaint: stderr };
}

/**
 * Left to itself Chromium looks for its maker's hosts at every start. Its sandbox does not work as root, nor in most
 * containers.
 */
const CHROMIUM_FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-quic'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-proxy-server'],
];

/** A Chromium with a home of its own, whose certificate store holds `root` and nothing else. */
export interface Chromium {
  fetch(url: string): Promise<Fetched>;
}

/** `roots` are put into the store that Chromium shares with other programs of a Linux desktop. */
export async function chromium(folder: string, ...roots: readonly string[]): Promise<Chromium> {
  const home = await mkdtemp(join(folder, 'home-'));
  const store = join(home, '.pki/nssdb');
  await mkdir(store, { recursive: true });
  await certutil(store, '-N', '--empty-password');
  for (const root of roots) await certutil(store, '-A', '-t', 'C,,', '-n', root, '-i', root);
  let visits = 0;
  return {
    async fetch(url) {
      const profile = join(home, `profile-${visits++}`);
      const args = [`HOME=${home}`, 'chromium', ...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, '--dump-dom', url];
      const { stdout, stderr } = await run('env', args, 30_000).finished;
      const text = stdout.toString();
      const complaint = /net::ERR_\w+/.exec(stderr)?.[0] ?? '';
      return { succeeded: text !== '' && complaint === '', text, complaint };
    },
  };
}

async function certutil(store: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run('certutil', ['-d', `sql:${store}`, ...args]).finished;
  if (code !== 0) throw new Error(`certutil ${args.join(' ')}: ${stderr}`);
}

/** What makes FFmpeg check a server's certificate; over rtmps only, see the test. */
export function trusting(root: string): readonly string[] {
  return ['-tls_verify', '1', '-ca_file', root];
}

/** Publishes a file in real time with FFmpeg, which checks the certificate where it can. */
export async function publishVerified(file: string, url: string, root: string): Promise<void> {
  const { code, stderr } = await run('ffmpeg', [
    ...['-v', 'error', '-re', '-i', file, '-c', 'copy', '-f', 'flv'],
    ...(url.startsWith('rtmps:') ? trusting(root) : []),
    url,
  ]).finished;
  if (code !== 0) throw new Error(`FFmpeg did not publish to ${url}: ${stderr}`);
}

/** Plays to the end of the stream with FFmpeg, which checks the certificate where it can. */
export async function playVerified(url: string, root: string): Promise<Packets> {
  const checks = url.startsWith('rtmps:') ? trusting(root) : [];
  const args = ['-v', 'error', ...checks, '-i', url, '-c', 'copy', '-f', 'framemd5', '-'];
  const { stdout, stderr } = await run('ffmpeg', args).finished;
  if (stdout.length === 0) throw new Error(`FFmpeg did not play ${url}: ${stderr}`);
  return parseFrameHashes(stdout.toString());
}

/** Whether rtmpdump is there in Debian's build, which breaks on TLS 1.3. */
export function rtmpdumpUsesGnutls(): boolean {
  if (!has('rtmpdump')) return false;
  return execFileSync('sh', ['-c', 'ldd "$(command -v rtmpdump)"']).includes('libgnutls');
}
