import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { TransportError } from '../../src/errors.ts';
import { Bridge, nextPeerId, type BridgeOptions, type Peer, type PeerDial } from '../../src/transport/index.ts';
import { memoryPair } from './memory-link.ts';
import { recordingLog, type LogLine } from './recording-log.ts';

/** A bridge between memory links: the test holds the client's and the server's ends. */
export interface BridgeRig {
  readonly bridge: Bridge;
  readonly lines: LogLine[];
  /** The bridge's own ends of its clients. */
  readonly arrivals: Duplex[];
  /** The server's ends, in the order of the dials; the newest last. */
  readonly servers: Duplex[];
  /** Clients that nobody could be found for. */
  readonly turnedAway: Duplex[];
  /** How often somebody was dialled for. */
  readonly dials: () => number;
  /** A client that comes in. */
  client(scheme?: Peer['scheme']): Duplex;
}

export interface BridgeRigOptions {
  readonly dial?: PeerDial;
  readonly bridge?: Partial<BridgeOptions>;
}

export function bridgeRig({ dial, bridge: options = {} }: BridgeRigOptions = {}): BridgeRig {
  const { log, lines } = recordingLog();
  const arrivals: Duplex[] = [];
  const servers: Duplex[] = [];
  const turnedAway: Duplex[] = [];
  let dials = 0;
  const toMemory: PeerDial = async () => {
    const [ours, theirs] = memoryPair();
    theirs.on('error', () => {});
    servers.push(theirs);
    return ours;
  };
  const bridge = new Bridge(
    {
      dial: (signal, peer) => {
        dials += 1;
        return (dial ?? toMemory)(signal, peer);
      },
      whenDown: (stream) => void turnedAway.push(stream),
      log,
    },
    options,
  );
  const client = (scheme: Peer['scheme'] = 'rtmp'): Duplex => {
    const [theirs, ours] = memoryPair();
    theirs.on('error', () => {});
    arrivals.push(ours);
    bridge.handle(ours, { scheme, secure: false, address: '192.0.2.7', port: 4000, id: nextPeerId() });
    return theirs;
  };
  return { bridge, lines, arrivals, servers, turnedAway, dials: () => dials, client };
}

/** A way out that is shut. */
export const shut: PeerDial = async () => {
  throw new TransportError('NO_UPSTREAM', 'no upstream server can be reached');
};

/** A TCP server on a free port of this machine, and the sockets that came to it. */
export async function listenTcp(): Promise<{
  readonly port: number;
  readonly sockets: net.Socket[];
  next(): Promise<net.Socket>;
  onConnection(take: (socket: net.Socket) => void): void;
  close(): Promise<void>;
}> {
  const sockets: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    sockets,
    onConnection: (take) => void server.on('connection', take),
    next: async () => ((await once(server, 'connection')) as [net.Socket])[0],
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
