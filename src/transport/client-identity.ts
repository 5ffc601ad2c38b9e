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
  if (certificate === undefined) return required ? missing() : undefined;
  if (!stream.authorized) return refused(String(stream.authorizationError));
  const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
  return { commonName, fingerprint: certificate.fingerprint256 };
}

function missing(): TransportError {
  const reason = 'the client sent no certificate, and this port requires one (clientCa)';
  return new TransportError('CLIENT_CERTIFICATE_MISSING', reason);
}

function refused(code: string): TransportError {
  const reason = REASONS[code] ?? `it did not pass (${code})`;
  return new TransportError('CLIENT_CERTIFICATE_REFUSED', `the client's certificate was refused: ${reason}`);
}

const UNKNOWN_AUTHORITY = 'it was not signed by an authority that clientCa names';

/** OpenSSL's codes in plain words. */
const REASONS: Readonly<Record<string, string>> = Object.freeze({
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet; check both clocks',
  CERT_REVOKED: 'it has been revoked',
  INVALID_PURPOSE: 'it is not one for clients',
  UNABLE_TO_GET_CRL: 'clientCrl has no list of the authority that signed it; add one',
  CRL_HAS_EXPIRED: 'the list in clientCrl is too old, and nobody gets in before it is renewed',
  CRL_NOT_YET_VALID: 'the list in clientCrl is not valid yet; check the clock',
});
