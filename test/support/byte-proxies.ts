import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepts, freePorts } from '../../bench/measure/ports.ts';
import { run, STREAM_MODULE, type Running } from './programs.ts';

/** A proxy that only carries bytes, in front of one port of this machine. */
export interface ByteProxy {
  /** Its ports, in the order of what was asked for. */
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

const LIMIT_MS = 120_000;

/**
 * HAProxy with one listener for each list of server options (`send-proxy`, `send-proxy-v2 …`), on IPv4 and IPv6, all to
 * `target`, from the address `source`, health checks included.
 */
export async function startHaproxy(
  serverOptions: readonly string[],
  target: number,
  source: string,
): Promise<ByteProxy> {
  const ports = await freePorts(serverOptions.length);
  const listeners = serverOptions.map(
    (options, index) => `listen door${index}
  bind :::${ports[index]} v4v6
  server gateway 127.0.0.1:${target} source ${source} check inter 200ms ${options}`,
  );
  const config = `defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  unique-id-format %ci-%cp
${listeners.join('\n')}
`;
  return startProxy('haproxy', config, ports, (file) => ['-db', '-f', file]);
}

/** nginx with `proxy_protocol on`, on one port for IPv4 and IPv6, to `target` from the address `source`. */
export async function startNginxStream(target: number, source: string): Promise<ByteProxy> {
  const ports = await freePorts(1);
  const config = `load_module ${STREAM_MODULE};
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
stream {
  server {
    listen [::]:${ports[0]} ipv6only=off;
    proxy_pass 127.0.0.1:${target};
    proxy_bind ${source};
    proxy_protocol on;
  }
}
`;
  return startProxy('nginx', config, ports, (file, folder) => ['-p', folder, '-c', file, '-e', 'stderr']);
}

/** Starts `program` with `config` in a folder of its own; resolves once it accepts connections on all of `ports`. */
export async function startProxy(
  program: string,
  config: string,
  ports: readonly number[],
  args: (file: string, folder: string) => string[],
): Promise<ByteProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-proxy-'));
  const file = join(folder, 'proxy.conf');
  await writeFile(file, config);
  const running = run(program, args(file, folder), LIMIT_MS);
  const stop = async (): Promise<void> => {
    running.child.kill('SIGKILL');
    await running.finished;
    await rm(folder, { recursive: true, force: true });
  };
  await Promise.all(ports.map((port) => accepting(port, running)));
  return { ports, stop };
}

/** Resolves once somebody accepts connections there; rejects when the program ends before. */
async function accepting(port: number, running: Running): Promise<void> {
  let ended: string | undefined;
  void running.finished.then(({ stderr }) => (ended = stderr));
  while (!(await accepts(port))) {
    if (ended !== undefined) throw new Error(`the proxy ended: ${ended}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
