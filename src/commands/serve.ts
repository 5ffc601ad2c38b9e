import { loadConfig, upstreamName } from '../config/index.ts';
import type { Config, Flags } from '../config/index.ts';
import type { createLog, Log } from '../log.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';
import { addressLines, adminLine, upstreamLines } from './ready.ts';
import type { OpenDoor } from './ready.ts';
import { reload } from './reload.ts';
import type { Reloadable } from './reload.ts';
import { startFailure } from './start-failure.ts';

/** What this command needs of the gateway. */
export interface Runnable extends Reloadable {
  start(): Promise<readonly OpenDoor[]>;
  /** Where the admin listener is, if there is one. */
  readonly adminPort: number | undefined;
  /** Drains. */
  stop(): Promise<void>;
  destroy(): void;
}

export interface ServeDependencies {
  readonly createGateway: (config: Config, log: Log) => Runnable;
  readonly createLog: typeof createLog;
}

export const SERVE_FLAGS: FlagKinds = {
  config: 'value',
  rtmp: 'value',
  http: 'value',
  https: 'value',
  admin: 'value',
  upstream: 'values',
  certs: 'value',
  'log-level': 'value',
};

/** Runs the gateway until a signal ends it; resolves to the exit status. Throws `ConfigError`. */
export async function serve(args: Arguments, io: CommandIo, dependencies: ServeDependencies): Promise<number> {
  const load = () => loadConfig({ ...sourceOf(args), env: io.env, terminal: io.terminal }).config;
  const config = load();
  const log = dependencies.createLog(config.log);
  const gateway = dependencies.createGateway(config, log);
  let reloaded = Promise.resolve(config);
  // One after the other: each compares with what the last one left.
  const signals = new Signals(io, () => {
    reloaded = reloaded.then((running) => reload(gateway, running, load, log));
  });
  try {
    // `demanded` comes first: a gateway that is stopped twice while it starts need not come up any more.
    const running = run(gateway, config, signals, io, log);
    return await Promise.race([signals.demanded.then(() => EXIT.failed), running]);
  } finally {
    signals.close();
    gateway.destroy();
  }
}

async function run(gateway: Runnable, config: Config, signals: Signals, io: CommandIo, log: Log): Promise<number> {
  try {
    announce(await gateway.start(), gateway.adminPort, config, io, log);
  } catch (error) {
    return failed(error, io);
  }
  log.info({ event: 'stopping', signal: await signals.asked }, 'draining; another signal stops at once');
  await gateway.stop();
  log.info({ event: 'stopped' }, 'stopped');
  return EXIT.done;
}

function sourceOf({ flags }: Arguments): { readonly file: string | undefined; readonly flags: Flags } {
  const one = (name: string) => flags.get(name)?.[0];
  return {
    file: one('config'),
    flags: {
      rtmp: one('rtmp'),
      http: one('http'),
      https: one('https'),
      admin: one('admin'),
      upstream: flags.get('upstream'),
      certs: one('certs'),
      'log-level': one('log-level'),
    },
  };
}

function announce(
  doors: readonly OpenDoor[],
  adminPort: number | undefined,
  { upstreams, admin }: Config,
  io: CommandIo,
  log: Log,
): void {
  const api = admin === null || adminPort === undefined ? [] : [adminLine({ ...admin, port: adminPort })];
  const lines = [...addressLines(doors), ...upstreamLines(upstreams), ...api].map((line) => `  ${line}\n`);
  io.out(`rtmp-gateway ${io.version} is ready:\n${lines.join('')}`);
  const rtmp = upstreams.servers.length > 0 ? upstreams.servers.map(upstreamName) : 'built-in core';
  log.info({ event: 'ready', ports: doors.map(({ port }) => port), listen: doors, rtmp, admin: adminPort }, 'ready');
}

function failed(error: unknown, io: CommandIo): number {
  const failure = startFailure(error);
  if (failure === undefined) throw error;
  io.err(`rtmp-gateway: ${failure.message}\n`);
  return failure.status;
}

/** SIGTERM and SIGINT: the first one asks, the second one demands. SIGHUP reloads. */
class Signals {
  /** Resolves to the first signal's name. */
  readonly asked: Promise<string>;
  /** Resolves at the second. */
  readonly demanded: Promise<void>;
  readonly #io: CommandIo;
  readonly #handlers: ReadonlyMap<string, () => void>;

  constructor(io: CommandIo, hangup: () => void) {
    let ask: (signal: string) => void = () => {};
    let demand: () => void = () => {};
    this.asked = new Promise((resolve) => (ask = resolve));
    this.demanded = new Promise((resolve) => (demand = resolve));
    let count = 0;
    const stop = (signal: string) => (count++ === 0 ? ask(signal) : demand());
    this.#io = io;
    this.#handlers = new Map([
      ['SIGTERM', () => stop('SIGTERM')],
      ['SIGINT', () => stop('SIGINT')],
      ['SIGHUP', hangup],
    ]);
    for (const [signal, handler] of this.#handlers) io.signals.on(signal, handler);
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) this.#io.signals.off(signal, handler);
  }
}
