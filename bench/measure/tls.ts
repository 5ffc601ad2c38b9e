import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** Where one certificate and its key are, in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

let made: Promise<Pair> | undefined;

/** One EC P-256 certificate for all contenders of a run: what a signature costs depends on the key more than on anything. */
export function pair(): Promise<Pair> {
  made ??= make();
  return made;
}

/** Puts it into a contender's folder. */
export async function writePair(folder: string): Promise<Pair> {
  const { cert, key } = await pair();
  const files = { cert: join(folder, 'localhost.pem'), key: join(folder, 'localhost-key.pem') };
  await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key, { mode: 0o600 })]);
  return files;
}

async function make(): Promise<Pair> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  return { cert: `${cert.trimEnd()}\n`, key: `${key.trimEnd()}\n` };
}
