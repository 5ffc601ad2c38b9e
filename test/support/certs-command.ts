import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { run } from '../../src/commands/index.ts';
import type { Environment } from '../../src/config/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { FakeIo } from './command-io.ts';

/** What a command came to. */
export interface Outcome {
  readonly status: number;
  readonly printed: string;
  readonly complained: string;
}

/** Runs `rtmp-gateway certs ARGS`, with these variables and no others. */
export async function certs(args: readonly string[], env: Environment = {}): Promise<Outcome> {
  const io = new FakeIo();
  Object.assign(io.env, env);
  const createGateway = () => {
    throw new Error('certs serves nothing');
  };
  const status = await run(['certs', ...args], io, { createLog: () => NO_LOG, createGateway });
  return { status, printed: io.printed, complained: io.complained };
}

/** Makes new folders, which go when the file's tests are over. */
export function folders(): () => string {
  const made: string[] = [];
  afterAll(() => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-certs-'));
    made.push(folder);
    return folder;
  };
}
