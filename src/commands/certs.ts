import { InvalidConfigError } from '../config/index.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import { client, CLIENT_FLAGS } from './certs-client.ts';
import { exportFile, EXPORT_FLAGS } from './certs-export.ts';
import * as help from './certs-help.ts';
import { importFile, IMPORT_FLAGS } from './certs-import.ts';
import { init, INIT_FLAGS } from './certs-init.ts';
import { inspect, INSPECT_FLAGS } from './certs-inspect.ts';
import { request, REQUEST_FLAGS } from './certs-request.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';

type Run = (args: Arguments, io: CommandIo) => Promise<number>;

interface CertsCommand {
  readonly flags: FlagKinds;
  readonly help: string;
  readonly run: Run;
}

/** `rtmp-gateway certs NAME`, by name. */
export const CERTS_COMMANDS: Readonly<Record<string, CertsCommand>> = {
  init: { flags: INIT_FLAGS, help: help.INIT_HELP, run: failing(init) },
  client: { flags: CLIENT_FLAGS, help: help.CLIENT_HELP, run: failing(client) },
  request: { flags: REQUEST_FLAGS, help: help.REQUEST_HELP, run: failing(request) },
  import: { flags: IMPORT_FLAGS, help: help.IMPORT_HELP, run: failing(importFile) },
  export: { flags: EXPORT_FLAGS, help: help.EXPORT_HELP, run: failing(exportFile) },
  inspect: { flags: INSPECT_FLAGS, help: help.INSPECT_HELP, run: failing(inspect) },
};

/** `rtmp-gateway certs` without a command of its own. */
export const CERTS: CertsCommand = {
  flags: {},
  help: help.CERTS_HELP,
  run: () => {
    const reason = `expected a command: ${Object.keys(CERTS_COMMANDS).join(', ')}`;
    return Promise.reject(new InvalidConfigError('COMMAND_LINE', [{ path: 'certs', reason }]));
  },
};

/** What the system refuses (a full disk, a directory of somebody else's) is said in a line; status 1. */
function failing(run: Run): Run {
  return async (args, io) => {
    try {
      return await run(args, io);
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      const { path, message, code } = error as NodeJS.ErrnoException;
      io.err(`rtmp-gateway: ${path === undefined ? message : `${path}: ${REASONS[code ?? ''] ?? message}`}\n`);
      return EXIT.failed;
    }
  };
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'that is mounted read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a file is where a directory should be',
  EEXIST: 'a file is where a directory should be',
};
