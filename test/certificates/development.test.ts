import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDevelopmentCertificate, isPlainHostName, wantsRenewal } from '../../src/certificates/development.ts';
import { namesOf } from '../../src/certificates/names.ts';

const DAY_MS = 86_400_000;
const now = new Date('2026-03-01T12:00:00Z');

describe('the development certificate', () => {
  it('is P-256 with SHA-256, names this machine, and ends after a year (must-do 34)', async () => {
    const { cert, key } = await createDevelopmentCertificate('studio.lan', now);
    const certificate = new X509Certificate(cert);
    expect(namesOf(certificate)).toEqual(['localhost', 'studio.lan', '127.0.0.1', '::1']);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(certificate.toLegacyObject()).toMatchObject({ ext_key_usage: ['1.3.6.1.5.5.7.3.1'] });
    expect(new Date(certificate.validTo)).toEqual(new Date(now.getTime() + 365 * DAY_MS));
    expect(certificate.ca).toBe(false);
    expect(key).toContain('-----BEGIN PRIVATE KEY-----');
    // ecdsa-with-SHA256, 1.2.840.10045.4.3.2: the package's own default would be SHA-1.
    expect(certificate.raw.includes(Buffer.from('06082a8648ce3d040302', 'hex'))).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  it('leaves out a host name that could change its subject', async () => {
    const { cert } = await createDevelopmentCertificate('x, O=evil', now);
    expect(namesOf(new X509Certificate(cert))).toEqual(['localhost', '127.0.0.1', '::1']);
  });

  it('names a machine that is called localhost once', async () => {
    const { cert } = await createDevelopmentCertificate('localhost', now);
    expect(namesOf(new X509Certificate(cert)).filter((name) => name === 'localhost')).toHaveLength(1);
  });

  it.each(['a', 'studio-1', 'a.b.example', 'x'.repeat(63)])('takes %s for a host name', (name) => {
    expect(isPlainHostName(name)).toBe(true);
  });

  it.each(['', 'a,b', 'a+b', 'a=b', '-a', 'a-', 'a..b', 'a b', 'x'.repeat(64), `${'a.'.repeat(126)}ab`])(
    'does not take "%s" for a host name',
    (name) => {
      expect(isPlainHostName(name)).toBe(false);
    },
  );

  it('is renewed in its last thirty days and not before', () => {
    expect(wantsRenewal(new Date(now.getTime() + 30 * DAY_MS), now)).toBe(false);
    expect(wantsRenewal(new Date(now.getTime() + 30 * DAY_MS - 1), now)).toBe(true);
    expect(wantsRenewal(new Date(now.getTime() - 1), now)).toBe(true);
  });
});
