import { OFF, parseHost } from './fields.ts';
import { show } from './problems.ts';
import { DEFAULT_PORTS } from './schema.ts';
import type { DoorSettings } from './schema.ts';

/** The command line's shorthands for single keys of the file, as text. */
export interface Flags {
  readonly rtmp?: string | undefined;
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  readonly admin?: string | undefined;
  readonly upstream?: readonly string[] | undefined;
  readonly certs?: string | undefined;
  readonly 'log-level'?: string | undefined;
}

/** Flags that set one key, whatever it held. */
const KEYS = [
  ['admin', ['admin', 'listen']],
  ['upstream', ['core', 'upstreams']],
  ['certs', ['tls', 'directory']],
  ['log-level', ['log', 'level']],
] as const;

/** Flags that stand for the door on a port. */
const DOORS = [
  ['rtmp', DEFAULT_PORTS.rtmp],
  ['http', DEFAULT_PORTS.http],
  ['https', DEFAULT_PORTS.https],
] as const;

/**
 * Lays the flags over what the file holds, before any of it is checked. What the file has in the place of a section is
 * left for the check to complain about.
 */
export function overlayKeys(tree: unknown, flags: Flags): unknown {
  if (!isSection(tree ?? {})) return tree;
  const result: Record<string, unknown> = { ...(tree as object | null) };
  for (const [flag, [name, key]] of KEYS) {
    const section = result[name] ?? {};
    if (flags[flag] !== undefined && isSection(section)) result[name] = { ...section, [key]: flags[flag] };
  }
  return result;
}

/** The flag that a key's value came from, as one types it. */
export function flagOf(path: readonly PropertyKey[], flags: Flags): string | undefined {
  const found = KEYS.find(
    ([flag, key]) => flags[flag] !== undefined && key.every((step, index) => step === path[index]),
  );
  return found && `--${found[0]}`;
}

/** A door, and what to call it when something is wrong with it. */
export interface PlacedDoor {
  readonly door: DoorSettings;
  /** Where the file has it, or the flag that made it. */
  readonly place: readonly PropertyKey[] | string;
}

type DoorFlag = (typeof DOORS)[number][0];

/** What `[HOST:]PORT` or `off` says. */
type Target = { readonly host?: string; readonly port: number } | typeof OFF;

/** The flag that stands for a default door. */
export function defaultDoorFlag(index: number): string {
  return `--${DOORS[index]?.[0]}`;
}

type Complain = (flag: string, reason: string) => void;

/** Reads the door flags; `complain` hears of those that say neither an address nor `off`. */
export function doorTargets(flags: Flags, complain: Complain): ReadonlyMap<DoorFlag, Target> {
  const targets = new Map<DoorFlag, Target>();
  for (const [name] of DOORS) {
    const text = flags[name];
    const target = text === undefined ? undefined : parseTarget(text);
    if (target !== undefined) targets.set(name, target);
    else if (text !== undefined) complain(`--${name}`, `expected [HOST:]PORT or off, got ${show(text)}`);
  }
  return targets;
}

/**
 * Each door flag gives its address to the doors on its usual port, or leaves them out when it says `off`; it adds a door
 * when there is none there. Ports are those of the file, or `--rtmp 8080 --http 80` would move the first door twice.
 */
export function overlayDoors(
  doors: readonly PlacedDoor[],
  targets: ReadonlyMap<DoorFlag, Target>,
  complain: Complain,
): PlacedDoor[] {
  const result = [...doors];
  for (const [name, port] of DOORS) {
    const target = targets.get(name);
    if (target === undefined) continue;
    const place = `--${name}`;
    const address = target === OFF ? { port: target } : target;
    const indexes = doors.flatMap(({ door }, index) => (door.port === port ? [index] : []));
    for (const index of indexes) result[index] = { door: { ...doors[index]?.door, ...address }, place };
    if (indexes.length > 0) continue;
    if (target === OFF) complain(place, `the file has no door on port ${port} to leave out`);
    else result.push({ door: address, place });
  }
  return result;
}

/** Undefined when the text is neither an address nor `off`. */
export function parseTarget(text: string): Target | undefined {
  if (text === OFF) return OFF;
  const [, hostText, portText] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const host = hostText === undefined ? undefined : parseHost(hostText);
  const port = Number(portText ?? NaN);
  if (!(port <= 65535) || (hostText !== undefined && host === undefined) || isBareIpv6(hostText)) return undefined;
  return host === undefined ? { port } : { host, port };
}

/** `::1:80` could be an address as well as an address with a port. */
function isBareIpv6(host: string | undefined): boolean {
  return host !== undefined && host.includes(':') && !host.startsWith('[');
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
