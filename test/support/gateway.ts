import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeFileSync } from 'node:fs';
import { loadConfig } from '../../src/config/index.ts';
import { Gateway } from '../../src/gateway.ts';
import { NO_LOG, type Log } from '../../src/log.ts';
import type { Scheme } from '../../src/transport/index.ts';

/** A whole gateway on free ports of loopback, with a certificate folder of its own. */
export interface TestGateway {
  readonly gateway: Gateway;
  readonly ports: { readonly rtmp: number; readonly http: number; readonly https: number };
  /** `rtmpts://127.0.0.1:PORT/path` */
  url(scheme: Scheme, path: string): string;
  /** Players of `app/stream`; 0 when there is no such stream. */
  subscribers(path: string): number;
  publishing(path: string): boolean;
  /** Resolves once `condition` holds; looks every few milliseconds, and gives up loudly after `limitMs`. */
  until(condition: () => boolean, limitMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a gateway with `overrides` as its configuration file (the keys of the README). */
export async function startGateway(overrides: Record<string, unknown> = {}, log: Log = NO_LOG): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-'));
  const file = join(folder, 'rtmp-gateway.yaml');
  const host = '127.0.0.1';
  const listen = [
    { host, port: 0 },
    { host, port: 0 },
    { host, port: 0 },
  ];
  writeFileSync(file, stringify({ listen, tls: { directory: join(folder, 'certs') }, ...overrides }));
  const { config } = loadConfig({ file, env: {}, terminal: false });
  const gateway = new Gateway(config, log);
  const [rtmp, http, https] = (await gateway.start()).map(({ port }) => port);
  const ports = { rtmp: rtmp!, http: http!, https: https! };
  const find = (path: string) => gateway.streams().find(({ name }) => `${name.app}/${name.key}` === path);
  return {
    gateway,
    ports,
    url: (scheme, path) => `${scheme}://127.0.0.1:${portFor(scheme, ports)}/${path}`,
    subscribers: (path) => find(path)?.subscribers ?? 0,
    publishing: (path) => find(path)?.publishing ?? false,
    until,
    async stop() {
      await gateway.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function portFor(scheme: Scheme, ports: TestGateway['ports']): number {
  if (scheme === 'rtmp') return ports.rtmp;
  return scheme === 'rtmpt' ? ports.http : ports.https;
}

async function until(condition: () => boolean, limitMs = 15_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still not so after ${limitMs / 1000} s: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
