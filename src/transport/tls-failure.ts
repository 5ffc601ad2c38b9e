/** Why TLS handshakes fail in the field, for people who must find out why an encoder does not connect. */
const REASONS: Readonly<Record<string, string>> = Object.freeze({
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the client does not trust our certificate (unknown authority)',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the client refused our certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'the client refused our certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the client says that our certificate has expired',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the client refused the TLS version that this port allows',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the client offers no TLS version that this port allows',
  ERR_SSL_NO_SHARED_CIPHER: 'no cipher that both sides allow for our kind of certificate key',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'no signature algorithm that both sides allow',
  ERR_TLS_ALPN_CALLBACK_INVALID_RESULT: 'the client offers no application protocol that is spoken here',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'the client offers no application protocol that is spoken here',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'the client did not finish it in time',
});

/** Codes of clients that just went away: probes, port scans and lost networks, not worth a line for people. */
const DEPARTURES = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTCONN', 'ECONNABORTED']);

/** The stable code of an error of Node's or OpenSSL's. */
export function failureCode(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code ?? error.name;
}

export function isDeparture(error: Error): boolean {
  return DEPARTURES.has(failureCode(error));
}

/** The reason in plain words, or OpenSSL's own for what is rare. */
export function describeTlsFailure(error: Error): string {
  const { reason } = error as { readonly reason?: unknown };
  return REASONS[failureCode(error)] ?? (typeof reason === 'string' ? reason : error.message);
}
