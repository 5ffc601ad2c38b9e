import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The real programs that tests talk to, and the Debian package that brings each. */
const PACKAGES = {
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  rtmpdump: 'rtmpdump',
  haproxy: 'haproxy',
  caddy: 'caddy',
  squid: 'squid-openssl',
  microsocks: 'microsocks',
  apache2: 'apache2',
  'systemd-analyze': 'systemd',
  openssl: 'openssl',
  curl: 'curl',
  chromium: 'chromium',
  certutil: 'libnss3-tools',
  testssl: 'testssl.sh',
  'nginx-rtmp': 'libnginx-mod-rtmp',
  'nginx-stream': 'libnginx-mod-stream',
} as const;

export type Program = keyof typeof PACKAGES;

/** Where Debian and Ubuntu put nginx's modules; each one's package brings nginx along. */
export const RTMP_MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
export const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Whether `program` is there. */
export function has(program: Program): boolean {
  if (program === 'nginx-rtmp') return existsSync(RTMP_MODULE) && isOnPath('nginx');
  if (program === 'nginx-stream') return existsSync(STREAM_MODULE) && isOnPath('nginx');
  return isOnPath(program);
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** " (skipped: ffmpeg is not installed)" for the title of a test that needs what this machine lacks; else nothing. */
export function missing(...programs: Program[]): string {
  const absent = programs.filter((program) => !has(program));
  return absent.length === 0 ? '' : ` (skipped: ${absent.join(', ')} not installed)`;
}

/** Installs what is missing where that is allowed (Debian, root). With CI=true a program still missing is a failure. */
export function installPrograms(): void {
  const absent = (Object.keys(PACKAGES) as Program[]).filter((program) => !has(program));
  if (absent.length === 0) return;
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0)
    installPackages(absent.map((name) => PACKAGES[name]));
  const still = absent.filter((program) => !has(program));
  if (still.length > 0 && process.env.CI === 'true') throw new Error(`CI needs these programs: ${still.join(', ')}`);
}

function installPackages(packages: readonly string[]): void {
  const run = (...args: string[]) =>
    execFileSync('apt-get', ['-qq', ...args], {
      stdio: 'ignore',
      timeout: 240_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  try {
    run('update');
    run('install', '-y', '--no-install-recommends', ...new Set(packages));
  } catch {
    // Offline, or no such package here: the caller says which programs are missing.
  }
}

/** What a finished program left behind. */
export interface Finished {
  /** Exit status, or null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A running program with a time limit; `finished` never rejects. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when standard error shows `text`; rejects when the program ends without it. */
  sees(text: string | RegExp): Promise<void>;
}

/** Starts `program`; it is killed after `limitMs` whatever happens. */
export function run(program: string, args: readonly string[], limitMs = 60_000): Running {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('latin1')));
  const killer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const finished = once(child, 'close').then(([code]) => {
    clearTimeout(killer);
    return { code: code as number | null, stdout: Buffer.concat(stdout), stderr };
  });
  const sees = (text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const check = () => (typeof text === 'string' ? stderr.includes(text) : text.test(stderr)) && resolve();
      child.stderr.on('data', check);
      check();
      void finished.then(() => reject(new Error(`${program} ended without showing ${text}:\n${stderr}`)));
    });
  return { child, finished, sees };
}
