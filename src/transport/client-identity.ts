import type { TLSSocket } from 'node:tls';
import { TransportError } from '../errors.ts';

/** Who a client is by its certificate, which an authority of ours has signed. */
export interface ClientIdentity {
  /** The common name of the certificate's subject; empty when it has none. */
  readonly commonName: string;
  /** SHA-256 over the certificate, as browsers show it. */
  readonly fingerprint: string;
}

/**
 * Who is at the other end of a handshake in which a certificate was asked for: undefined when there was none and none is
 * required, an error when this client must not come in.
 */
export function judgeClient(stream: TLSSocket, required: boolean): ClientIdentity | TransportError | undefined {
  // Asked for itself: Node calls a resumed TLS 1.3 session authorized even if there never was a certificate (measured).
  const certificate = stream.getPeerX509Certificate();
  if (certificate === undefined) return required ? refusal('CLIENT_CERTIFICATE_MISSING') : undefined;
  if (!stream.authorized) return refusal(String(stream.authorizationError));
  const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
  return { commonName, fingerprint: certificate.fingerprint256 };
}

function refusal(code: string): TransportError {
  const words = REASONS[code] ?? `its certificate was refused (${code})`;
  return new TransportError(code in REASONS ? code : 'CLIENT_CERTIFICATE_REFUSED', words);
}

const UNKNOWN_AUTHORITY = 'its certificate was not signed by an authority that clientCa names';

/** OpenSSL's codes in plain words. */
const REASONS: Readonly<Record<string, string>> = Object.freeze({
  CLIENT_CERTIFICATE_MISSING: 'it sent no certificate, and this port requires one (clientCa)',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; check both clocks',
  CERT_REVOKED: 'its certificate has been revoked',
  INVALID_PURPOSE: 'its certificate is not one for clients',
  UNABLE_TO_GET_CRL: 'clientCrl has no list of the authority that signed its certificate; add it',
  CRL_HAS_EXPIRED: 'the list in clientCrl is too old; nobody gets in before it is renewed',
  CRL_NOT_YET_VALID: 'the list in clientCrl is not valid yet; check the clock',
});
