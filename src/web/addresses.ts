/** A listening door as the pages see it: its port, and what may be spoken there. */
export interface WebDoor {
  readonly port: number;
  readonly protocols: readonly string[];
}

/** Where a visitor's browser found us. */
export interface Visited {
  /** Host name or IP address, IPv6 in brackets. */
  readonly name: string;
  readonly port: number;
  readonly secure: boolean;
}

export type MediaScheme = 'rtmp' | 'rtmps' | 'rtmpt' | 'rtmpts';

/** Each way in, the ports where people expect it (best first), and a word about it. */
const WAYS: readonly {
  readonly scheme: MediaScheme;
  readonly usualPorts: readonly number[];
  readonly about: string;
}[] = [
  { scheme: 'rtmp', usualPorts: [1935], about: 'plain RTMP, for networks that let it through' },
  { scheme: 'rtmps', usualPorts: [443, 8443], about: 'RTMP inside TLS' },
  { scheme: 'rtmpt', usualPorts: [80, 8080], about: 'RTMP inside HTTP requests, for networks that allow only the web' },
  { scheme: 'rtmpts', usualPorts: [443, 8443], about: 'RTMP inside HTTPS requests' },
];

export interface MediaAddress {
  readonly scheme: MediaScheme;
  /** `rtmp://host:port`, without a path. */
  readonly origin: string;
  readonly about: string;
}

/**
 * Reads a Host header, which a client may fill with anything; what is no host is replaced by the address that the
 * request came in on.
 */
export function visitedHost(
  header: string | undefined,
  secure: boolean,
  local: { address: string; port: number },
): Visited {
  const [, name, port] = /^([A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?$/.exec(header ?? '') ?? [];
  if (name === undefined || Number(port ?? 0) > 65535) {
    return { name: local.address.includes(':') ? `[${local.address}]` : local.address, port: local.port, secure };
  }
  return { name, port: port === undefined ? (secure ? 443 : 80) : Number(port), secure };
}

/** One address for each scheme that some door serves. */
export function mediaAddresses(visited: Visited, doors: readonly WebDoor[]): MediaAddress[] {
  return WAYS.flatMap(({ scheme, usualPorts, about }) => {
    const open = doors.filter(({ protocols }) => protocols.includes(scheme)).map(({ port }) => port);
    const port = cameThroughProxy(scheme, visited, doors) ? visited.port : choosePort(open, usualPorts, visited.port);
    return port === undefined ? [] : [{ scheme, origin: `${scheme}://${visited.name}:${port}`, about }];
  });
}

/** A port that is none of ours belongs to a proxy: HTTP came through it, so the tunnel will; RTMP itself may not. */
function cameThroughProxy(scheme: MediaScheme, visited: Visited, doors: readonly WebDoor[]): boolean {
  const ours = doors.some(({ port }) => port === visited.port);
  return (
    !ours && scheme === (visited.secure ? 'rtmpts' : 'rtmpt') && doors.some((door) => door.protocols.includes(scheme))
  );
}

function choosePort(open: readonly number[], usual: readonly number[], visited: number): number | undefined {
  return usual.find((port) => open.includes(port)) ?? open.find((port) => port === visited) ?? open[0];
}
