import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepts, freePorts } from '../../bench/measure/ports.ts';
import { run, RTMP_MODULE, type Running } from './programs.ts';

/** A real RTMP server that is not ours, on a port of its own that it keeps when it is started again. */
export class NginxRtmp {
  readonly port: number;
  readonly #statusPort: number;
  readonly #folder: string;
  #running: Running | undefined;
  #last = '';

  private constructor(folder: string, port: number, statusPort: number) {
    this.#folder = folder;
    this.port = port;
    this.#statusPort = statusPort;
  }

  static async start(): Promise<NginxRtmp> {
    const folder = await mkdtemp(join(tmpdir(), 'nginx-rtmp-'));
    const [port, statusPort] = await freePorts(2);
    const server = new NginxRtmp(folder, port!, statusPort!);
    await server.start();
    return server;
  }

  get url(): string {
    return `rtmp://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const file = join(this.#folder, 'nginx.conf');
    await writeFile(file, configuration(this.#folder, this.port, this.#statusPort));
    this.#running = run('nginx', ['-c', file, '-p', this.#folder], 300_000);
    void this.#running.finished.then(({ stderr }) => (this.#last = stderr));
    await this.#accepting();
  }

  /** Without a word to anybody, as a crash. */
  async kill(): Promise<void> {
    this.#running?.child.kill('SIGKILL');
    await this.#running?.finished;
    this.#running = undefined;
  }

  /** Publishers and players that it knows of, by the stream's name. */
  async clients(): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(`http://127.0.0.1:${this.#statusPort}/`);
    const streams = (await response.text()).matchAll(/<stream>\s*<name>([^<]*)<[^]*?<nclients>(\d+)</g);
    return new Map([...streams].map(([, name = '', count]) => [name, Number(count)]));
  }

  /** Resolves once so many have come to a stream, or left it. */
  async has(stream: string, count: number): Promise<void> {
    const until = Date.now() + 15_000;
    for (let known = -1; known !== count;) {
      if (Date.now() > until) throw new Error(`${known} clients of ${stream}, not ${count}`);
      known = (await this.clients()).get(stream) ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #accepting(): Promise<void> {
    const until = Date.now() + 10_000;
    while (!(await accepts(this.port))) {
      if (Date.now() > until) throw new Error(`nginx does not listen: ${this.#last}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** One process; publishers and players get everything from the first packet on, and each other's ends at once. */
function configuration(folder: string, port: number, statusPort: number): string {
  return `
    load_module ${RTMP_MODULE};
    daemon off;
    master_process off;
    pid ${folder}/pid;
    error_log ${folder}/error.log error;
    events { worker_connections 1024; }
    http {
      access_log off;
      client_body_temp_path ${folder}/body;
      proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi;
      scgi_temp_path ${folder}/scgi;
      server {
        listen 127.0.0.1:${statusPort};
        location / { rtmp_stat all; }
      }
    }
    rtmp {
      access_log off;
      server {
        listen 127.0.0.1:${port};
        chunk_size 4096;
        out_queue 4096;
        application live {
          live on;
          idle_streams on;
          wait_key off;
          wait_video off;
          interleave on;
          sync 0;
          drop_idle_publisher 20s;
          publish_notify on;
        }
      }
    }`;
}
