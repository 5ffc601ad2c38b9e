import { startGateway, type TestGateway } from './gateway.ts';
import type { PemFiles } from './tls-authority.ts';

/** The ways a door may be set that clients tell apart. */
export const DOORS = {
  defaults: {},
  'TLS 1.2 only': { maxVersion: 'TLSv1.2' },
  'TLS 1.3 only': { minVersion: 'TLSv1.3' },
} as const;

export type DoorName = keyof typeof DOORS;
export const DOOR_NAMES = Object.keys(DOORS) as DoorName[];

/** A gateway with one port for each of `DOORS`, all four protocols and pages on each. */
export interface TlsGateway extends Pick<TestGateway, 'gateway' | 'subscribers' | 'until' | 'stop'> {
  readonly port: (door: DoorName) => number;
}

/** Serves with these certificates; the first is the default. */
export async function startTlsGateway(...certificates: readonly PemFiles[]): Promise<TlsGateway> {
  const listen = Object.values(DOORS).map((tls) => ({ host: '127.0.0.1', port: 0, tls }));
  const started = await startGateway({ listen, tls: { certificates }, core: { grace: '300ms' } });
  const ports = Object.values(started.ports);
  return { ...started, port: (door) => ports[DOOR_NAMES.indexOf(door)]! };
}
