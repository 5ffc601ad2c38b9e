/**
 * The command line: which command was meant, its help, and what each ending is to the shell. Everything that a command
 * does is done by the rooms below; nothing else prints for people or sees arguments.
 */
import { InvalidConfigError, suggestion } from '../config/index.ts';
import { ConfigError } from '../errors.ts';
import { parseArguments } from './arguments.ts';
import type { Arguments, FlagKinds } from './arguments.ts';
import { CERTS, CERTS_COMMANDS } from './certs.ts';
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
  certs: CERTS,
};

/** Commands of later versions, and what they will be for. */
const LATER: Readonly<Record<string, string>> = {
  connect: 'this version has no local agent yet',
  probe: 'this version does not probe yet',
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
  const { name, command, rest } = choose(argv);
  const args = parseArguments(rest, { ...command.flags, help: 'switch' });
  if (args.flags.has('help')) return print(command.help, io);
  if (args.flags.has('version')) return print(`${io.version}\n`, io);
  if (name === 'serve' && args.positionals.length > 0)
    throw wrong(String(args.positionals[0]), 'serve takes flags only');
  return command.run(args, io, dependencies);
}

/** The command that is meant, and the arguments that are left for it. */
function choose(argv: readonly string[]): {
  readonly name: string;
  readonly command: Command;
  readonly rest: readonly string[];
} {
  const [first = '', second = ''] = argv;
  if (!isWord(first)) return { name: 'serve', command: commandNamed('serve', COMMANDS, LATER), rest: argv };
  const command = commandNamed(first, COMMANDS, LATER);
  if (command !== CERTS || !isWord(second)) return { name: first, command, rest: argv.slice(1) };
  return { name: second, command: commandNamed(second, CERTS_COMMANDS), rest: argv.slice(2) };
}

function isWord(argument: string): boolean {
  return argument !== '' && !argument.startsWith('-');
}

function commandNamed(
  name: string,
  commands: Readonly<Record<string, Command>>,
  later: Readonly<Record<string, string>> = {},
): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  const reason = Object.hasOwn(later, name) ? later[name] : undefined;
  const known = [...Object.keys(commands), ...Object.keys(later)];
  throw wrong(name, reason ?? `unknown command${suggestion(name, known)}`);
}

function wrong(what: string, reason: string): ConfigError {
  return new InvalidConfigError('COMMAND_LINE', [{ path: what, reason }]);
}

function print(text: string, io: CommandIo): number {
  io.out(text);
  return EXIT.done;
}
