import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { Certificate } from '../certificates/index.ts';
import { ConfigError } from '../errors.ts';
import type { ClientHello } from './client-hello.ts';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface TlsOptions {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Gives a client that names no server TLS 1.2 at most, if it takes that. */
  readonly capWithoutSni: boolean;
}

export const TLS_DEFAULTS: TlsOptions = Object.freeze({
  // RFC 8996 retired everything older; Flash-era encoders that know nothing else need an explicit `TLSv1`.
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  // librtmp built with GnuTLS (Debian, Ubuntu) never sends SNI, and takes the session tickets that follow a TLS 1.3
  // handshake for an error: measured, it plays nothing over 1.3 and everything over 1.2.
  capWithoutSni: true,
});

/** What a TLS front needs of the certificate store. */
export interface CertificateChoice {
  /** For clients that name no server, or one that we have no certificate for. */
  readonly fallback: Certificate;
  choose(serverName: string): Certificate;
}

/** Called once for each socket given to `secure`, unless that socket is destroyed before. */
export interface TlsOutcome {
  secured(raw: Socket, stream: tls.TLSSocket): void;
  /** The handshake failed; `raw` is closed or about to be. */
  failed(raw: Socket, error: Error): void;
}

/**
 * A client may not ask for handshake after handshake on one connection (TLS 1.2): each costs us far more than it. Node's
 * own limit of three in ten minutes does not hold here (measured).
 */
const NO_RENEGOTIATION = constants.SSL_OP_NO_RENEGOTIATION;

const ORDER: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/**
 * The serving end of TLS on one door: two `tls.Server`s that never listen, the second one without TLS 1.3, and the
 * choice between them by what the ClientHello says.
 */
export class TlsServers {
  readonly #certificates: CertificateChoice;
  readonly #options: TlsOptions;
  readonly #contexts = new WeakMap<Certificate, tls.SecureContext>();
  readonly #normal: tls.Server;
  readonly #capped: tls.Server;

  /**
   * `handshakeMs` is a last resort below the door's own deadline. Throws `ConfigError` for versions that leave nothing
   * to agree on.
   */
  constructor(certificates: CertificateChoice, outcome: TlsOutcome, options: TlsOptions, handshakeMs: number) {
    if (!isBelow(options.minVersion, options.maxVersion)) throw emptyRange(options);
    this.#certificates = certificates;
    this.#options = options;
    this.#normal = this.#createServer(options.maxVersion, outcome, handshakeMs);
    this.#capped = this.#createServer(this.#cap(), outcome, handshakeMs);
  }

  /** Starts the handshake. `raw` must have been given back every byte of the hello with `unshift`. */
  secure(raw: Socket, hello: ClientHello): void {
    const cap = this.#options.capWithoutSni && hello.serverName === undefined && !hello.onlyTls13;
    const server = cap ? this.#capped : this.#normal;
    server.emit('connection', raw);
  }

  #cap(): TlsVersion {
    const { minVersion, maxVersion } = this.#options;
    return isBelow(minVersion, 'TLSv1.2') && isBelow('TLSv1.2', maxVersion) ? 'TLSv1.2' : maxVersion;
  }

  #createServer(maxVersion: TlsVersion, outcome: TlsOutcome, handshakeMs: number): tls.Server {
    const server = tls.createServer({
      ...this.#contextOptions(this.#certificates.fallback),
      maxVersion,
      handshakeTimeout: handshakeMs,
      ALPNCallback: ({ protocols }) => chooseAlpn(protocols),
      SNICallback: (name, done) => done(null, this.#contextFor(name)),
    });
    server.on('secureConnection', (stream) => this.#report(stream, (raw) => outcome.secured(raw, stream)));
    server.on('tlsClientError', (error, stream) => this.#report(stream, (raw) => outcome.failed(raw, error)));
    return server;
  }

  #report(stream: tls.TLSSocket, tell: (raw: Socket) => void): void {
    // Resets may come at any time from here on; whoever gets the stream learns of its end by 'close'.
    stream.on('error', () => {});
    const raw = rawOf(stream);
    if (raw) tell(raw);
    else stream.destroy();
  }

  /** An unknown name gets the default certificate instead of an alert: clients that do not verify then just work. */
  #contextFor(serverName: string): tls.SecureContext {
    const certificate = this.#certificates.choose(serverName);
    const known = this.#contexts.get(certificate);
    if (known) return known;
    const context = tls.createSecureContext(this.#contextOptions(certificate));
    this.#contexts.set(certificate, context);
    return context;
  }

  #contextOptions(certificate: Certificate): tls.SecureContextOptions {
    const { minVersion, maxVersion } = this.#options;
    const ciphers = ciphersFor(minVersion);
    return { ...certificate.material, minVersion, maxVersion, ciphers, secureOptions: NO_RENEGOTIATION };
  }
}

/**
 * RTMP has no ALPN name and no RTMP client offers one, so none may be required; browsers and proxies want `http/1.1`.
 * Whoever offers only HTTP/2 or HTTP/3 is refused (an alert), since nobody here would understand what follows.
 */
export function chooseAlpn(offered: readonly string[]): string | undefined {
  if (offered.includes('http/1.1')) return 'http/1.1';
  return offered.find((name) => name !== 'h2' && name !== 'h3');
}

/** OpenSSL 3 calls the signatures of TLS 1.0 and 1.1 too weak at its default level: only level 0 lets them pass. */
function ciphersFor(minVersion: TlsVersion): string {
  return isBelow('TLSv1.2', minVersion) ? tls.DEFAULT_CIPHERS : `${tls.DEFAULT_CIPHERS}:@SECLEVEL=0`;
}

/** True when `low` is not above `high`. */
function isBelow(low: TlsVersion, high: TlsVersion): boolean {
  return ORDER.indexOf(low) <= ORDER.indexOf(high);
}

/** Node keeps the socket beneath a TLSSocket only in this field; an early reset leaves no address to find it by. */
function rawOf(stream: tls.TLSSocket): Socket | undefined {
  return (stream as unknown as { readonly _parent?: Socket })._parent;
}

function emptyRange({ minVersion, maxVersion }: TlsOptions): ConfigError {
  return new ConfigError('TLS_VERSIONS', `tls: minVersion ${minVersion} is above maxVersion ${maxVersion}`);
}
