import { isIPv6 } from 'node:net';
import { upstreamName } from '../config/index.ts';
import type { UpstreamsConfig } from '../config/index.ts';
import type { Protocol } from '../transport/index.ts';
import { waysIn } from '../web/index.ts';
import type { WayIn } from '../web/index.ts';

/** A door that is open. */
export interface OpenDoor {
  /** The address it is bound to. */
  readonly host: string;
  readonly port: number;
  readonly protocols: readonly Protocol[];
  readonly behindProxy: boolean;
}

/**
 * One line for each address worth knowing on this machine: a scheme is named at the door where people expect it, though
 * every door may serve it, and no door is left unnamed.
 */
export function addressLines(doors: readonly OpenDoor[]): string[] {
  const ways = waysIn(doors).map(({ way, door }) => `${way}://${reachable(door.host)}:${door.port}${pathOf(way)}`);
  const forProxies = doors.filter(({ behindProxy }) => behindProxy);
  return [
    ...ways,
    ...forProxies.map(({ host, port }) => `${reachable(host)}:${port}, for proxies with a PROXY protocol header`),
  ];
}

/** Where RTMP goes, when it does not end here. */
export function upstreamLines({ servers, options }: UpstreamsConfig): string[] {
  if (servers.length === 0) return [];
  const how = servers.length === 1 ? '' : ` (${options.balance})`;
  return [`RTMP goes to ${servers.map(upstreamName).join(', ')}${how}`];
}

/** Where those who run it ask and tell. */
export function adminLine({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${reachable(host)}:${port}/api/v1/relays, for those who run it`;
}

function pathOf(way: WayIn): string {
  return way === 'http' || way === 'https' ? '/' : '/APP/STREAM';
}

/** A door on every address is found under the name that every machine has for itself. */
function reachable(host: string): string {
  if (host === '::' || host === '0.0.0.0') return 'localhost';
  return isIPv6(host) ? `[${host}]` : host;
}
