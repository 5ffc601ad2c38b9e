import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/index.ts';
import { ConfigError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RulesChanged } from '../relay/index.ts';

/** What a reload needs of the gateway. */
export interface Reloadable {
  /** False when the new certificates are of no use; it has said why. */
  reloadCertificates(options: Config['tls']): Promise<boolean>;
  reloadRelays(rules: Config['relay']): RulesChanged;
}

const AT_ONCE: readonly string[] = ['tls', 'relay'];

/**
 * SIGHUP: reads the configuration and all certificates again. What concerns certificates and relays takes effect at once; of
 * the rest people are told that it waits for the next start. Returns the configuration that is in force from then on.
 */
export async function reload(gateway: Reloadable, running: Config, load: () => Config, log: Log): Promise<Config> {
  const next = readAgain(load, log) ?? running;
  const waiting = Object.keys(next).filter(
    (key) => !AT_ONCE.includes(key) && !isSame(key as keyof Config, running, next),
  );
  if (waiting.length > 0) {
    log.warn({ event: 'reload', waiting }, `changed, but only at the next start: ${waiting.join(', ')}`);
  }
  if (!isSame('relay', running, next)) {
    const { added, removed, kept } = gateway.reloadRelays(next.relay);
    log.info({ event: 'reload', added, removed, kept }, 'the rules for relays have been read again');
  }
  const isDone = await gateway.reloadCertificates(next.tls);
  if (isDone) log.info({ event: 'reload' }, 'certificates have been read again');
  return { ...running, relay: next.relay, ...(isDone && { tls: next.tls }) };
}

function readAgain(load: () => Config, log: Log): Config | undefined {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.error({ event: 'reload' }, `the configuration cannot be used, the old one goes on: ${error.message}`);
    return undefined;
  }
}

function isSame(key: keyof Config, running: Config, next: Config): boolean {
  return isDeepStrictEqual(running[key], next[key]);
}
