import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAuthority } from '../../src/commands/certs-authority.ts';
import { folders } from '../support/certs-command.ts';

const folder = folders();
const now = new Date();

test('makes a CA once, in a folder of its own, and keeps it', async () => {
  const directory = folder();
  const first = await openAuthority(directory, { kind: 'ec', now, keep: true });
  expect(first).toMatchObject({ made: true, certPath: join(directory, 'ca', 'rtmp-gateway-ca.crt') });
  expect(existsSync(first.certPath)).toBe(true);
  // The kind of key is for a new one only.
  const second = await openAuthority(directory, { kind: 'rsa', now, keep: true });
  expect(second).toEqual({ ...first, made: false });
});

test('does not use one that has expired, nor replaces it by itself', async () => {
  const directory = folder();
  await openAuthority(directory, { kind: 'ec', now: new Date('2010-01-01'), keep: true });
  await expect(openAuthority(directory, { kind: 'ec', now, keep: true })).rejects.toThrow(
    /cannot be used as a CA: it has expired; --new-ca makes another, to be trusted anew everywhere$/,
  );
  expect((await openAuthority(directory, { kind: 'ec', now, keep: false })).made).toBe(true);
});
