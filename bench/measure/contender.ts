import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { accepts, freePort } from './ports.ts';
import { writePair } from './tls.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = join(ROOT, 'dist/main.js');
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;

/** A server under test: a process of ours on free ports of the loopback interface. */
export interface Contender {
  readonly name: string;
  readonly pid: number;
  /** 0 for what it does not speak. */
  readonly rtmp: number;
  readonly http: number;
  readonly rtmps: number;
  /** Where publishers go: a server behind it has a port of its own for them. */
  readonly publish: number;
  stop(): Promise<void>;
}

/** How to start one, or why that cannot be done here. */
export interface Entry {
  readonly name: string;
  readonly missing?: string;
  /** `upstream`: the port of the RTMP server that it is to stand in front of. */
  start(upstream?: number): Promise<Contender>;
}

export const GATEWAY = 'rtmp-gateway';

/** This project's gateway, from `dist`; `settings` are further keys of its configuration. */
export function gateway(name = GATEWAY, settings: Record<string, unknown> = {}): Entry {
  return {
    name,
    ...(!existsSync(MAIN) && { missing: 'dist/main.js is missing: npm run build' }),
    start: async (upstream) => {
      const folder = await mkdtemp(join(tmpdir(), 'bench-gateway-'));
      const file = join(folder, 'gateway.yaml');
      const listen = [['rtmp'], ['rtmpt', 'web'], ['rtmps']].map((protocols) => ({
        host: '127.0.0.1',
        port: 0,
        protocols,
      }));
      const tls = { certificates: [await writePair(folder)] };
      const core = upstream === undefined ? {} : { upstreams: [`rtmp://127.0.0.1:${upstream}`] };
      // JSON is YAML.
      await writeFile(file, JSON.stringify({ listen, core, tls, log: { level: 'info', format: 'json' }, ...settings }));
      const child = spawn(process.execPath, [MAIN, '--config', file], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ports = await readyPorts(child);
      return contender(name, child, folder, ports);
    },
  };
}

/** nginx with the rtmp module in one process, as Debian's libnginx-mod-rtmp brings it. */
export function nginx(): Entry {
  const module = nginxModule();
  return {
    name: 'nginx-rtmp',
    ...(module === undefined && { missing: 'nginx with the rtmp module is not installed (Debian: libnginx-mod-rtmp)' }),
    start: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'bench-nginx-'));
      const port = await freePort();
      const file = join(folder, 'nginx.conf');
      await writeFile(file, nginxConfiguration(module!, folder, port));
      const child = spawn('nginx', ['-c', file, '-p', folder], { stdio: 'ignore' });
      await listening(port, child);
      return contender('nginx-rtmp', child, folder, { rtmp: port });
    },
  };
}

/** One of the small programs in `bench/floors`: an HTTP server, or a relay that gets its pair and what is behind it. */
export function floor(name: string, file: string, speaks: keyof Ports = 'http'): Entry {
  return {
    name,
    start: async (upstream) => {
      const folder = await mkdtemp(join(tmpdir(), 'bench-floor-'));
      const port = await freePort();
      const more = speaks === 'http' ? [] : [upstream ?? 0, ...Object.values(await writePair(folder))];
      const values = [port, ...more].map(String);
      const child = spawn(process.execPath, [join(ROOT, 'bench/floors', file), ...values], { stdio: 'ignore' });
      await listening(port, child);
      return contender(name, child, folder, { [speaks]: port });
    },
  };
}

interface Ports {
  readonly rtmp: number;
  readonly http: number;
  readonly rtmps: number;
}

/** What was started as `child` with its files in `folder`, which is removed when it is stopped. */
export function contender(name: string, child: ChildProcess, folder: string, given: Partial<Ports>): Contender {
  const ports = { rtmp: 0, http: 0, rtmps: 0, publish: given.rtmp ?? 0, ...given };
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await ended;
      clearTimeout(killer);
    }
    await rm(folder, { recursive: true, force: true });
  };
  return { name, pid: child.pid!, ...ports, stop };
}

/** Waits for the gateway's log line that names its bound ports. */
function readyPorts(child: ChildProcess): Promise<Ports> {
  return new Promise((resolve, reject) => {
    let text = '';
    const fail = (why: string) => reject(new Error(`the gateway ${why}:\n${text}`));
    const timer = setTimeout(() => fail('was not ready in time'), START_LIMIT_MS);
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const ready = text
        .split('\n')
        .slice(0, -1)
        .find((line) => line.includes('"event":"ready"'));
      if (ready === undefined) return;
      clearTimeout(timer);
      for (const stream of [child.stdout!, child.stderr!]) stream.off('data', read).resume();
      resolve(portsOf(ready));
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    child.once('exit', (code) => fail(`ended with status ${code}`));
  });
}

/** Ports are listed in the order of the configuration's `listen`. */
function portsOf(line: string): Ports {
  const [rtmp, http, rtmps] = [...line.matchAll(/"port":(\d+)/g)].map((match) => Number(match[1]));
  return { rtmp: rtmp!, http: http!, rtmps: rtmps! };
}

function nginxModule(): string | undefined {
  const { stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8' });
  const folder = /--modules-path=(\S+)/.exec(stderr ?? '')?.[1] ?? '/usr/lib/nginx/modules';
  const file = join(folder, 'ngx_rtmp_module.so');
  return existsSync(file) ? file : undefined;
}

function nginxConfiguration(module: string, folder: string, port: number): string {
  return `
    load_module ${module};
    daemon off;
    master_process off;
    pid ${folder}/pid;
    error_log ${folder}/error.log error;
    events { worker_connections 8192; }
    rtmp {
      access_log off;
      server {
        listen 127.0.0.1:${port};
        chunk_size 4096;
        application live { live on; wait_key off; }
      }
    }`;
}

/** Resolves once somebody accepts connections on `port`; a program that never does is killed. */
export async function listening(port: number, child: ChildProcess): Promise<void> {
  const until = Date.now() + START_LIMIT_MS;
  while (Date.now() < until && child.exitCode === null) {
    if (await accepts(port)) return;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error(`${child.spawnfile} did not listen on port ${port}`);
}
