import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Admission } from './admission.ts';
import type { ClientHello } from './client-hello.ts';
import type { ClientIdentity } from './client-identity.ts';
import type { Opening } from './opening.ts';
import { nextPeerId } from './peer-id.ts';
import type { Endpoint } from './proxy-header.ts';

/** One connection between its accept and the moment a handler takes it over: what the door knows of it. */
export class Arrival {
  readonly id = nextPeerId();
  readonly raw: Socket;
  /** The client's own: who connected, unless a PROXY header named somebody else. */
  address: string;
  port: number;
  /** Who connected and named somebody else. */
  proxy: string | undefined;
  /** No room for it: it is only looked at to refuse it in its own language. */
  overLimit = false;
  /** Where its bytes come from: the socket, and after the handshake the TLS stream on top of it. */
  stream: Socket | TLSSocket;
  secure = false;
  /** Who it is by its certificate. */
  identity: ClientIdentity | undefined;
  /** Where it goes, once known: first what the socket shows, after a handshake what is inside. */
  admission: Admission | undefined;
  hello: ClientHello | undefined;
  opening: Opening | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Gives back its place among the connections that have not proved useful yet. */
  release = (): void => {};

  constructor(raw: Socket, address: string) {
    this.raw = raw;
    this.stream = raw;
    this.address = address;
    this.port = raw.remotePort ?? 0;
  }

  /** Takes the place that there is for its address, whose release is given; undefined: there is none. */
  settle(release: (() => void) | undefined): void {
    this.overLimit = release === undefined;
    this.release = release ?? (() => {});
  }

  /** The proxy that connected speaks for `client`. */
  introduce(client: Endpoint): void {
    this.proxy = this.address;
    this.address = client.address;
    this.port = client.port;
  }

  /** Fields for its log lines. */
  fields(): object {
    const { id, address, port, proxy, hello, identity } = this;
    const tls = hello && { serverName: hello.serverName ?? null, offeredVersion: hello.version };
    const client = identity && { client: identity.commonName };
    return { peer: id, address, port, ...(proxy !== undefined && { proxy }), ...tls, ...client };
  }
}
