import { readFileSync } from 'node:fs';
import { hasCertificates } from '../transport/index.ts';
import { leaf } from './fields.ts';

/** A file that was named, with what was in it when it was read. */
export interface PemFile {
  readonly path: string;
  readonly pem: string;
}

/** A file with certificates, read at once: whether it can be used shows before anything is opened. Printed as its path. */
export function certificateFile() {
  return leaf<PemFile>({
    expected: 'the path of a PEM file with certificates that can be read',
    read: (input) => (typeof input === 'string' && input !== '' ? readCertificates(input) : undefined),
    write: ({ path }) => path,
  });
}

function readCertificates(path: string): PemFile | undefined {
  try {
    const pem = readFileSync(path, 'utf8');
    return hasCertificates(pem) ? { path, pem } : undefined;
  } catch {
    return undefined;
  }
}
