import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../log.ts';
import type { AddressCounter } from './address-counter.ts';
import type { Protocol } from './admission.ts';
import type { ClientIdentity } from './client-identity.ts';
import type { Handler } from './link.ts';
import type { CertificateChoice, TlsOptions } from './tls-server.ts';

export interface DoorOptions {
  /** Address to listen on; all addresses, IPv6 and IPv4, when absent. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** What clients may speak here; everything when absent. */
  readonly protocols?: readonly Protocol[];
  /**
   * `require`: every connection has to come from a trusted address and begin with a PROXY protocol header, whose client
   * then takes the proxy's place everywhere. It is never guessed: whoever could choose could be anybody. `off` when absent.
   */
  readonly proxyProtocol?: 'off' | 'require';
  readonly tls?: TlsOptions;
  readonly limits?: Partial<DoorLimits>;
}

export interface DoorLimits {
  /** From accept (or a PROXY header's end, or that of the TLS handshake) to the bytes that tell the protocol; also for that header. */
  readonly sniffMs: number;
  /** From the first bytes of a ClientHello to the end of the handshake. */
  readonly tlsMs: number;
  /** The same, each, for a connection that is over a limit. */
  readonly overLimitMs: number;
  /** How long a refused HTTP client may take to close its side. */
  readonly lingerMs: number;
  /** Connections that have not told their protocol yet, handshakes included; one more evicts the oldest. */
  readonly maxUndecided: number;
}

export const DOOR_LIMITS: DoorLimits = Object.freeze({
  // All protocols here are client-first; 5 s let a lost first segment be sent again twice (HAProxy's and caddy-l4's
  // users settled on 3 to 5 s).
  sniffMs: 5_000,
  // A handshake takes two round trips; Node's own default of 120 s invites hoarders.
  tlsMs: 10_000,
  // Just enough to answer an HTTP client with 503 instead of a silent close.
  overLimitMs: 1_000,
  lingerMs: 2_000,
  // An unfinished handshake costs some 50 KiB, so 100 MiB at the worst; honest ones are through in milliseconds.
  maxUndecided: 2_000,
});

/** Part of the connection limit that may, beyond it, be accepted just to be refused politely. */
export const OVER_LIMIT_RESERVE = 0.1;

/** Handshakes begun or given up in one turn of the event loop: a millisecond, so that a flood of them delays no picture. */
export const HANDSHAKES_PER_TURN = 2;

/** Probes and reconnecting encoders come in bursts: the kernel may queue this many (Node's default is 511). */
export const BACKLOG = 1_024;

/** Below the 60 s after which the strictest NAT and balancers forget a silent connection. */
export const KEEP_ALIVE_MS = 50_000;

/** An HTTP client as the door hands it over; `tunnel` and `web` say what this door allows it to ask for. */
export interface HttpArrival {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly secure: boolean;
  /** Its headers about other addresses may be believed. */
  readonly trusted: boolean;
  readonly tunnel: boolean;
  readonly web: boolean;
  /** Who it is by its certificate. */
  readonly identity?: ClientIdentity;
  /** To be called at its first valid request: from then on it no longer counts towards its address's limit. */
  validRequest(): void;
}

export interface DoorDependencies {
  /** Takes every RTMP connection. */
  readonly rtmp: Handler;
  /** Takes every HTTP connection: the real socket, not flowing, all its bytes still in it. */
  readonly http: (socket: Socket | TLSSocket, arrival: HttpArrival) => void;
  /** Undefined: no TLS. */
  readonly certificates: CertificateChoice | undefined;
  /** RTMP connections (and, elsewhere, tunnel sessions). */
  readonly clients: AddressCounter;
  /** Connections that have not made one valid request yet. */
  readonly newcomers: AddressCounter;
  /** Every open connection, whatever it does. */
  readonly sockets: AddressCounter;
  /** Whether to believe an address about other addresses. */
  readonly trusted: (address: string) => boolean;
  readonly log: Log;
}
