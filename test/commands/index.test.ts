import { expect, test } from 'vitest';
import { run } from '../../src/commands/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { FakeIo } from '../support/command-io.ts';

async function start(...argv: string[]) {
  const io = new FakeIo();
  const createGateway = () => {
    throw new Error('nothing is opened here');
  };
  const status = await run(argv, io, { createLog: () => NO_LOG, createGateway });
  return { status, printed: io.printed, complained: io.complained };
}

test.each([[['--help']], [['-h']], [['serve', '--help']], [['--rtmp', '1', '--help']]])(
  '%j prints the help',
  async (argv) => {
    const { status, printed, complained } = await start(...argv);
    expect({ status, complained }).toEqual({ status: 0, complained: '' });
    expect(printed).toMatch(/^Usage: rtmp-gateway \[serve\]/);
  },
);

test('check has its own help', async () => {
  expect((await start('check', '--help')).printed).toMatch(/^Usage: rtmp-gateway check FILE/);
});

test('--version prints the version and nothing else', async () => {
  expect(await start('--version')).toEqual({ status: 0, printed: '1.2.3\n', complained: '' });
});

test.each(['connect', 'probe'])('%s says that it is not there yet, whatever follows', async (name) => {
  for (const argv of [[name], [name, 'rtmpt://x', '--flag'], [name, '--help']]) {
    const { status, printed, complained } = await start(...argv);
    expect({ status, printed }).toEqual({ status: 2, printed: '' });
    expect(complained).toMatch(new RegExp(`^${name}: this version .* yet`));
  }
});

test.each([
  [['chek'], 'chek: unknown command; did you mean "check"?\n'],
  [['frobnicate'], 'frobnicate: unknown command\n'],
  [['toString'], 'toString: unknown command\n'],
  [['--rtpm', '1'], '--rtpm: unknown flag; did you mean "--rtmp"?\n'],
  [['serve', 'now'], 'now: serve takes flags only\n'],
  [['check', '--rtmp', '1'], '--rtmp: unknown flag\n'],
])('%j is wrong usage, with status 2', async (argv, complaint) => {
  const { status, complained } = await start(...argv);
  expect(status).toBe(2);
  expect(complained).toBe(`${complaint}Try rtmp-gateway --help\n`);
});
