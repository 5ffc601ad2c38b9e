import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { certificateFile } from '../../src/config/pem-file.ts';
import { makeTestCertificate } from '../support/certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'rtmp-gateway-pem-'));
let cert = '';

beforeAll(async () => {
  cert = (await makeTestCertificate()).cert;
});

afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

it('a file of one certificate or several is read, and printed as its path', () => {
  const path = write('good.pem', `# two\n${cert}\n${cert}\n`);
  const read = certificateFile().parse(path);
  expect(read).toEqual({ path, pem: `# two\n${cert}\n${cert}\n` });
  expect(certificateFile().encode(read)).toBe(path);
});

it('nothing else is', () => {
  const broken = cert.replace(/^(-----BEGIN CERTIFICATE-----\s).{20}/, '$1AAAAAAAAAAAAAAAAAAAA');
  const files = [
    write('empty.pem', ''),
    write('key.pem', '-----BEGIN PRIVATE KEY-----'),
    write('broken.pem', broken),
    folder,
  ];
  for (const input of [...files, join(folder, 'none.pem'), '', 5, null])
    expect(certificateFile().safeParse(input).error?.issues[0]?.message).toMatch(/expected the path of a PEM file/);
});
