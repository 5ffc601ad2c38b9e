/** A listening door as the pages see it: its port, and what may be spoken there. */
export interface WebDoor {
  readonly port: number;
  readonly protocols: readonly string[];
  /** Only a proxy can use it, for it must send a PROXY protocol header first. */
  readonly behindProxy: boolean;
}

/** Where a visitor's browser found us. */
export interface Visited {
  /** Host name or IP address, IPv6 in brackets. */
  readonly name: string;
  readonly port: number;
  readonly secure: boolean;
}

export type MediaScheme = 'rtmp' | 'rtmps' | 'rtmpt' | 'rtmpts';

/** What an address that people are told may begin with. */
export type WayIn = MediaScheme | 'http' | 'https';

const PLAIN_HTTP = { usualPorts: [80, 8080], place: 1 } as const;
const TLS = { usualPorts: [443, 8443], place: 2 } as const;

/**
 * Each way in: what a door must allow for it, the ports where people expect it (best first), and, where no port tells,
 * the door's place in the order in which doors are usually listed: RTMP, HTTP, HTTPS.
 */
const WAYS: Readonly<
  Record<WayIn, { readonly protocol: string; readonly usualPorts: readonly number[]; readonly place: number }>
> = {
  rtmp: { protocol: 'rtmp', usualPorts: [1935], place: 0 },
  rtmps: { protocol: 'rtmps', ...TLS },
  rtmpt: { protocol: 'rtmpt', ...PLAIN_HTTP },
  rtmpts: { protocol: 'rtmpts', ...TLS },
  http: { protocol: 'web', ...PLAIN_HTTP },
  https: { protocol: 'web', ...TLS },
};

const WAY_NAMES = Object.keys(WAYS) as WayIn[];

/** A word about each scheme, in the order of the page. */
const ABOUT: readonly { readonly scheme: MediaScheme; readonly about: string }[] = [
  { scheme: 'rtmp', about: 'plain RTMP, for networks that let it through' },
  { scheme: 'rtmps', about: 'RTMP inside TLS' },
  { scheme: 'rtmpt', about: 'RTMP inside HTTP requests, for networks that allow only the web' },
  { scheme: 'rtmpts', about: 'RTMP inside HTTPS requests' },
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

/**
 * One address for each scheme that some door serves. A door behind a proxy counts where the visitor has just come
 * through its port: the proxy listens on the same one.
 */
export function mediaAddresses(visited: Visited, doors: readonly WebDoor[]): MediaAddress[] {
  const reachable = doors.filter((door) => !door.behindProxy || door.port === visited.port);
  return ABOUT.flatMap(({ scheme, about }) => {
    const open = doorsFor(scheme, reachable);
    const port = cameThroughProxy(scheme, visited, doors) ? visited.port : choosePort(scheme, open, visited.port);
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

function choosePort(scheme: MediaScheme, open: readonly WebDoor[], visited: number): number | undefined {
  const door = atUsualPort(scheme, open) ?? open.find(({ port }) => port === visited) ?? open[0];
  return door?.port;
}

/**
 * For the doors that clients can use by themselves: the door to name for each way in that some door allows, then what names the doors that are left over: every way once
 * and every door at least once. All of these doors may well serve all the ways.
 */
export function waysIn<D extends WebDoor>(all: readonly D[]): { readonly way: WayIn; readonly door: D }[] {
  const doors = all.filter(({ behindProxy }) => !behindProxy);
  const best = WAY_NAMES.flatMap((way) => {
    const door = bestDoor(way, doors);
    return door === undefined ? [] : [{ way, door }];
  });
  const others = doors.filter((door) => best.every((named) => named.door !== door));
  return [...best, ...others.flatMap((door) => firstWay(door))];
}

/** The one on a usual port; or else, of those that no other way has a claim on, the one in the usual place. */
function bestDoor<D extends WebDoor>(way: WayIn, doors: readonly D[]): D | undefined {
  const open = doorsFor(way, doors);
  const unclaimed = open.filter((door) => WAY_NAMES.every((other) => !isUsual(other, door)));
  const candidates = unclaimed.length > 0 ? unclaimed : open;
  const { place } = WAYS[way];
  const placed = candidates.find((door) => door === doors[place]);
  return atUsualPort(way, open) ?? placed ?? candidates.at(place === 0 ? 0 : -1);
}

/** What a door is for, by its port, or the first thing that it allows. */
function firstWay<D extends WebDoor>(door: D): { readonly way: WayIn; readonly door: D }[] {
  const allowed = WAY_NAMES.filter((way) => door.protocols.includes(WAYS[way].protocol));
  const way = allowed.find((name) => isUsual(name, door)) ?? allowed[0];
  return way === undefined ? [] : [{ way, door }];
}

function doorsFor<D extends WebDoor>(way: WayIn, doors: readonly D[]): D[] {
  return doors.filter(({ protocols }) => protocols.includes(WAYS[way].protocol));
}

function atUsualPort<D extends WebDoor>(way: WayIn, open: readonly D[]): D | undefined {
  const port = WAYS[way].usualPorts.find((usual) => open.some((door) => door.port === usual));
  return open.find((door) => door.port === port);
}

function isUsual(way: WayIn, { port }: WebDoor): boolean {
  return WAYS[way].usualPorts.includes(port);
}
