import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidConfigError, loadConfig } from '../../src/config/index.ts';
import type { Environment, Flags, LoadedConfig } from '../../src/config/index.ts';

/** Loads a configuration from text, by way of a real file. */
export function load(text: string, flags: Flags = {}, env: Environment = {}): LoadedConfig {
  const folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-config-'));
  try {
    const file = join(folder, 'f.yaml');
    writeFileSync(file, text);
    return loadConfig({ file, flags, env, terminal: false });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is wrong with a configuration, one line each, with `f.yaml` for the file. Empty when it is good. */
export function faults(text: string, flags: Flags = {}, env: Environment = {}): string[] {
  try {
    load(text, flags, env);
    return [];
  } catch (error) {
    if (error instanceof InvalidConfigError)
      return error.message.split('\n').map((line) => line.replace(/^\/\S*\/f\.yaml/, 'f.yaml'));
    throw error;
  }
}
