import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keyPathsFor, readIfThere, readPair, refuseToOverwrite, writeFiles } from '../../src/commands/certs-files.ts';
import { folders } from '../support/certs-command.ts';

const folder = folders();

test('writes files with their modes whatever was there, and nothing beside them', async () => {
  const place = folder();
  writeFileSync(join(place, 'a.key'), 'old', { mode: 0o644 });
  await writeFiles([
    { path: join(place, 'a.key'), data: 'new', secret: true },
    { path: join(place, 'deep', 'a.crt'), data: Buffer.from('cert'), secret: false },
  ]);
  expect(readFileSync(join(place, 'a.key'), 'utf8')).toBe('new');
  expect(statSync(join(place, 'a.key')).mode & 0o777).toBe(0o600);
  expect(statSync(join(place, 'deep', 'a.crt')).mode & 0o777).toBe(0o644);
  expect([readdirSync(place).sort(), readdirSync(join(place, 'deep'))]).toEqual([['a.key', 'deep'], ['a.crt']]);
});

test('changes none of the files when one cannot be written, and cleans up', async () => {
  const place = folder();
  writeFileSync(join(place, 'a.key'), 'old');
  writeFileSync(join(place, 'file'), '');
  const files = [
    { path: join(place, 'a.key'), data: 'new', secret: true },
    { path: join(place, 'file', 'a.crt'), data: 'new', secret: false },
  ];
  await expect(writeFiles(files)).rejects.toThrow();
  expect(readFileSync(join(place, 'a.key'), 'utf8')).toBe('old');
  expect(readdirSync(place).sort()).toEqual(['a.key', 'file']);
});

test('names everything that it would overwrite', async () => {
  const place = folder();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => join(place, name)) as [string, string, string];
  writeFileSync(a, '');
  writeFileSync(c, '');
  await expect(refuseToOverwrite([a, b, c])).rejects.toThrow(
    `${a}: exists already; --force replaces it\n${c}: exists already; --force replaces it`,
  );
  await expect(refuseToOverwrite([b])).resolves.toBeUndefined();
});

test('reads a pair, nothing where there is none, and half a pair not at all', async () => {
  const place = folder();
  const [cert, key] = [join(place, 'a.crt'), join(place, 'a.key')];
  expect(await readPair(cert, key)).toBeUndefined();
  writeFileSync(key, 'k');
  await expect(readPair(cert, key)).rejects.toThrow(/a\.crt: is missing, though its key .*a\.key is there; --force/);
  writeFileSync(cert, 'c');
  expect(await readPair(cert, key)).toEqual({ cert: 'c', key: 'k' });
});

test('reads up to 1 MiB, and no directory', async () => {
  const place = folder();
  const file = join(place, 'a');
  writeFileSync(file, Buffer.alloc(1024 * 1024));
  expect(await readIfThere(file)).toHaveLength(1024 * 1024);
  writeFileSync(file, Buffer.alloc(1024 * 1024 + 1));
  await expect(readIfThere(file)).rejects.toThrow(/too large/);
  mkdirSync(join(place, 'b'));
  await expect(readIfThere(join(place, 'b'))).rejects.toThrow(/is a directory; name a file in it/);
  expect(await readIfThere(join(file, 'c'))).toBeUndefined();
});

test.each([
  ['d/live.crt', ['d/live.key', 'd/live-key.pem']],
  ['d/fullchain.pem', ['d/fullchain.key', 'd/fullchain-key.pem', 'd/privkey.pem']],
  ['d/development-cert.pem', ['d/development-cert.key', 'd/development-cert-key.pem', 'd/development-key.pem']],
])('looks for the key of %s where the usual tools put it', (cert, keys) => {
  expect(keyPathsFor(cert)).toEqual(keys.map((path) => join(path)));
});
