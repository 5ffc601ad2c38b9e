import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  AUTHORITY_DEFAULTS,
  authorityFault,
  createAuthority,
  isOurs,
  issue,
} from '../../src/certificates/authority.ts';
import { isIssuedBy } from '../../src/certificates/chain.ts';
import { parseChain } from '../../src/certificates/inspect.ts';
import { namesOf } from '../../src/certificates/names.ts';
import { signatureOf } from '../../src/certificates/signature.ts';
import { MADE_AT, makeCertificate } from '../support/made-certificates.ts';

const DAY_MS = 86_400_000;
const now = MADE_AT;
const NAMES = [
  { type: 'dns', value: 'live.example' },
  { type: 'dns', value: '*.live.example' },
  { type: 'ip', value: '10.0.0.5' },
  { type: 'ip', value: '2001:db8::5' },
] as const;
const SERVER = { purpose: 'server', commonName: 'live.example', names: NAMES, kind: 'ec', now } as const;

const day = (days: number) => new Date(now.getTime() + days * DAY_MS);
const ecAuthority = createAuthority({ kind: 'ec', hostName: 'studio', now });

describe('the development CA', () => {
  it('is allowed to sign servers and clients, and no further CA, for ten years', async () => {
    const certificate = new X509Certificate((await ecAuthority).cert);
    expect(certificate.ca).toBe(true);
    expect(certificate.subject).toBe('CN=rtmp-gateway development CA (studio 2026-03-01)\nO=rtmp-gateway');
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(new Date(certificate.validTo)).toEqual(day(3650));
    // basicConstraints, critical: CA, and a path of length 0 (RFC 5280, 4.2.1.9).
    expect(certificate.raw.includes(Buffer.from('0603551d130101ff040830060101ff020100', 'hex'))).toBe(true);
  });

  it.each(['ec', 'rsa'] as const)('with a key of kind %s signs servers of both kinds (must-do 34)', async (kind) => {
    const authority = await createAuthority({ kind, hostName: 'studio', now });
    for (const leafKind of ['ec', 'rsa'] as const) {
      const pair = await issue(authority, { ...SERVER, kind: leafKind });
      const [leaf, root] = parseChain(pair.cert, 'x');
      expect(root?.raw).toEqual(new X509Certificate(authority.cert).raw);
      expect(root !== undefined && isIssuedBy(leaf, root) && leaf.checkIssued(root)).toBe(true);
      expect(leaf.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
      expect(signatureOf(leaf).hash).toBe('SHA-256');
      expect(leaf.publicKey.asymmetricKeyType).toBe(leafKind);
    }
  });

  it('puts host names and addresses into a server certificate, and an end that phones take (must-do 34)', async () => {
    const [leaf] = parseChain((await issue(await ecAuthority, SERVER)).cert, 'x');
    expect(namesOf(leaf)).toEqual(['live.example', '*.live.example', '10.0.0.5', '2001:db8::5']);
    expect(leaf.checkIP('10.0.0.5')).toBe('10.0.0.5');
    expect(leaf.checkHost('a.live.example')).toBe('*.live.example');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(leaf.ca).toBe(false);
    expect([new Date(leaf.validFrom), new Date(leaf.validTo)]).toEqual([day(-1), day(396)]);
  });

  it('gives clients what is for clients only', async () => {
    const options = { purpose: 'client', commonName: 'camera-1', names: [], kind: 'ec', now, days: 7 } as const;
    const [leaf] = parseChain((await issue(await ecAuthority, options)).cert, 'x');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(leaf.subject).toBe('CN=camera-1');
    expect(new Date(leaf.validTo)).toEqual(day(7));
  });

  it('lets no name grow into further parts of a subject', async () => {
    const options = { purpose: 'client', commonName: 'x, O=evil+OU=worse', names: [], kind: 'ec', now } as const;
    const [leaf] = parseChain((await issue(await ecAuthority, options)).cert, 'x');
    expect(leaf.subject).toBe('CN=x\\, O=evil\\+OU=worse');
  });

  it('is never outlived by what it signed, and gives each its own serial number', async () => {
    const authority = await ecAuthority;
    const late = day(AUTHORITY_DEFAULTS.authorityDays - 3);
    const made = await Promise.all([1, 2].map(() => issue(authority, { ...SERVER, now: late })));
    const [a, b] = made.map(({ cert }) => new X509Certificate(cert));
    expect(new Date(a?.validTo ?? '')).toEqual(day(3650));
    expect(a?.serialNumber).not.toBe(b?.serialNumber);
    // At most 20 octets and positive (RFC 5280, 4.1.2.2).
    expect(a?.serialNumber.length).toBeLessThanOrEqual(40);
  });

  it('is told from others, also by what it signed', async () => {
    const authority = await ecAuthority;
    expect(isOurs((await issue(authority, SERVER)).cert)).toBe(true);
    expect(isOurs((await makeCertificate()).cert)).toBe(false);
    expect(isOurs('nonsense')).toBe(false);
  });

  it('cannot be one that has expired, is damaged, belongs to another key, or is none', async () => {
    const authority = await ecAuthority;
    const other = await makeCertificate();
    expect(authorityFault(authority, now)).toBeUndefined();
    expect(authorityFault(authority, day(3650))).toBe('it has expired');
    expect(authorityFault({ ...authority, key: other.key }, now)).toBe('its key belongs to another one');
    expect(authorityFault({ ...authority, key: 'x' }, now)).toBe('its files are damaged');
    expect(authorityFault(other, now)).toBe('its certificate is not that of a CA');
    const below = await makeCertificate({ ca: true, issuer: await makeCertificate({ name: 'Root', ca: true }) });
    expect(authorityFault(below, now)).toBe('it is signed by another one');
  });
});
