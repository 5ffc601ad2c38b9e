import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signatureOf, weakHashOf } from '../../src/certificates/signature.ts';
import { makeCertificate } from '../support/made-certificates.ts';
import { has, missing, run } from '../support/programs.ts';

describe('how a certificate is signed', () => {
  it.each([
    ['P-256', 'SHA-256', 'ECDSA', undefined],
    ['P-256', 'SHA-1', 'ECDSA', 'SHA-1'],
    ['RSA-2048', 'SHA-256', 'RSA', undefined],
    ['RSA-2048', 'SHA-1', 'RSA', 'SHA-1'],
  ] as const)('with a %s key and %s is known', async (key, hash, algorithm, weak) => {
    const { certificate } = await makeCertificate({ key, hash });
    expect(signatureOf(certificate)).toEqual({ algorithm, hash });
    expect(weakHashOf(certificate)).toBe(weak);
  });

  it('is not weak for the identifiers alone that stand in it', async () => {
    const sha1WithRsa = Buffer.from('06092a864886f70d010105', 'hex');
    const { certificate } = await makeCertificate({ extra: sha1WithRsa });
    expect(certificate.raw.includes(sha1WithRsa)).toBe(true);
    expect(weakHashOf(certificate)).toBeUndefined();
  });

  it.skipIf(!has('openssl')).each([
    ['md5', [], { algorithm: 'RSA', hash: 'MD5' }, 'MD5'],
    ['sha1', ['-sigopt', 'rsa_padding_mode:pss'], { algorithm: 'RSA-PSS', hash: 'SHA-1' }, 'SHA-1'],
    ['sha256', ['-sigopt', 'rsa_padding_mode:pss'], { algorithm: 'RSA-PSS', hash: 'SHA-256' }, undefined],
  ] as const)(`by openssl with %s %j is known${missing('openssl')}`, async (hash, options, signature, weak) => {
    const args = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-subj',
      '/CN=x',
      `-${hash}`,
    ];
    const { stdout } = await run('openssl', [...args, ...options]).finished;
    const certificate = new X509Certificate(stdout);
    expect(signatureOf(certificate)).toEqual(signature);
    expect(weakHashOf(certificate)).toBe(weak);
  });
});
