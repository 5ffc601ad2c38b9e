/**
 * From a YAML file, the environment and the command line's flags to one `Config`: defaults, then the file, then flags.
 * Everything is checked before anything is opened, and all that is wrong is said at once, each with its place.
 */
import type { z } from 'zod';
import { contradictions } from './checks.ts';
import type { Complaint } from './checks.ts';
import { defaultDoorFlag, doorTargets, flagOf, overlayDoors, overlayKeys } from './flags.ts';
import type { Flags, PlacedDoor } from './flags.ts';
import { formatPath, InvalidConfigError } from './problems.ts';
import type { Problem } from './problems.ts';
import { toConfig } from './resolve.ts';
import type { Config } from './resolve.ts';
import { schema } from './schema.ts';
import type { Settings } from './schema.ts';
import type { Environment } from './units.ts';
import { formatTree, readTree, readTreeIfPresent } from './yaml.ts';
import type { Tree } from './yaml.ts';

export { InvalidConfigError, suggestion } from './problems.ts';
export type { Problem } from './problems.ts';
export type { Config } from './resolve.ts';
export { upstreamName } from './upstreams.ts';
export type { ProxyProtocolOut, UpstreamsConfig, UpstreamTarget } from './upstreams.ts';
export type { Flags } from './flags.ts';
export type { Environment } from './units.ts';

/** Read from the working directory when no other file is named, if it is there. */
export const DEFAULT_FILE = 'rtmp-gateway.yaml';

export interface ConfigSource {
  /** Must exist; without it `DEFAULT_FILE` is read if there is one. */
  readonly file?: string | undefined;
  readonly flags?: Flags;
  readonly env: Environment;
  /** Standard output is a terminal: logs are for people, unless the file says otherwise. */
  readonly terminal: boolean;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, if any. */
  readonly file: string | undefined;
  /** What is in force, as a configuration file; secrets are hidden. */
  readonly effective: string;
}

/** Throws `InvalidConfigError`, which is a `ConfigError` with every problem's file, line, path and reason. */
export function loadConfig({ file, flags = {}, env, terminal }: ConfigSource): LoadedConfig {
  const tree = file === undefined ? readTreeIfPresent(DEFAULT_FILE, env) : readTree(file, env);
  const settings = readSettings(tree, flags);
  const config = toConfig(settings, terminal);
  const effective = formatSettings({ ...settings, log: config.log });
  return { config, file: tree?.file, effective };
}

function readSettings(tree: Tree | undefined, flags: Flags): Settings {
  const parsed = schema.safeParse(overlayKeys(tree?.value ?? {}, flags));
  const complaints: Complaint[] = parsed.success ? [] : parsed.error.issues.flatMap(complaintsOf);
  const complain = (place: string, reason: string) => void complaints.push({ place, reason });
  const targets = doorTargets(flags, complain);
  if (parsed.success) {
    const doors = overlayDoors(placeDoors(parsed.data.listen, tree), targets, complain);
    const settings = { ...parsed.data, listen: doors.map(({ door }) => door) };
    complaints.push(...contradictions(settings, doors));
    if (complaints.length === 0) return settings;
  }
  throw new InvalidConfigError(
    'CONFIG_INVALID',
    inOrder(complaints.map((complaint) => locate(complaint, tree, flags))),
  );
}

/** Doors that nobody wrote down go by the name of the flag that would change them. */
function placeDoors(doors: Settings['listen'], tree: Tree | undefined): PlacedDoor[] {
  const written = typeof tree?.value === 'object' && tree.value !== null && 'listen' in tree.value;
  return doors.map((door, index) => ({ door, place: written ? ['listen', index] : defaultDoorFlag(index) }));
}

/** One complaint for each unknown key: zod puts all of a section into one issue. */
function complaintsOf(issue: z.core.$ZodIssue): Complaint[] {
  if (issue.code !== 'unrecognized_keys') return [{ place: issue.path, reason: issue.message }];
  const reasons = issue.message.split('\n');
  return issue.keys.map((key, index) => ({ place: [...issue.path, key], reason: reasons[index] ?? 'unknown key' }));
}

function locate({ place, reason }: Complaint, tree: Tree | undefined, flags: Flags): Problem {
  if (typeof place === 'string') return { path: place, reason };
  const flag = flagOf(place, flags);
  if (flag !== undefined) return { path: flag, reason };
  return { file: tree?.file, line: tree?.lineOf(place), path: formatPath(place), reason };
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function formatSettings(settings: Settings): string {
  return formatTree(schema.encode(settings));
}
