/**
 * The command line: which command was meant, its help, and what each ending is to the shell. Everything that a command
 * does is done by the rooms below; nothing else prints for people or sees arguments.
 */
import { InvalidConfigError, suggestion } from '../config/index.ts';
import { ConfigError } from '../errors.ts';
import { parseArguments } from './arguments.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import { check } from './check.ts';
import { CHECK_HELP, SERVE_HELP } from './help.ts';
import { EXIT } from './io.ts';
import type { CommandIo } from './io.ts';
import { serve, SERVE_FLAGS } from './serve.ts';
import type { ServeDependencies } from './serve.ts';

export type { CommandIo } from './io.ts';
export type { Runnable, ServeDependencies } from './serve.ts';

interface Command {
  readonly flags: FlagKinds;
  readonly help: string;
  run(args: Arguments, io: CommandIo, dependencies: ServeDependencies): number | Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: { flags: { ...SERVE_FLAGS, version: 'switch' }, help: SERVE_HELP, run: serve },
  check: { flags: {}, help: CHECK_HELP, run: check },
};

/** Commands of later versions, and what they will be for. */
const LATER: Readonly<Record<string, string>> = {
  connect: 'this version has no local agent yet',
  probe: 'this version does not probe yet',
  certs: 'this version does not manage certificates yet; put them into the directory certs, or name them in the file',
};

/** Runs what `argv` (without node and script) asks for; resolves to the exit status. Rejects only with faults of ours. */
export async function run(argv: readonly string[], io: CommandIo, dependencies: ServeDependencies): Promise<number> {
  try {
    return await dispatch(argv, io, dependencies);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.err(`${error.message}\n`);
    if (error.code === 'COMMAND_LINE') io.err(`Try rtmp-gateway --help\n`);
    return EXIT.wrong;
  }
}

async function dispatch(argv: readonly string[], io: CommandIo, dependencies: ServeDependencies): Promise<number> {
  const [first = ''] = argv;
  const named = first !== '' && !first.startsWith('-');
  const name = named ? first : 'serve';
  const command = commandNamed(name);
  const args = parseArguments(named ? argv.slice(1) : argv, { ...command.flags, help: 'switch' });
  if (args.flags.has('help')) return print(command.help, io);
  if (args.flags.has('version')) return print(`${io.version}\n`, io);
  if (name === 'serve' && args.positionals.length > 0)
    throw wrong(String(args.positionals[0]), 'serve takes flags only');
  return command.run(args, io, dependencies);
}

function commandNamed(name: string): Command {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command;
  const later = Object.hasOwn(LATER, name) ? LATER[name] : undefined;
  throw wrong(name, later ?? `unknown command${suggestion(name, [...Object.keys(COMMANDS), ...Object.keys(LATER)])}`);
}

function wrong(what: string, reason: string): ConfigError {
  return new InvalidConfigError('COMMAND_LINE', [{ path: what, reason }]);
}

function print(text: string, io: CommandIo): number {
  io.out(text);
  return EXIT.done;
}
