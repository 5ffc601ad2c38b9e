import { isIPv6 } from 'node:net';
import type { Protocol } from '../transport/index.ts';

/** A door that is open. */
export interface OpenDoor {
  /** The address it is bound to. */
  readonly host: string;
  readonly port: number;
  readonly protocols: readonly Protocol[];
}

const URLS: Readonly<Record<Protocol, (authority: string) => readonly string[]>> = {
  rtmp: (authority) => [`rtmp://${authority}/APP/STREAM`],
  rtmps: (authority) => [`rtmps://${authority}/APP/STREAM`],
  rtmpt: (authority) => [`rtmpt://${authority}/APP/STREAM`],
  rtmpts: (authority) => [`rtmpts://${authority}/APP/STREAM`],
  web: (authority) => [`http://${authority}/`, `https://${authority}/`],
};

/** One line for each address that a client on this machine can use. */
export function addressLines(doors: readonly OpenDoor[]): string[] {
  return doors.flatMap(({ host, port, protocols }) =>
    protocols.flatMap((protocol) => URLS[protocol](`${reachable(host)}:${port}`)),
  );
}

/** A door on every address is found under the name that every machine has for itself. */
function reachable(host: string): string {
  if (host === '::' || host === '0.0.0.0') return 'localhost';
  return isIPv6(host) ? `[${host}]` : host;
}
