import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { run } from '../../src/commands/index.ts';
import { NO_LOG } from '../../src/log.ts';
import { FakeIo } from '../support/command-io.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-check-'))));
afterAll(() => rmSync(folder, { recursive: true }));

async function check(...args: string[]) {
  const io = new FakeIo();
  io.env['SECRET'] = 'hunter2';
  const createGateway = () => {
    throw new Error('check opens nothing');
  };
  const status = await run(['check', ...args], io, { createLog: () => NO_LOG, createGateway });
  return { status, printed: io.printed, complained: io.complained };
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test('prints the effective configuration without its secrets', async () => {
  const good = file('good.yaml', 'tls: { certificates: [{ pfx: a.p12, passphrase: ${SECRET} }] }');
  const { status, printed, complained } = await check(good);
  expect({ status, complained }).toEqual({ status: 0, complained: '' });
  expect(parse(printed)).toMatchObject({
    listen: [{ port: 1935 }, { port: 8080 }, { port: 8443 }],
    tunnel: { hold: '500ms' },
    tls: { certificates: [{ pfx: 'a.p12', passphrase: '[redacted]' }] },
  });
  expect(printed).not.toContain('hunter2');
});

test('says line and reason when the file is wrong, with status 2', async () => {
  const bad = file('bad.yaml', 'listen:\n  - { port: 1935 }\n  - { port: http }\n');
  expect(await check(bad)).toEqual({
    status: 2,
    printed: '',
    complained: `${bad}:3: listen[1].port: expected 0–65535, got "http"\n`,
  });
});

test('wants exactly one file, that is there', async () => {
  expect((await check()).complained).toMatch(/^check: expected one FILE\n/);
  expect((await check('a', 'b')).status).toBe(2);
  expect(await check(join(folder, 'none.yaml'))).toMatchObject({
    status: 2,
    complained: expect.stringContaining('there is no such file'),
  });
});
