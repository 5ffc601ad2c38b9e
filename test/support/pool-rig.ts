import type { Duplex } from 'node:stream';
import { TransportError } from '../../src/errors.ts';
import { Upstreams, type UpstreamsOptions } from '../../src/transport/index.ts';
import { memoryPair } from './memory-link.ts';
import { recordingLog } from './recording-log.ts';

/** How a server of the rig behaves. */
export type Behaviour = 'answers' | 'refuses' | 'never answers' | 'hangs';

export interface RigServer {
  readonly name: string;
  readonly weight: number;
  behaviour: Behaviour;
  /** Connects that were tried, and probes that were asked. */
  dials: number;
  probes: number;
  /** Our ends of open connections. */
  readonly streams: Duplex[];
}

/** A pool of servers that behave as they are told. Time is the test's. */
export function poolRig(weights: Readonly<Record<string, number>>, options: Partial<UpstreamsOptions> = {}) {
  const { log, lines } = recordingLog();
  const servers = Object.entries(weights).map(([name, weight]): RigServer => {
    return { name, weight, behaviour: 'answers', dials: 0, probes: 0, streams: [] };
  });
  const owners = new WeakMap<Duplex, RigServer>();
  const dialTo = (server: RigServer) => async (signal: AbortSignal) => {
    server.dials += 1;
    if (server.behaviour === 'refuses') throw refused();
    if (server.behaviour === 'never answers') await aborted(signal);
    const [ours] = memoryPair();
    owners.set(ours, server);
    server.streams.push(ours);
    return ours;
  };
  const probe = async (stream: Duplex, signal: AbortSignal): Promise<void> => {
    const server = owners.get(stream)!;
    server.probes += 1;
    if (server.behaviour === 'hangs') await aborted(signal);
  };
  const pool = new Upstreams(
    servers.map((server) => ({ name: server.name, weight: server.weight, dial: dialTo(server) })),
    options,
    { log, probe, random: () => 0.5 },
  );
  const byName = (name: string): RigServer => servers.find((server) => server.name === name)!;
  const dial = (): Promise<Duplex> => pool.dial(new AbortController().signal);
  /** How many connections each server has. */
  const spread = (): Record<string, number> =>
    Object.fromEntries(pool.counts().map(({ name, connections }) => [name, connections]));
  const told = (): string[] =>
    lines
      .filter(({ level }) => level === 'warn' || level === 'info')
      .map(({ message }) => message)
      .filter((message) => message !== 'bridged');
  return { pool, servers, byName, dial, spread, told };
}

function refused(): TransportError {
  const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
  return new TransportError('CONNECT_FAILED', 'no connection', { cause });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}
