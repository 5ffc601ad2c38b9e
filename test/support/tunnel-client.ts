import { afterEach } from 'vitest';
import type { Dial } from '../../src/transport/index.ts';
import { TunnelClient } from '../../src/transport/rtmpt/client.ts';
import type { TunnelClientOptions } from '../../src/transport/rtmpt/client-options.ts';
import { connectTcp } from '../../src/transport/tcp.ts';
import { ScriptedTunnel } from './scripted-tunnel.ts';
import type { Habit } from './scripted-tunnel.ts';

/** Called after the test, the last one first. */
export const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A scripted server, gone after the test. */
export async function start(habit?: Habit): Promise<ScriptedTunnel> {
  const tunnel = await ScriptedTunnel.start(habit);
  cleanups.push(() => tunnel.server.close());
  return tunnel;
}

/** Opens a session at a port of this machine. */
export function open(
  port: number,
  options: Partial<TunnelClientOptions> = {},
  signal = new AbortController().signal,
): Promise<TunnelClient> {
  const dial: Dial = (abort) => connectTcp({ host: '127.0.0.1', port }, abort);
  return TunnelClient.open(dial, { host: `127.0.0.1:${port}`, farewellMs: 100, ...options }, signal);
}

/** The same at a scripted server; gone after the test. */
export async function opened(
  tunnel: ScriptedTunnel,
  options: Partial<TunnelClientOptions> = {},
): Promise<TunnelClient> {
  const client = await open(tunnel.server.port, options);
  cleanups.push(() => client.destroy());
  return client;
}

/** All that a scripted server took, each number's bytes once. */
export function received(tunnel: ScriptedTunnel): string {
  return Buffer.concat(tunnel.received).toString('latin1');
}
