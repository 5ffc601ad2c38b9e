import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Admission } from './admission.ts';
import type { ClientHello } from './client-hello.ts';
import type { Opening } from './opening.ts';
import { nextPeerId } from './peer-id.ts';

/** One connection between its accept and the moment a handler takes it over: what the door knows of it. */
export class Arrival {
  readonly id = nextPeerId();
  readonly raw: Socket;
  readonly address: string;
  readonly port: number;
  /** No room for it: it is only looked at to refuse it in its own language. */
  readonly overLimit: boolean;
  /** Where its bytes come from: the socket, and after the handshake the TLS stream on top of it. */
  stream: Socket | TLSSocket;
  secure = false;
  /** Where it goes, once known: first what the socket shows, after a handshake what is inside. */
  admission: Admission | undefined;
  hello: ClientHello | undefined;
  opening: Opening | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Gives back its place among the connections that have not proved useful yet. */
  release: () => void;

  constructor(raw: Socket, address: string, release: (() => void) | undefined) {
    this.raw = raw;
    this.stream = raw;
    this.address = address;
    this.port = raw.remotePort ?? 0;
    this.overLimit = release === undefined;
    this.release = release ?? (() => {});
  }

  /** Fields for its log lines. */
  fields(): object {
    const { id, address, port, hello } = this;
    const tls = hello && { serverName: hello.serverName ?? null, offeredVersion: hello.version };
    return { peer: id, address, port, ...tls };
  }
}
