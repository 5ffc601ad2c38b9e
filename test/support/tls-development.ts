import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type ServeDependencies } from '../../src/commands/index.ts';
import { FakeIo } from './command-io.ts';
import { startGateway, type TestGateway } from './gateway.ts';

/** A gateway that serves with what `certs init` made. */
export interface DevelopmentGateway extends TestGateway {
  /** The certificate directory, and a place for what a test has to put somewhere. */
  readonly folder: string;
  /** The development CA's certificate. */
  readonly root: string;
}

/** Does what the README tells people to do: `certs init` with these words, then start. */
export async function startWithDevelopmentCa(...words: readonly string[]): Promise<DevelopmentGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'rtmp-gateway-development-'));
  const directory = join(folder, 'certs');
  const io = new FakeIo();
  // Nothing is served by this command.
  const status = await run(['certs', 'init', ...words, '--certs', directory], io, {} as ServeDependencies);
  if (status !== 0) throw new Error(`certs init: ${io.complained}`);
  const gateway = await startGateway({ tls: { directory }, core: { grace: '300ms' } });
  return {
    ...gateway,
    folder,
    root: join(directory, 'ca/rtmp-gateway-ca.crt'),
    async stop() {
      await gateway.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
