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

/** The same from the other side: why we take a server, or a server us, for none to talk to. Node's and OpenSSL's codes. */
const SERVER_REASONS: Readonly<Record<string, string>> = Object.freeze({
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is signed by nobody but itself; name the certificate with ca to trust it',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not known here; name that with ca',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an authority that is not known here; name that with ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is signed by an authority that is not known here; name that with ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'it sends no intermediate certificate, or its authority is not known here; name that with ca',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; look at the clock here, too',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what answers there does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what answers there does not speak TLS',
  ERR_SSL_HTTP_REQUEST: 'what answers there does not speak TLS',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'it serves nobody under this name; say another with serverName',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks only versions of TLS that are too old',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks only versions of TLS that are too old',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'it found nothing in common with us, or wants a certificate of ours',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants a certificate of ours',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it wants a certificate of ours',
});

/** Why TLS with a server failed, in plain words; undefined where there are none for it. */
export function describeServerFailure(error: Error): string | undefined {
  const code = failureCode(error);
  if (code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return SERVER_REASONS[code];
  const { host, cert } = error as { host?: unknown; cert?: { subjectaltname?: unknown } };
  const names = String(cert?.subjectaltname ?? 'nothing').replaceAll('DNS:', '');
  const shown = names.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
  return `its certificate is for ${shown} and not for ${String(host)}; say the right name with serverName`;
}
