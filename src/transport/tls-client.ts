import { X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { TransportError } from '../errors.ts';
import { SOCKET_OPTIONS, ready, reasonOf } from './tcp.ts';
import type { Target } from './tcp.ts';
import { describeServerFailure } from './tls-failure.ts';

export interface TlsClientOptions {
  /** Certificates (PEM) trusted beside the public authorities, not instead of them. */
  readonly ca?: readonly (string | Buffer)[];
  /** Named to the server, and looked for in its certificate, in the place of the host that is connected to. */
  readonly serverName?: string | undefined;
  /** False takes any certificate: for tests and for servers whose certificate nobody signed. Default true. */
  readonly rejectUnauthorized?: boolean;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** Whether a text has certificates (PEM) in it that can be trusted: Node passes over what it cannot read without a word. */
export function hasCertificates(pem: string): boolean {
  const certificates = pem.match(CERTIFICATE) ?? [];
  try {
    // Throws for what is none.
    for (const certificate of certificates) new X509Certificate(certificate);
    return certificates.length > 0;
  } catch {
    return false;
  }
}

/**
 * Connects and agrees on TLS, or rejects with `TransportError` (`TLS_FAILED` for whatever goes wrong on the way to a
 * verified session, a refused connection included) or the signal's reason. `over` is a connection that stands already.
 */
export async function connectTls(
  target: Target,
  options: TlsClientOptions,
  signal: AbortSignal,
  over?: net.Socket,
): Promise<tls.TLSSocket> {
  const name = options.serverName ?? target.host;
  const settings: tls.ConnectionOptions & net.TcpNetConnectOpts = {
    ...SOCKET_OPTIONS,
    ...(over && { socket: over }),
    host: target.host,
    port: target.port,
    // RFC 6066, section 3: a name and never an address. The certificate is checked against the address all the same.
    servername: net.isIP(name) === 0 ? name : '',
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
    rejectUnauthorized: options.rejectUnauthorized ?? true,
  };
  if (options.ca) settings.ca = [...tls.rootCertificates, ...options.ca];
  const socket = tls.connect(settings);
  await ready(socket, 'secureConnect', signal, (cause) => tlsFailed(target, cause));
  return socket;
}

function tlsFailed({ host, port }: Target, cause: Error): TransportError {
  return new TransportError(
    'TLS_FAILED',
    `no TLS connection to ${host} port ${port}: ${describeServerFailure(cause) ?? reasonOf(cause)}`,
    { cause },
  );
}
