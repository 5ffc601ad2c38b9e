import { InvalidConfigError, loadConfig } from '../config/index.ts';
import type { Arguments } from './arguments.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';

/** Prints what a configuration file comes to. Throws `ConfigError`. */
export function check({ positionals }: Arguments, io: CommandIo): number {
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    throw new InvalidConfigError('COMMAND_LINE', [{ path: 'check', reason: 'expected one FILE' }]);
  }
  const { effective } = loadConfig({ file, env: io.env, terminal: io.terminal });
  io.out(effective);
  return EXIT.done;
}
