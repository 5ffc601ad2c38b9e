import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { Certificate } from '../certificates/index.ts';
import { ConfigError } from '../errors.ts';
import type { ClientHello } from './client-hello.ts';
import { judgeClient, type ClientIdentity } from './client-identity.ts';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface TlsOptions {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Gives a client that names no server TLS 1.2 at most, if it takes that. */
  readonly capWithoutSni: boolean;
  /** Cipher list in OpenSSL's notation; Node's own when absent. */
  readonly ciphers?: string;
  /** Clients are asked who they are. */
  readonly clients?: ClientTrust;
}

/** Mutual TLS: whose certificates are accepted, by the paths that the certificate store knows the files by. */
export interface ClientTrust {
  /** Authorities that sign clients' certificates. */
  readonly authorities: readonly string[];
  /** What they have revoked. */
  readonly revoked: readonly string[];
  /** Whether a client without any certificate is refused as well. */
  readonly required: boolean;
}

export const TLS_DEFAULTS: TlsOptions = Object.freeze({
  // RFC 8996 retired everything older; Flash-era encoders that know nothing else need an explicit `TLSv1`.
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  // librtmp built with GnuTLS (Debian, Ubuntu) never sends SNI, and takes the session tickets that follow a TLS 1.3
  // handshake for an error: measured, it plays nothing over 1.3 and everything over 1.2.
  capWithoutSni: true,
});

/** What a TLS front needs of the certificates, which may be others tomorrow. */
export interface CertificateChoice {
  /** For clients that name no server, or one that we have no certificate for: one for each kind of key. */
  readonly fallback: readonly Certificate[];
  /** The same list every time, for the same name. */
  choose(serverName: string): readonly Certificate[];
  /** What is in a file of authorities or revocation lists. */
  trust(path: string): string;
  /** 48 bytes to seal session tickets with; tickets of one realm mean nothing in another. */
  ticketKeys(realm: string): Buffer;
  /** Calls when any of this has changed; returns what ends that. */
  onChange(listener: () => void): () => void;
}

/** Called once for each socket given to `secure`, unless that socket is destroyed before. */
export interface TlsOutcome {
  secured(raw: Socket, stream: tls.TLSSocket, identity: ClientIdentity | undefined): void;
  /** The handshake failed; `raw` is closed or about to be. */
  failed(raw: Socket, error: Error): void;
}

/**
 * A client may not ask for handshake after handshake on one connection (TLS 1.2): each costs us far more than it. Node's
 * own limit of three in ten minutes does not hold here (measured).
 */
const NO_RENEGOTIATION = constants.SSL_OP_NO_RENEGOTIATION;

/**
 * Node's own list, in which elliptic curves come first where there are certificates of both kinds: signing with them
 * costs a tenth. Without RSA key transport, which gives away all that was recorded to whoever gets the key one day.
 */
const CIPHERS = `ECDHE-ECDSA-AES128-GCM-SHA256:${tls.DEFAULT_CIPHERS}:!kRSA`;

/** OpenSSL 3 calls the signatures of TLS 1.0 and 1.1 too weak at its default level: only level 0 lets them pass. */
const OLD_SIGNATURES = '@SECLEVEL=0';

/** As many as there are certificates; those that nobody asks for never come to be. */
type ServersByCertificates = Map<readonly Certificate[], tls.Server>;

const noServers = () => ({ normal: new Map() as ServersByCertificates, capped: new Map() as ServersByCertificates });

const ORDER: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/**
 * The serving end of TLS on one door: a `tls.Server` that never listens for each set of certificates, one with and one
 * without TLS 1.3, and the choice between them by what the ClientHello says.
 *
 * A server each, because Node's `SNICallback` lays one certificate of the context it is given over those of the default
 * one: of two kinds of keys one would be lost, and clients get a certificate of the default's for a name that is not its
 * own (measured). New certificates get new servers, so that nothing of the settings can be forgotten on the way.
 */
export class TlsServers {
  readonly #certificates: CertificateChoice;
  readonly #options: TlsOptions;
  readonly #outcome: TlsOutcome;
  readonly #handshakeMs: number;
  #servers: { readonly normal: ServersByCertificates; readonly capped: ServersByCertificates };
  readonly #forgetCertificates: () => void;

  /**
   * `handshakeMs` is a last resort below the door's own deadline. Throws `ConfigError` for versions that leave nothing
   * to agree on.
   */
  constructor(certificates: CertificateChoice, outcome: TlsOutcome, options: TlsOptions, handshakeMs: number) {
    if (!isBelow(options.minVersion, options.maxVersion)) throw emptyRange(options);
    this.#certificates = certificates;
    this.#options = options;
    this.#outcome = outcome;
    this.#handshakeMs = handshakeMs;
    this.#servers = noServers();
    this.#forgetCertificates = certificates.onChange(() => (this.#servers = noServers()));
    // What cannot work is found out before anybody connects.
    this.#serverFor(certificates.fallback, false);
  }

  /** Takes no notice of new certificates any more. */
  close(): void {
    this.#forgetCertificates();
  }

  /** Starts the handshake. `raw` must have been given back every byte of the hello with `unshift`. */
  secure(raw: Socket, { serverName, onlyTls13 }: ClientHello): void {
    const { fallback } = this.#certificates;
    // An unknown name gets the default certificate instead of an alert: clients that do not verify then just work.
    const certificates = serverName === undefined ? fallback : this.#certificates.choose(serverName);
    const isCapped = this.#options.capWithoutSni && serverName === undefined && !onlyTls13;
    this.#serverFor(certificates, isCapped).emit('connection', raw);
  }

  #serverFor(certificates: readonly Certificate[], isCapped: boolean): tls.Server {
    const servers = isCapped ? this.#servers.capped : this.#servers.normal;
    const known = servers.get(certificates);
    if (known) return known;
    const server = this.#createServer(certificates, isCapped ? this.#cap() : this.#options.maxVersion);
    servers.set(certificates, server);
    return server;
  }

  #cap(): TlsVersion {
    const { minVersion, maxVersion } = this.#options;
    return isBelow(minVersion, 'TLSv1.2') && isBelow('TLSv1.2', maxVersion) ? 'TLSv1.2' : maxVersion;
  }

  #createServer(certificates: readonly Certificate[], maxVersion: TlsVersion): tls.Server {
    const context = this.#contextOptions(certificates, maxVersion);
    const server = tls.createServer({
      ...context,
      ticketKeys: this.#certificates.ticketKeys(realmOf(context)),
      handshakeTimeout: this.#handshakeMs,
      ALPNCallback: ({ protocols }) => chooseAlpn(protocols),
      requestCert: this.#options.clients !== undefined,
      // Node would end those it does not like without a word; `judge` says why.
      rejectUnauthorized: false,
    });
    server.on('secureConnection', (stream) => this.#report(stream, (raw) => this.#judge(raw, stream)));
    server.on('tlsClientError', (error, stream) => this.#report(stream, (raw) => this.#outcome.failed(raw, error)));
    return server;
  }

  #judge(raw: Socket, stream: tls.TLSSocket): void {
    const { clients } = this.#options;
    if (clients === undefined) return this.#outcome.secured(raw, stream, undefined);
    const judgement = judgeClient(stream, clients.required);
    if (judgement instanceof Error) this.#outcome.failed(raw, judgement);
    else this.#outcome.secured(raw, stream, judgement);
  }

  #report(stream: tls.TLSSocket, tell: (raw: Socket) => void): void {
    // Resets may come at any time from here on; whoever gets the stream learns of its end by 'close'.
    stream.on('error', () => {});
    const raw = rawOf(stream);
    if (raw) tell(raw);
    else stream.destroy();
  }

  #contextOptions(certificates: readonly Certificate[], maxVersion: TlsVersion): tls.SecureContextOptions {
    const { minVersion, ciphers = CIPHERS, clients } = this.#options;
    return {
      ...materialOf(certificates),
      ...(clients !== undefined && this.#trustOf(clients)),
      minVersion,
      maxVersion,
      ciphers: isBelow('TLSv1.2', minVersion) ? ciphers : `${ciphers}:${OLD_SIGNATURES}`,
      secureOptions: NO_RENEGOTIATION,
      // Node's own would differ from gateway to gateway, and nobody could go on with another's session.
      sessionIdContext: 'rtmp-gateway',
    };
  }

  #trustOf({ authorities, revoked }: ClientTrust): tls.SecureContextOptions {
    const read = (paths: readonly string[]) => paths.map((path) => this.#certificates.trust(path));
    return { ca: read(authorities), ...(revoked.length > 0 && { crl: read(revoked) }) };
  }
}

/**
 * Tickets keep what was known of a client. They are worth nothing where something else is asked of clients, and no more
 * once an authority or a revocation list has changed.
 */
function realmOf({ ca = [], crl = [] }: tls.SecureContextOptions): string {
  return createHash('sha256')
    .update(JSON.stringify([ca, crl]))
    .digest('hex');
}

/** Several certificates serve one name when their keys are of different kinds: OpenSSL takes what the client can use. */
function materialOf(certificates: readonly Certificate[]): tls.SecureContextOptions {
  const materials = certificates.map(({ material }) => material);
  const pem = materials.flatMap((material) => ('cert' in material ? [material] : []));
  const pfx = materials.flatMap((material) => ('pfx' in material ? [material] : []));
  return {
    cert: pem.map(({ cert }) => cert),
    key: pem.map(({ key, passphrase }) => ({ pem: key, ...(passphrase !== undefined && { passphrase }) })),
    pfx: pfx.map(({ pfx: buf, passphrase }) => ({ buf, ...(passphrase !== undefined && { passphrase }) })),
  };
}

/**
 * RTMP has no ALPN name and no RTMP client offers one, so none may be required; browsers and proxies want `http/1.1`.
 * Whoever offers only HTTP/2 or HTTP/3 is refused (an alert), since nobody here would understand what follows.
 */
export function chooseAlpn(offered: readonly string[]): string | undefined {
  if (offered.includes('http/1.1')) return 'http/1.1';
  return offered.find((name) => name !== 'h2' && name !== 'h3');
}

/** Whether OpenSSL can read it and knows at least one of them. What it does not know it passes over without a word. */
export function isCipherList(ciphers: string): boolean {
  try {
    tls.createSecureContext({ ciphers });
    return true;
  } catch {
    return false;
  }
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
