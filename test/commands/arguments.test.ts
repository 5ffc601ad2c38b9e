import { expect, test } from 'vitest';
import { parseArguments } from '../../src/commands/arguments.ts';

const KINDS = { rtmp: 'value', http: 'value', upstream: 'values', help: 'switch' } as const;
const parse = (...args: string[]) => {
  const { positionals, flags } = parseArguments(args, KINDS);
  return { positionals, flags: Object.fromEntries(flags) };
};

test('reads values with a space or an equals sign, switches, and what is no flag', () => {
  expect(parse('--rtmp', '1', 'file', '--http=2', '-h')).toEqual({
    positionals: ['file'],
    flags: { rtmp: ['1'], http: ['2'], help: [''] },
  });
});

test('keeps all values of a flag that may come several times', () => {
  expect(parse('--upstream', 'a', '--upstream', 'b').flags).toEqual({ upstream: ['a', 'b'] });
});

test('takes everything after -- for no flag', () => {
  expect(parse('--', '--rtmp').positionals).toEqual(['--rtmp']);
});

test.each([
  [['--rtpm', '1'], '--rtpm: unknown flag; did you mean "--rtmp"?'],
  [['--frobnicate'], '--frobnicate: unknown flag'],
  [['-x'], '-x: unknown flag'],
  [['--rtmp'], '--rtmp: needs a value'],
  [['--rtmp='], '--rtmp: needs a value'],
  [['--rtmp', '--http', '2'], '--rtmp: needs a value'],
  [['--rtmp', '1', '--rtmp', '2'], '--rtmp: given twice'],
  [['--help=yes'], '--help: takes no value'],
  [['--constructor'], '--constructor: unknown flag'],
])('refuses %j', (args, message) => {
  expect(() => parse(...args)).toThrow(new RegExp(`^${message.replace(/[?]/g, '\\?')}`));
});

test('says everything that is wrong at once', () => {
  expect(() => parse('--a', '--b')).toThrow('--a: unknown flag\n--b: unknown flag');
});
