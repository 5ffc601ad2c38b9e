import type { Duplex } from 'node:stream';
import type { ClientIdentity } from './client-identity.ts';

/** How a client's bytes reach us. The `s` forms run inside TLS, the `t` forms are tunnelled through HTTP requests. */
export type Scheme = 'rtmp' | 'rtmps' | 'rtmpt' | 'rtmpts';

/** Who is at the other end of a stream, as far as logs, limits and rules care. */
export interface Peer {
  readonly scheme: Scheme;
  /** True when the bytes crossed the network encrypted. */
  readonly secure: boolean;
  /** The client's own address: behind trusted proxies, the one they vouch for. Never an IPv4-mapped IPv6 form. */
  readonly address: string;
  readonly port: number;
  /** Short and unique within the process; safe to log (it is not the tunnel's session id). */
  readonly id: string;
  /** Who it is by its certificate, where one was asked for. */
  readonly identity?: ClientIdentity;
}

/** Fields that name a peer in log lines. */
export function peerFields({ id, address, scheme, identity }: Peer): object {
  return { peer: id, address, scheme, ...(identity !== undefined && { client: identity.commonName }) };
}

/** Takes a stream over for good: whoever implements this reads, writes and ends it. */
export type Handler = (stream: Duplex, peer: Peer) => void;

/**
 * Opens a way out. Rejects with `TransportError` (the way is shut) or `RemoteError` (the far side refuses), or with the
 * signal's reason.
 */
export type Dial = (signal: AbortSignal) => Promise<Duplex>;
