import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CERTS_COMMANDS } from '../../src/commands/certs.ts';
import { certs, folders } from '../support/certs-command.ts';
import { asNobody } from '../support/nobody.ts';

const folder = folders();

test('certs has its help, and each of its commands its own, with every flag in it', async () => {
  expect((await certs(['--help'])).printed).toMatch(/^Usage: rtmp-gateway certs COMMAND/);
  for (const [name, { flags }] of Object.entries(CERTS_COMMANDS)) {
    const { status, printed } = await certs([name, '--help']);
    expect({ name, status }).toEqual({ name, status: 0 });
    expect(printed).toMatch(new RegExp(`^Usage: rtmp-gateway certs ${name} `));
    for (const flag of Object.keys(flags)) expect(printed).toContain(`  --${flag} `);
    expect((await certs(['--help'])).printed).toContain(`\n  ${name} `);
  }
});

test.each([
  [[], 'certs: expected a command: init, client, request, import, export, inspect\n'],
  [['--force'], '--force: unknown flag\n'],
  [['innit'], 'innit: unknown command; did you mean "init"?\n'],
  [['toString'], 'toString: unknown command\n'],
  [['init', '--froce'], '--froce: unknown flag; did you mean "--force"?\n'],
  [['init', '--key', 'dsa'], '--key: expected ec or rsa, got "dsa"\n'],
  [['client'], 'certs client: expected one NAME\n'],
  [['request'], 'certs request: expected at least one NAME\n'],
  [['import'], 'certs import: expected one FILE.p12\n'],
  [['export', 'a'], '--out: expected the file to write, as live.p12\n'],
  [['inspect', 'a', 'b'], 'certs inspect: expected one FILE or HOST:PORT\n'],
])('certs %j is wrong usage, with status 2', async (args, complaint) => {
  expect(await certs(args)).toEqual({ status: 2, printed: '', complained: `${complaint}Try rtmp-gateway --help\n` });
});

test('what the system refuses is said in a line, with status 1', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  const { status, complained } = await certs(['init', '--certs', file]);
  expect(status).toBe(1);
  expect(complained).toMatch(/^rtmp-gateway: .*file.*: a file is where a directory should be\n$/);
});

test('a directory that may not be written is one of these', async () => {
  const closed = folder();
  chmodSync(closed, 0o555);
  const { complained } = await asNobody(() => certs(['init', '--certs', closed]));
  expect(complained).toMatch(/this user may not write there\n$/);
});
