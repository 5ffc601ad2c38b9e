import { rootCertificates } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSelfSigned, pathFrom, publicIssuerOf, shortName } from '../../src/certificates/chain.ts';
import { createDevelopmentCertificate } from '../../src/certificates/development.ts';
import { MADE_AT, makeCertificate, makeChain } from '../support/made-certificates.ts';

describe('a chain', () => {
  it('is put in order whatever the order was', async () => {
    const { root, intermediate, server } = await makeChain();
    const [r, i, s] = [root.certificate, intermediate.certificate, server.certificate];
    expect(pathFrom(s, [r, i])).toEqual({ path: [s, i, r], superfluous: [] });
    expect(pathFrom(s, [])).toEqual({ path: [s], superfluous: [] });
    expect(pathFrom(i, [s, r])).toEqual({ path: [i, r], superfluous: [s] });
  });

  it('ends, even where two certificates have signed each other', async () => {
    const a = await makeCertificate({ name: 'A', ca: true });
    const b = await makeCertificate({ name: 'B', ca: true, issuer: a });
    expect(pathFrom(b.certificate, [a.certificate, b.certificate]).path).toHaveLength(2);
  });

  it('knows a self-signed certificate that is not allowed to sign', async () => {
    const { cert } = await createDevelopmentCertificate('localhost', MADE_AT);
    expect(isSelfSigned(new X509Certificate(cert))).toBe(true);
    const { server } = await makeChain();
    expect(isSelfSigned(server.certificate)).toBe(false);
  });

  it('leads to a public root by name and signature', async () => {
    const root = new X509Certificate(rootCertificates[0] ?? '');
    expect(publicIssuerOf(root)?.fingerprint256).toBe(root.fingerprint256);
    const namesake = await makeCertificate({ name: shortName(root.subject) });
    expect(publicIssuerOf(namesake.certificate)).toBeUndefined();
  });

  it.each([
    ['C=DE\nO=Studio\nCN=live.example', 'live.example'],
    ['C=DE\nO=Studio', 'Studio'],
    ['CN=A\\, B', 'A, B'],
    ['C=DE\nST=Berlin', 'C=DE, ST=Berlin'],
  ])('calls %j %s', (name, short) => {
    expect(shortName(name)).toBe(short);
  });
});
