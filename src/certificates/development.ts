/** A certificate and its key, as PEM text. */
export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

export const DEVELOPMENT_VALIDITY = Object.freeze({
  // Apple's and Chromium's ceiling for certificates is 398 days; a year stays below it.
  days: 365,
  // Renewed at a start in the last month, so that a process which runs for weeks does not expire under its clients.
  renewDays: 30,
});

const DAY_MS = 86_400_000;
const LOCAL_ADDRESSES = ['127.0.0.1', '::1'];

/**
 * Makes the certificate that lets TLS work out of the box on a fresh machine: signed by nobody, so clients that verify
 * refuse it until told otherwise. P-256 because every client since TLS 1.2 knows it and making it takes milliseconds.
 */
export async function createDevelopmentCertificate(hostName: string, now: Date): Promise<PemPair> {
  const names = ['localhost', ...(isPlainHostName(hostName) && hostName !== 'localhost' ? [hostName] : [])];
  const altNames = [
    ...names.map((value) => ({ type: 2 as const, value })),
    ...LOCAL_ADDRESSES.map((ip) => ({ type: 7 as const, ip })),
  ];
  // Loaded here: most starts find a certificate and need none of it.
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // A little in the past: the clocks of encoders in the same room are rarely the same.
    notBeforeDate: new Date(now.getTime() - DAY_MS),
    notAfterDate: new Date(now.getTime() + DEVELOPMENT_VALIDITY.days * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  // The package leaves out the last line's end, which breaks files that people join with `cat`.
  return { cert: `${made.cert.trimEnd()}\n`, key: `${made.private.trimEnd()}\n` };
}

/** True when a development certificate is so near its end that the next start had better make another. */
export function wantsRenewal(validTo: Date, now: Date): boolean {
  return validTo.getTime() - now.getTime() < DEVELOPMENT_VALIDITY.renewDays * DAY_MS;
}

/** Letters, digits and hyphens in labels (RFC 1123, 2.1): anything else could change the meaning of a certificate. */
export function isPlainHostName(name: string): boolean {
  const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
  return name.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`).test(name);
}
