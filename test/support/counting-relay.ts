import { once } from 'node:events';
import net from 'node:net';

/** A relay between a tunnel's client and the gateway that counts what passes, so that no client need be changed. */
export interface CountingRelay {
  readonly port: number;
  /** Requests that polled or sent, and answers, so far. */
  readonly requests: number;
  readonly answers: number;
  stop(): Promise<void>;
}

/** Long enough for each text that is looked for, less one: what may stand before a cut. */
const OVERLAP = 12;

/** Counts a text in a stream that may be cut anywhere. Media could hold it, but does not by chance in 2^96. */
class Counter {
  count = 0;
  readonly #text: string;
  #tail = '';

  constructor(text: string) {
    this.#text = text;
  }

  read(bytes: Buffer): void {
    const all = this.#tail + bytes.toString('latin1');
    this.count += all.split(this.#text).length - 1;
    // A tail shorter than the text can hold no whole one: nothing is counted twice.
    this.#tail = all.slice(-Math.min(OVERLAP, this.#text.length - 1));
  }
}

export async function countingRelay(to: number): Promise<CountingRelay> {
  const requests = new Counter(' HTTP/1.1\r\n');
  const answers = new Counter('HTTP/1.1 200 ');
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true }, (client) => {
    const upstream = net.connect({ host: '127.0.0.1', port: to, noDelay: true });
    client.on('data', (bytes: Buffer) => requests.read(bytes));
    upstream.on('data', (bytes: Buffer) => answers.read(bytes));
    client.pipe(upstream).pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    get requests() {
      return requests.count;
    },
    get answers() {
      return answers.count;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
