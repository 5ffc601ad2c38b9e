import type { Finding, FindingCode } from './findings.ts';

/** What one kind of client will make of a certificate. */
export interface Verdict {
  readonly client: string;
  readonly takes: 'yes' | 'no' | 'if trusted';
  /** Behind the client's name, as a sentence. */
  readonly text: string;
}

interface Client {
  readonly name: string;
  /** Why it takes whatever comes; undefined for one that verifies. */
  readonly careless?: string;
  /** Warnings that it refuses; errors it refuses all but these. */
  readonly refuses: readonly FindingCode[];
  readonly forgives: readonly FindingCode[];
  /** What it needs before it takes a certificate of a private authority. */
  readonly trust: string;
}

/**
 * Habits of the clients that people come with. OBS: the list of authorities that its copy of librtmp loads (Windows'
 * store, the system's folder on Linux, Apple's own roots alone on macOS). GStreamer: `tls-validation-flags` is
 * `validate-all`. FFmpeg: `tls_verify` is 1 only since version 9. librtmp: has no check at all.
 */
const CLIENTS: readonly Client[] = [
  {
    name: 'OBS',
    // Mbed TLS takes the common name where there is nothing else.
    refuses: ['CHAIN_BACKWARDS', 'RARE_KEY', 'SELF_SIGNED'],
    forgives: [],
    trust:
      "once the CA is in the system's store, and OBS was started again; on macOS never, where it knows Apple's list only",
  },
  {
    name: 'FFmpeg up to 8',
    careless: 'it verifies nothing unless told to (-tls_verify 1 -ca_file CA)',
    refuses: [],
    forgives: [],
    trust: '',
  },
  {
    name: 'FFmpeg from 9 on',
    refuses: ['SELF_SIGNED', 'ONLY_COMMON_NAME'],
    forgives: [],
    trust: "with -ca_file CA, or once the CA is in the system's store if it was built to look there",
  },
  { name: 'rtmpdump, librtmp', careless: 'it verifies nothing', refuses: [], forgives: [], trust: '' },
  {
    name: 'GStreamer',
    refuses: ['SELF_SIGNED'],
    forgives: [],
    trust: "once the CA is in the system's store",
  },
  {
    name: 'Browsers',
    refuses: ['ONLY_COMMON_NAME', 'CA_AS_SERVER', 'RARE_KEY', 'SELF_SIGNED'],
    // Chromium and Safari fetch it, Firefox knows most of them by heart.
    forgives: ['CHAIN_INCOMPLETE'],
    trust: "once the CA is in the system's store (Firefox on Linux: in its own)",
  },
  {
    name: 'Android',
    refuses: ['ONLY_COMMON_NAME', 'RARE_KEY', 'SELF_SIGNED'],
    forgives: [],
    trust: 'once the CA is installed, but of apps only those that say so when they are built, as Chrome does',
  },
  {
    name: 'iPhone, iPad, Mac',
    refuses: ['ONLY_COMMON_NAME', 'RARE_KEY', 'SELF_SIGNED', 'VALID_TOO_LONG'],
    forgives: ['CHAIN_INCOMPLETE'],
    trust: 'once the CA is installed and switched on (Certificate Trust Settings)',
  },
];

const REASONS: Partial<Record<FindingCode, string>> = {
  EXPIRED: 'it has expired',
  NOT_YET_VALID: 'it is not valid yet',
  ISSUER_EXPIRED: 'an issuer has expired',
  CHAIN_INCOMPLETE: 'the intermediate certificate is missing',
  CHAIN_BACKWARDS: 'an issuer stands in front of what it signed',
  ISSUER_NOT_CA: 'its issuer is no CA',
  SELF_SIGNED: 'nobody but itself has signed it',
  NO_NAMES: 'it names no host',
  NAME_MISMATCH: 'it is for other names',
  ONLY_COMMON_NAME: 'it has no subject alternative names',
  WEAK_SIGNATURE: 'its signature can be forged',
  WEAK_KEY: 'its key is too short',
  RARE_KEY: 'it does not know such keys',
  WRONG_USAGE: 'it is not for servers',
  CA_AS_SERVER: "it is a CA's",
  VALID_TOO_LONG: 'it is valid for too long',
};

/** What each known client will say to a certificate with these findings. */
export function verdictsOf(findings: readonly Finding[]): Verdict[] {
  const codes = findings.map(({ code }) => code);
  return CLIENTS.map((client) => ({ client: client.name, ...judge(client, findings, codes) }));
}

function judge(client: Client, findings: readonly Finding[], codes: readonly FindingCode[]): Omit<Verdict, 'client'> {
  if (client.careless !== undefined) return { takes: 'yes', text: `takes it: ${client.careless}` };
  const against = findings.filter(
    ({ code, level }) => client.refuses.includes(code) || (level === 'error' && !client.forgives.includes(code)),
  );
  const reasons = against.flatMap(({ code }) => REASONS[code] ?? []);
  if (reasons.length > 0) return { takes: 'no', text: `refuses it: ${reasons.join('; ')}` };
  if (codes.includes('CHAIN_INCOMPLETE')) {
    return { takes: 'yes', text: 'takes it as a rule: fetches what is missing, where the certificate says from where' };
  }
  if (codes.includes('DEVELOPMENT') || codes.includes('PRIVATE_ROOT')) {
    return { takes: 'if trusted', text: `takes it ${client.trust}` };
  }
  return { takes: 'yes', text: 'takes it' };
}
