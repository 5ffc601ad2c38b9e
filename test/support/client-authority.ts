import { webcrypto } from 'node:crypto';
import { X509Certificate as PeculiarCertificate, X509CrlGenerator } from '@peculiar/x509';
import { generate } from 'selfsigned';

export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;

/** An authority for clients' certificates, with revocation lists. */
export class ClientAuthority {
  readonly cert: string;
  readonly #key: string;

  private constructor({ cert, key }: PemPair) {
    this.cert = cert;
    this.#key = key;
  }

  static async create(name = 'studio authority'): Promise<ClientAuthority> {
    const made = await generate([{ name: 'commonName', value: name }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      ],
    });
    return new ClientAuthority({ cert: made.cert, key: made.private });
  }

  async client(
    name: string,
    { days = 30, usage = { clientAuth: true } }: { days?: number; usage?: object } = {},
  ): Promise<PemPair> {
    const made = await generate([{ name: 'commonName', value: name }], {
      keyType: 'ec',
      algorithm: 'sha256',
      notBeforeDate: new Date(Date.now() - 90 * DAY_MS),
      notAfterDate: new Date(Date.now() + days * DAY_MS),
      ca: { cert: this.cert, key: this.#key },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'extKeyUsage', ...usage },
      ],
    });
    return { cert: made.cert, key: made.private };
  }

  /** A revocation list, good for `days` from now. */
  async revoke(certificates: readonly string[], days = 1): Promise<string> {
    const der = Buffer.from(this.#key.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    const signingKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
    const crl = await X509CrlGenerator.create({
      issuer: new PeculiarCertificate(this.cert).subject,
      thisUpdate: new Date(Date.now() - 10 * DAY_MS),
      nextUpdate: new Date(Date.now() + days * DAY_MS),
      entries: certificates.map((cert) => ({
        serialNumber: new PeculiarCertificate(cert).serialNumber,
        revocationDate: new Date(Date.now() - DAY_MS),
      })),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } as never,
      signingKey: signingKey as never,
    });
    // OpenSSL knows it by this name only.
    return crl.toString('pem').replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL');
  }
}
