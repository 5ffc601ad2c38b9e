import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRequest } from '../../src/certificates/index.ts';
import { certs, folders } from '../support/certs-command.ts';

const folder = folders();

test('makes a key and a request, called after the first name', async () => {
  const directory = folder();
  const { status, printed } = await certs(['request', 'live.example', '10.0.0.5', '--certs', directory]);
  expect(status).toBe(0);
  expect(readdirSync(directory).sort()).toEqual(['live.example.csr', 'live.example.key']);
  expect(statSync(join(directory, 'live.example.key')).mode & 0o777).toBe(0o600);
  const request = await readRequest(readFileSync(join(directory, 'live.example.csr'), 'utf8'));
  expect(request).toMatchObject({ names: ['live.example', '10.0.0.5'], intact: true });
  expect(printed).toContain(
    `Put what comes back, with the whole chain, as PEM into\n${join(directory, 'live.example.crt')}`,
  );
});

test.each([
  [['*.live.example'], 'wildcard.live.example'],
  [['2001:db8::5'], '2001-db8--5'],
  [['live.example', '--as', 'Studio 1'], 'Studio 1'],
])('calls the files of %j %s', async (args, name) => {
  const directory = folder();
  expect((await certs(['request', '--certs', directory, ...args])).status).toBe(0);
  expect(readdirSync(directory).sort()).toEqual([`${name}.csr`, `${name}.key`]);
});

test.each(['../a', 'a/b', 'a\\b', '.a', 'a\nb'])('calls no file %j', async (name) => {
  const { status, complained } = await certs(['request', 'a.example', '--certs', folder(), `--as=${name}`]);
  expect({ status, complained }).toMatchObject({
    status: 2,
    complained: expect.stringMatching(/^--as: no name for a file/),
  });
});

test('never replaces a key by itself: a certificate may be on its way for it', async () => {
  const directory = folder();
  const ask = (...more: string[]) => certs(['request', 'a.example', '--certs', directory, ...more]);
  await ask();
  const key = readFileSync(join(directory, 'a.example.key'), 'utf8');
  expect((await ask()).status).toBe(2);
  expect(readFileSync(join(directory, 'a.example.key'), 'utf8')).toBe(key);
  expect((await ask('--force', '--key', 'rsa')).status).toBe(0);
});
