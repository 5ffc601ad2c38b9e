import { generate } from 'selfsigned';
import { CertificateStore, type Certificate } from '../../src/certificates/index.ts';
import { fromPem } from '../../src/certificates/inspect.ts';

/** A store with one self-signed certificate for each list of names; the first is the default. */
export async function testCertificates(...lists: readonly [string[], ...string[][]]): Promise<CertificateStore> {
  const [first, ...others] = await Promise.all(lists.map(selfSigned));
  if (first === undefined) throw new RangeError('no certificate asked for');
  return new CertificateStore([first, ...others]);
}

async function selfSigned(names: readonly string[]): Promise<Certificate> {
  const commonName = { name: 'commonName', value: names[0] ?? '' };
  const altNames = names.map((value) => ({ type: 2 as const, value }));
  const made = await generate([commonName], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return fromPem({ certPath: `${names[0]}.pem`, keyPath: `${names[0]}.key`, cert: made.cert, key: made.private });
}
