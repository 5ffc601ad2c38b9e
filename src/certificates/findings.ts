import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { isSelfSigned, pathFrom, publicIssuerOf, shortName } from './chain.ts';
import { namesOf } from './names.ts';
import { weakHashOf } from './signature.ts';

/** Error: clients that verify refuse it as it is. Warning: some do, or will. Note: good to know. */
export type FindingLevel = 'error' | 'warning' | 'note';

/** What there may be to say of a certificate. */
const LEVELS = Object.freeze({
  EXPIRED: 'error',
  NOT_YET_VALID: 'error',
  ISSUER_EXPIRED: 'error',
  EXPIRES_SOON: 'warning',
  CHAIN_INCOMPLETE: 'error',
  CHAIN_BACKWARDS: 'warning',
  CHAIN_ORDER: 'warning',
  CHAIN_SUPERFLUOUS: 'note',
  ISSUER_NOT_CA: 'error',
  SELF_SIGNED: 'warning',
  DEVELOPMENT: 'note',
  PRIVATE_ROOT: 'note',
  NO_NAMES: 'error',
  NAME_MISMATCH: 'error',
  ONLY_COMMON_NAME: 'warning',
  WEAK_SIGNATURE: 'error',
  WEAK_KEY: 'error',
  RARE_KEY: 'warning',
  WRONG_USAGE: 'error',
  CA_AS_SERVER: 'warning',
  VALID_TOO_LONG: 'warning',
  VALID_LONG: 'note',
  KEY_READABLE: 'warning',
} as const satisfies Record<string, FindingLevel>);

export type FindingCode = keyof typeof LEVELS;

/** Something that an operator should know of a certificate. */
export interface Finding {
  readonly code: FindingCode;
  readonly level: FindingLevel;
  /** What is so, who will refuse it, what to do. */
  readonly text: string;
}

export interface FindingContext {
  readonly now: Date;
  /** Permission bits of the key's file; left out where they mean nothing (Windows) or there is no such file. */
  readonly keyMode?: number;
  /** What people know it by: a path, or a server's address. */
  readonly source: string;
  /** The host name or address that it is to be good for, where that is known. */
  readonly host?: string;
}

export const FINDING_LIMITS = Object.freeze({
  // ACME clients renew 30 days before the end: at 14 somebody should look why that did not happen.
  soonDays: 14,
  // What Apple's and Google's programs take from public authorities (since September 2020).
  publicDays: 398,
  // What Apple's programs take from anybody (since July 2019).
  anyDays: 825,
  // Below it Mbed TLS, OpenSSL as Debian and Fedora set it, Apple and the browsers refuse.
  rsaBits: 2048,
});

/** How the common name of a CA that `certs init` makes begins. */
export const DEVELOPMENT_AUTHORITY = 'rtmp-gateway development CA';

const DAY_MS = 86_400_000;
const SERVER_USAGES = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];
const USUAL_CURVES = ['prime256v1', 'secp384r1'];

/** All that the checks look at. */
interface Facts extends FindingContext {
  readonly chain: readonly X509Certificate[];
  readonly leaf: X509Certificate;
  /** From the leaf upwards, each followed by its issuer. */
  readonly path: readonly X509Certificate[];
  readonly superfluous: readonly X509Certificate[];
  readonly top: X509Certificate;
}

type Texts = Partial<Record<FindingCode, string | false | undefined>>;

/**
 * What an operator should know of the certificate that `chain` begins with, the worst first. Clients' habits: OBS and
 * GStreamer verify, and fetch nothing that is missing; FFmpeg verifies from version 9 on; librtmp never does.
 */
export function findingsOf(chain: readonly X509Certificate[], context: FindingContext): Finding[] {
  const [leaf, ...others] = chain;
  if (leaf === undefined) return [];
  const { path, superfluous } = pathFrom(leaf, others);
  const facts: Facts = { ...context, chain, leaf, path, superfluous, top: path.at(-1) ?? leaf };
  // Of a certificate that is not for servers, names and length say nothing.
  const checks = isForServers(leaf) ? [...CHECKS, names, length] : CHECKS;
  const texts: Texts = Object.assign({}, ...checks.map((check) => check(facts)));
  const found = (Object.keys(LEVELS) as FindingCode[]).flatMap((code) => {
    const text = texts[code];
    return typeof text === 'string' ? [{ code, level: LEVELS[code], text }] : [];
  });
  const rank = ['error', 'warning', 'note'];
  return found.sort((a, b) => rank.indexOf(a.level) - rank.indexOf(b.level));
}

const CHECKS: ReadonlyArray<(facts: Facts) => Texts> = [
  dates,
  length,
  completeness,
  trust,
  names,
  strength,
  usage,
  key,
];

function dates({ leaf, path, source, now }: Facts): Texts {
  const from = new Date(leaf.validFrom);
  const to = new Date(leaf.validTo);
  const left = (to.getTime() - now.getTime()) / DAY_MS;
  const stale = path.slice(1).find(({ validTo }) => new Date(validTo) <= now);
  return {
    EXPIRED:
      left <= 0 &&
      `${source} expired on ${day(to)}, ${days(-left)} ago: every client that verifies refuses it. Renew it.`,
    EXPIRES_SOON:
      left > 0 &&
      left < FINDING_LIMITS.soonDays &&
      `${source} expires on ${day(to)}, in ${days(left)}: renew it, or look why that has not happened by itself.`,
    NOT_YET_VALID:
      from > now &&
      `${source} is valid only from ${from.toISOString()} on: until then every client that verifies refuses it. Check this machine's clock.`,
    ISSUER_EXPIRED:
      stale !== undefined &&
      `the certificate "${shortName(stale.subject)}" in the chain of ${source} expired on ${day(new Date(stale.validTo))}: OBS and others refuse the whole chain. Get the authority's present one.`,
  };
}

function length({ leaf, source }: Facts): Texts {
  const total = (new Date(leaf.validTo).getTime() - new Date(leaf.validFrom).getTime()) / DAY_MS;
  if (total <= FINDING_LIMITS.publicDays) return {};
  const advice = `Have it made for ${FINDING_LIMITS.publicDays} days at most.`;
  return total > FINDING_LIMITS.anyDays
    ? { VALID_TOO_LONG: `${source} is valid for ${days(total)} in all: iPhones, iPads and Macs refuse it. ${advice}` }
    : {
        VALID_LONG: `${source} is valid for ${days(total)} in all: iPhones, Macs and Chrome take that from a private authority only. ${advice}`,
      };
}

function completeness({ chain, path, superfluous, top, source }: Facts): Texts {
  const inOrder = path.every((certificate, index) => certificate === chain[index]);
  const backwards = isBackwards(path, chain);
  const stranger = path.slice(1).find(({ ca }) => !ca);
  const advice = "Put the server's certificate first, then the one that signed it, and so on.";
  return {
    CHAIN_INCOMPLETE: isBare(path, top) && missing(top, source),
    CHAIN_BACKWARDS:
      backwards &&
      `OBS will refuse ${source}: an issuer stands in front of what it signed, and OBS looks only behind. ${advice}`,
    CHAIN_ORDER:
      !inOrder &&
      !backwards &&
      superfluous.length === 0 &&
      `the certificates of ${source} are out of order: TLS 1.2 wants each one's issuer right behind it, and old clients insist. ${advice}`,
    CHAIN_SUPERFLUOUS:
      superfluous.length > 0 &&
      `${superfluous.map(({ subject }) => `"${shortName(subject)}"`).join(', ')} in ${source} did not sign anything in it: it is sent to every client for nothing. Remove it.`,
    ISSUER_NOT_CA:
      stranger !== undefined &&
      `"${shortName(stranger.subject)}" in the chain of ${source} is no certificate authority: every client that verifies refuses what it signed. Have it signed by a CA.`,
  };
}

/** Mbed TLS searches for an issuer behind what it signed. A root may stand anywhere: clients use their own copy. */
function isBackwards(path: readonly X509Certificate[], chain: readonly X509Certificate[]): boolean {
  const places = path
    .filter((certificate) => !isSelfSigned(certificate))
    .map((certificate) => chain.indexOf(certificate));
  return places.some((place, index) => place < (places[index - 1] ?? 0));
}

/**
 * One certificate that another has signed, which clients do not carry: no root signs servers' certificates itself, but a
 * private one, of which `certs init` makes the only kind that we know.
 */
function isBare(path: readonly X509Certificate[], top: X509Certificate): boolean {
  if (path.length > 1 && top.ca) return false;
  return !isSelfSigned(top) && !isDevelopment(top) && publicIssuerOf(top) === undefined;
}

function missing({ issuer, infoAccess }: X509Certificate, source: string): string {
  const url = /CA Issuers - URI:(http\S+)/.exec(infoAccess ?? '')?.[1];
  const where = url === undefined ? '' : ` What is missing is at ${url}, in DER.`;
  return (
    `OBS will refuse ${source}: the intermediate certificate is missing, "${shortName(issuer)}" by name. ` +
    `GStreamer, Android and whatever else verifies will, too; only some browsers fetch it themselves. ` +
    `Use the file with the full chain (certbot calls it fullchain.pem), or add that certificate behind your own.${where}`
  );
}

function trust({ leaf, path, top, source }: Facts): Texts {
  if (isDevelopment(top)) {
    return {
      DEVELOPMENT: `${source} is signed by a development CA: clients that verify take it only where that CA is installed. "certs init" says how.`,
    };
  }
  if (path.length === 1 && isSelfSigned(leaf)) {
    return {
      SELF_SIGNED: `${source} is signed by nobody but itself: OBS, GStreamer, browsers and phones refuse it. Get one from a public authority, or for tests from "rtmp-gateway certs init".`,
    };
  }
  // A chain is asked for its root only where it is whole: elsewhere there is worse to say.
  if ((path.length === 1 && !isSelfSigned(leaf)) || publicIssuerOf(top) !== undefined) return {};
  const root = shortName(isSelfSigned(top) ? top.subject : top.issuer);
  return {
    PRIVATE_ROOT: `${source} goes back to "${root}", which is no public authority: clients that verify take it only where that authority's certificate is installed.`,
  };
}

function isDevelopment({ issuer }: X509Certificate): boolean {
  return shortName(issuer).startsWith(DEVELOPMENT_AUTHORITY);
}

function names({ leaf, source, host }: Facts): Texts {
  if (/(?:^|, )(?:DNS|IP Address):/.test(leaf.subjectAltName ?? '')) {
    const fits = host === undefined || (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined;
    return {
      NAME_MISMATCH:
        !fits &&
        `the certificate of ${source} is for ${namesOf(leaf).join(', ')} and not for ${host}: every client that verifies refuses it. Connect to a name that it has, or have it made with this one.`,
    };
  }
  const common = /^CN=(.+)$/m.exec(leaf.subject)?.[1];
  if (common === undefined) {
    return {
      NO_NAMES: `${source} names no host: every client that verifies refuses it. Have it made with the names that clients connect to.`,
    };
  }
  return {
    ONLY_COMMON_NAME: `${source} names "${common}" only as its common name: browsers, phones and current TLS libraries look at subject alternative names alone, and refuse it. Have it made again with those.`,
  };
}

function strength({ leaf, path, source }: Facts): Texts {
  // What a root says of itself nobody verifies: it is trusted because it is installed.
  const signed = path.filter((certificate) => certificate === leaf || !isSelfSigned(certificate));
  const hashes = signed.flatMap((certificate) => weakHashOf(certificate) ?? []);
  return {
    WEAK_SIGNATURE:
      hashes.length > 0 &&
      `${source} is signed with ${hashes[0]}, which can be forged: browsers, phones and OBS refuse it. Have it signed with SHA-256.`,
    ...keyStrength(path, source),
  };
}

function keyStrength(path: readonly X509Certificate[], source: string): Texts {
  const [own] = path.map(({ publicKey }) => publicKey);
  const bits = path.map(({ publicKey }) => publicKey.asymmetricKeyDetails?.modulusLength ?? FINDING_LIMITS.rsaBits);
  const least = Math.min(...bits);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = own ?? {};
  const curve = details?.namedCurve;
  const usual = type === 'rsa' || (type === 'ec' && USUAL_CURVES.includes(curve ?? ''));
  return {
    WEAK_KEY:
      least < FINDING_LIMITS.rsaBits &&
      `an RSA key in the chain of ${source} has ${least} bits: browsers, phones and OBS refuse less than ${FINDING_LIMITS.rsaBits}. Make a new key, best an elliptic one (P-256).`,
    RARE_KEY:
      !usual &&
      `${source} has a key of a kind (${curve ?? type}) that browsers or OBS do not know: they will refuse it. Make a P-256 or an RSA key.`,
  };
}

function usage({ leaf, path, source }: Facts): Texts {
  const client = leaf.keyUsage?.includes('1.3.6.1.5.5.7.3.2');
  return {
    WRONG_USAGE:
      !isForServers(leaf) &&
      `${source} is ${client ? 'a client certificate and ' : ''}not meant for servers (no serverAuth among its extended key usages): every client that verifies refuses it from one. Have a server certificate made.`,
    CA_AS_SERVER:
      leaf.ca &&
      `${source} is the certificate of a CA${path.length > 1 ? '' : ', as "openssl req -x509" makes it'}: Firefox and others refuse it from a server. Have a server certificate made.`,
  };
}

/** Node's types say that there always are usages; a certificate without any may be used for all. */
function isForServers({ keyUsage }: X509Certificate): boolean {
  const usages: readonly string[] | undefined = keyUsage;
  return usages === undefined || usages.some((oid) => SERVER_USAGES.includes(oid));
}

function key({ keyMode = 0, source }: Facts): Texts {
  if ((keyMode & 0o077) === 0) return {};
  const who = (keyMode & 0o007) === 0 ? 'its group' : 'everybody on this machine';
  const mode = (keyMode & 0o777).toString(8).padStart(4, '0');
  return {
    KEY_READABLE: `the private key of ${source} is open to ${who} (mode ${mode}): whoever reads it can pass for this server. Restrict it to the gateway's user (chmod 600).`,
  };
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Whole days, as people count them: two and a half are two. */
function days(count: number): string {
  const whole = Math.floor(count);
  return whole === 1 ? '1 day' : `${whole} days`;
}
