import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import express from 'express';
import { NO_LOG } from '../../src/log.ts';
import { serveTunnelConnection } from '../../src/transport/rtmpt/connection.ts';
import { tunnelRouter } from '../../src/transport/rtmpt/router.ts';
import { Tunnel } from '../../src/transport/rtmpt/tunnel.ts';
import { Tunnels, type HttpPeer } from '../../src/transport/rtmpt/tunnels.ts';
import { WebServer } from '../../src/web/server.ts';
import { HostileProxy } from './hostile-proxy.ts';
import { seeded, type SeededRandom } from './random.ts';
import { RepeatingClient } from './repeating-client.ts';
import { Tape } from './tape.ts';

/** Who parses requests; in the last case connections change hands when a page is asked for. */
export type HostileEngine = 'own engine' | 'web server' | 'own engine, then web server';
export const HOSTILE_ENGINES: readonly HostileEngine[] = ['own engine', 'web server', 'own engine, then web server'];

export interface HostileRun {
  readonly engine: HostileEngine;
  readonly inFlight: 1 | 2;
  readonly seed: number;
  readonly sessions: number;
  /** Numbers in all. */
  readonly polls: number;
  /** Called now and then with the numbers done so far. */
  readonly progress?: (polls: number) => void;
}

export interface HostileResult {
  readonly polls: number;
  readonly requests: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly mishaps: Record<string, number>;
}

/** More than the tunnel's own patience with a missing number. */
const STALLED_MS = 12_000;
/** The core speaks unasked this often. */
const SPEAK_MS = 2;

/** Polls through a hostile proxy. Rejects when a byte is lost, doubled or moved, or a session ends too early. */
export async function runHostile(run: HostileRun): Promise<HostileResult> {
  const random = seeded(run.seed);
  const cores = new Map<string, PatternCore>();
  const server = await startServer(run.engine, (stream) => {
    cores.set((stream as Tunnel).id, new PatternCore(stream, random));
  });
  const proxy = new HostileProxy(server.port, random, { web: run.engine === 'own engine, then web server' });
  const speaking = setInterval(() => cores.forEach((core) => core.speak()), SPEAK_MS);
  const clients: RepeatingClient[] = [];
  let fail: (fault: Error) => void = () => {};
  const failure = new Promise<never>((_resolve, reject) => (fail = reject));
  proxy.onStray = ({ path }, answer) => {
    const [, command, id, number] = path.split('/');
    const client = command === 'open' ? undefined : clients.find((each) => each.id === id);
    // Behind `/close` copies find nothing.
    if (!client || cores.get(client.id)?.isDone) return;
    try {
      client.compare(Number(number), answer);
    } catch (error) {
      fail(new Error(`${path}: ${(error as Error).message}`));
    }
  };
  const watch = watchStalls(clients, (message) => fail(new Error(message)), run.progress);
  const one = () => runSession(run, { proxy, random, cores, clients });
  try {
    await Promise.race([Promise.all(Array.from({ length: run.sessions }, one)), failure]);
  } finally {
    watch.stop();
    clearInterval(speaking);
    await Promise.race([proxy.close(), new Promise((resolve) => setTimeout(resolve, 3_000))]);
    await server.stop();
  }
  const sum = (of: (client: RepeatingClient) => number): number => clients.reduce((all, each) => all + of(each), 0);
  return {
    polls: sum((client) => client.numbers),
    requests: sum((client) => client.requests),
    bytesUp: [...cores.values()].reduce((all, core) => all + core.heard.position, 0),
    bytesDown: [...cores.values()].reduce((all, core) => all + core.said.position, 0),
    mishaps: Object.fromEntries(proxy.counts),
  };
}

interface SessionRig {
  readonly proxy: HostileProxy;
  readonly random: SeededRandom;
  readonly cores: Map<string, PatternCore>;
  readonly clients: RepeatingClient[];
}

async function runSession(run: HostileRun, { proxy, random, cores, clients }: SessionRig): Promise<void> {
  const sends = new Tape();
  const hears = new Tape();
  const exchange = proxy.exchange.bind(proxy);
  const client = await RepeatingClient.open({ inFlight: run.inFlight, random, exchange, sends, hears });
  clients.push(client);
  const share = Math.ceil(run.polls / run.sessions);
  await client.poll(() => client.numbers < share, true);
  const core = cores.get(client.id);
  if (!core) throw new Error('the core never heard of the session');
  core.isSilent = true;
  await client.poll(() => hears.position < core.said.position, false);
  core.checkEnd(sends.position);
  await client.close();
}

/** The server's end of a session: checks what it hears, says things at random. */
class PatternCore {
  readonly heard = new Tape();
  readonly said = new Tape();
  isSilent = false;
  isDone = false;
  readonly #stream: Duplex;
  readonly #random: SeededRandom;
  #fault: Error | undefined;

  constructor(stream: Duplex, random: SeededRandom) {
    this.#stream = stream;
    this.#random = random;
    stream.on('error', (error) => (this.#fault ??= error));
    stream.on('close', () => (this.#fault ??= this.isDone ? undefined : new Error('the session ended too early')));
    stream.on('data', (bytes: Buffer) => this.#hear(bytes));
    // A greeting's worth, for which the first send is held.
    stream.write(this.said.take(4_000));
  }

  /** Says something, or nothing. */
  speak(): void {
    const kind = this.#random.int(100);
    if (this.isSilent || this.#stream.destroyed || this.#stream.writableNeedDrain || kind < 50) return;
    const length = kind < 98 ? 1 + this.#random.int(1_500) : 1 + this.#random.int(60_000);
    this.#stream.write(this.said.take(length));
  }

  /** Throws unless everything has arrived and nothing has gone wrong. */
  checkEnd(sent: number): void {
    if (this.#fault) throw this.#fault;
    if (this.heard.position !== sent) throw new Error(`the core heard ${this.heard.position} bytes of ${sent}`);
    this.isDone = true;
  }

  #hear(bytes: Buffer): void {
    try {
      this.heard.check(bytes);
    } catch (error) {
      this.#fault ??= error as Error;
      this.#stream.destroy();
    }
    this.speak();
  }
}

async function startServer(engine: HostileEngine, handler: (stream: Duplex) => void) {
  // Short holds: a poll that waits shows nothing here.
  const options = { holdMs: 4, maxSessions: 100_000 };
  const tunnels = new Tunnels(options, { handler, log: NO_LOG, clients: { acquire: () => () => {} } });
  const peerOf = ({ remotePort }: Socket): HttpPeer => {
    return { address: '127.0.0.1', port: remotePort ?? 0, secure: false, trusted: false };
  };
  const app = express();
  app.use(tunnelRouter(tunnels, ({ socket }) => peerOf(socket)));
  app.use((_request, response) => void response.status(200).send('a page'));
  const web = new WebServer(app);
  await web.start();
  const handOver = (socket: Socket): void => web.adopt(socket);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    if (engine === 'web server') handOver(socket);
    else serveTunnelConnection(socket, peerOf(socket), { tunnels, log: NO_LOG, handOver });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    tunnels.destroy();
    web.destroy();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

/** Complains when no client has got on for so long that none ever will. */
function watchStalls(
  clients: readonly RepeatingClient[],
  complain: (message: string) => void,
  progress: (polls: number) => void = () => {},
): { stop(): void } {
  let before = -1;
  let since = performance.now();
  const timer = setInterval(() => {
    const now = clients.reduce((all, { numbers }) => all + numbers, 0);
    progress(now);
    if (now !== before) since = performance.now();
    else if (performance.now() - since > STALLED_MS) complain(`nothing has moved for ${STALLED_MS / 1000} s`);
    before = now;
  }, 1_000);
  return { stop: () => clearInterval(timer) };
}
