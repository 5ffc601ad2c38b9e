import type { X509Certificate } from 'node:crypto';
import { namesOf, shortName, signatureOf, verdictsOf } from '../certificates/index.ts';
import type { Finding } from '../certificates/index.ts';

const WIDTH = 110;
const DAY_MS = 86_400_000;

/** Each certificate of a chain with what people ask of it; lines of text. */
export function chainLines(chain: readonly X509Certificate[], now: Date): string {
  return chain.map((certificate, index) => certificateLines(certificate, index, now)).join('');
}

function certificateLines(certificate: X509Certificate, index: number, now: Date): string {
  const names = namesOf(certificate);
  const rows: [string, string][] = [
    ...(index === 0 ? ([['names', names.join(', ') || 'none']] as [string, string][]) : []),
    ['issuer', certificate.issuer === certificate.subject ? 'itself' : shortName(certificate.issuer)],
    ['valid', validity(certificate, now)],
    ['key', keyName(certificate)],
    ['signed with', signatureName(certificate)],
    ['serial', certificate.serialNumber],
    ['SHA-256', certificate.fingerprint256],
  ];
  const lines = rows.map(([what, value]) => wrap(`     ${what.padEnd(12)}`, value));
  return `  ${index + 1}. ${shortName(certificate.subject)}${certificate.ca ? ' (CA)' : ''}\n${lines.join('')}`;
}

function validity({ validFrom, validTo }: X509Certificate, now: Date): string {
  const [from, to] = [new Date(validFrom), new Date(validTo)];
  const days = Math.floor((to.getTime() - now.getTime()) / DAY_MS);
  const left = to <= now ? 'expired' : from > now ? 'not yet' : `${days} ${days === 1 ? 'day' : 'days'} left`;
  return `${from.toISOString().slice(0, 10)} to ${to.toISOString().slice(0, 10)}, ${left}`;
}

/** `EC prime256v1 (P-256)`, `RSA 2048` */
function keyName({ publicKey }: X509Certificate): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  const curve = details?.namedCurve;
  const size = curve === 'prime256v1' ? 'P-256' : (curve ?? details?.modulusLength);
  return [type === 'ec' || type === 'rsa' ? type.toUpperCase() : (type ?? 'unknown'), size].filter(Boolean).join(' ');
}

function signatureName(certificate: X509Certificate): string {
  const { algorithm, hash } = signatureOf(certificate);
  return hash === undefined ? algorithm : `${algorithm}, ${hash}`;
}

/** Lines of text; none for no findings. */
export function findingLines(findings: readonly Finding[]): string {
  return findings.map(({ level, text }) => wrap(`  ${level.padEnd(9)}`, text)).join('');
}

/** A line for each known client. */
export function verdictLines(findings: readonly Finding[]): string {
  return verdictsOf(findings)
    .map(({ client, text }) => wrap(`  ${client.padEnd(19)}`, text))
    .join('');
}

/** Text behind a label, broken between words; what continues stands below where it began. */
export function wrap(label: string, text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && label.length + last.length + 1 + word.length <= WIDTH)
      lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines.map((line, index) => `${index === 0 ? label : ' '.repeat(label.length)}${line}\n`).join('');
}
