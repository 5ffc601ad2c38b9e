import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import tls from 'node:tls';
import {
  AddressCounter,
  Door,
  trustList,
  type DoorOptions,
  type HttpArrival,
  type Peer,
} from '../../src/transport/index.ts';
import type { CertificateChoice } from '../../src/transport/tls-server.ts';
import { recordingLog, type LogLine } from './recording-log.ts';

export interface Taken<P> {
  readonly stream: Duplex;
  readonly peer: P;
  /** What came in by it, up to now. */
  readonly received: () => string;
}

export interface TestDoor {
  readonly door: Door;
  readonly port: number;
  readonly lines: LogLine[];
  readonly rtmp: Taken<Peer>[];
  readonly http: Taken<HttpArrival>[];
  readonly clients: AddressCounter;
  readonly newcomers: AddressCounter;
  readonly sockets: AddressCounter;
  /** Lines that people see at the default level. */
  hints(): string[];
  connect(): Promise<net.Socket>;
  secure(options?: tls.ConnectionOptions): Promise<tls.TLSSocket>;
  /** Resolves once the door holds no socket any more. */
  emptied(): Promise<void>;
  close(): void;
}

export interface TestDoorOptions extends Omit<Partial<DoorOptions>, 'port'> {
  readonly certificates?: CertificateChoice;
  readonly maxSockets?: number;
  readonly perAddress?: number;
  /** Whose connections are not counted per address; true: nobody's. */
  readonly exempt?: boolean | ((address: string) => boolean);
  /** For `trustList`; loopback when absent. */
  readonly trusted?: readonly string[];
  /** Called instead of the handler that answers and collects. */
  readonly onRtmp?: (stream: Duplex, peer: Peer) => void;
  readonly onHttp?: (stream: net.Socket | tls.TLSSocket, arrival: HttpArrival) => void;
}

/** A door on a free port of the loopback whose handlers answer "rtmp" or "http" to whatever they get. */
export async function openTestDoor(options: TestDoorOptions = {}): Promise<TestDoor> {
  const { certificates, maxSockets = 5_000, perAddress = 5_000, exempt = false, onRtmp, onHttp, ...rest } = options;
  const { trusted = ['loopback'], ...own } = rest;
  const isExempt = typeof exempt === 'function' ? exempt : () => exempt;
  const { log, lines } = recordingLog();
  const counter = (max: number) => new AddressCounter({ max, maxPerAddress: perAddress, exempt: isExempt });
  const counters = { clients: counter(5_000), newcomers: counter(5_000), sockets: counter(maxSockets) };
  const rtmp: Taken<Peer>[] = [];
  const http: Taken<HttpArrival>[] = [];
  const door = new Door(
    { host: '127.0.0.1', ...own, port: 0 },
    {
      rtmp: onRtmp ?? ((stream, peer) => rtmp.push(take(stream, peer, 'rtmp'))),
      http: onHttp ?? ((stream, peer) => http.push(take(stream, peer, 'http'))),
      certificates,
      ...counters,
      trusted: trustList(trusted),
      log,
    },
  );
  const { port } = await door.listen();
  const clients = new Set<net.Socket>();
  return {
    ...{ door, port, lines, rtmp, http, ...counters },
    hints: () => lines.filter(({ level }) => level !== 'debug').map(({ message }) => message),
    connect: async () => opened(net.connect({ port, host: '127.0.0.1', noDelay: true }), 'connect', clients),
    secure: async (settings = {}) =>
      opened(
        tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...settings }),
        'secureConnect',
        clients,
      ),
    emptied: async () => {
      while (counters.sockets.count > 0) await setImmediate();
    },
    close: () => {
      door.destroy();
      for (const client of clients) client.destroy();
    },
  };
}

async function opened<S extends net.Socket>(client: S, event: string, clients: Set<net.Socket>): Promise<S> {
  clients.add(client);
  await once(client, event);
  client.on('error', () => {});
  return client;
}

function take<P>(stream: Duplex, peer: P, answer: string): Taken<P> {
  let received = '';
  stream.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  stream.on('end', () => stream.end());
  stream.write(answer);
  return { stream, peer, received: () => received };
}

/** Everything a socket receives until it closes, however it closes. */
export async function everything(socket: net.Socket): Promise<string> {
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  await closed(socket);
  return received;
}

/** The next bytes from a socket. */
export async function next(socket: net.Socket): Promise<string> {
  const [chunk] = await once(socket, 'data');
  return String(chunk);
}

/** Resolves when a socket is closed, also by a reset. */
export function closed(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    socket.once('close', () => resolve());
    socket.resume();
  });
}
