import { once } from 'node:events';
import net from 'node:net';
import { encode } from '../../bench/load/amf.ts';
import { encodeMessage } from '../../bench/load/chunks.ts';
import { nowMicros } from '../../bench/load/clock.ts';
import { frameOf, stamp } from '../../bench/load/stamp.ts';

const CHUNKS = { id: 4, size: 65_536 };
const CHUNK_HEADER_BYTES = 12;
const COMMAND = 20;
const VIDEO = 9;
const STREAM_ID = 1;

/** One answer of a tunnel, as it came. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Cuts a connection's bytes into HTTP answers. Throws on anything that is not one. */
export class AnswerReader {
  #rest: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): Answer[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const answers: Answer[] = [];
    for (let answer = this.#next(); answer !== undefined; answer = this.#next()) answers.push(answer);
    return answers;
  }

  get unfinished(): number {
    return this.#rest.length;
  }

  #next(): Answer | undefined {
    const stop = this.#rest.indexOf('\r\n\r\n');
    if (stop < 0) return undefined;
    const head = this.#rest.toString('latin1', 0, stop);
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
    const length = /\r\nContent-Length: (\d+)/.exec(head)?.[1];
    if (status === undefined || length === undefined) throw new Error(`not an answer: ${JSON.stringify(head)}`);
    const end = stop + 4 + Number(length);
    if (this.#rest.length < end) return undefined;
    const body = this.#rest.subarray(stop + 4, end);
    this.#rest = this.#rest.subarray(end);
    return { status: Number(status), body };
  }
}

/** A keep-alive connection to the tunnel that sends whatever it is told and keeps the answers. */
export class TunnelConnection {
  readonly socket: net.Socket;
  readonly answers: Answer[] = [];
  /** What made the connection end, if it was not us. */
  fault: Error | undefined;
  readonly #reader = new AnswerReader();
  #changed: () => void = () => {};

  static async to(port: number): Promise<TunnelConnection> {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new TunnelConnection(socket);
  }

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', (error) => (this.fault = error));
    socket.on('close', () => this.#changed());
    socket.on('data', (bytes: Buffer) => {
      try {
        this.answers.push(...this.#reader.push(bytes));
      } catch (error) {
        socket.destroy(error as Error);
      }
      this.#changed();
    });
  }

  /** Writes one request; waits when the kernel takes no more. */
  async post(path: string, body: Buffer): Promise<void> {
    if (!this.socket.write(request(path, body))) await once(this.socket, 'drain');
  }

  async answered(count: number): Promise<void> {
    while (this.answers.length < count) {
      if (this.socket.destroyed) throw this.fault ?? new Error(`closed after ${this.answers.length} answers`);
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }
}

/** A whole request in librtmp's manner. */
export function request(path: string, body: Buffer): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:80\r\nAccept: */*\r\nUser-Agent: Shockwave Flash\r\nConnection: Keep-Alive\r\nCache-Control: no-cache\r\nContent-type: application/x-fcs\r\nContent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/**
 * A publisher through the tunnel that waits for no answer once it has its id. Its media bear the load generator's stamps,
 * so that a player of `bench/load` tells loss, repetition and damage.
 */
export class TunnelPublisher {
  readonly connection: TunnelConnection;
  readonly #id: string;
  /** The number of the next request. */
  next = 0;
  #sequence = 0;

  /** Asks to publish `app/stream`. Whether that was granted, the gateway knows. */
  static async start(port: number, app: string, stream: string): Promise<TunnelPublisher> {
    const connection = await TunnelConnection.to(port);
    await connection.post('/open/1', Buffer.alloc(1));
    await connection.answered(1);
    const publisher = new TunnelPublisher(connection, connection.answers[0]!.body.toString('latin1').trimEnd());
    const hello = Buffer.alloc(1 + 1536);
    hello[0] = 3;
    const echo = Buffer.alloc(1536);
    const size = Buffer.from([0, 1, 0, 0]);
    const properties = { app, type: 'nonprivate', tcUrl: `rtmpt://127.0.0.1:${port}/${app}` };
    await publisher.send(hello);
    await publisher.send(Buffer.concat([echo, encodeMessage(1, 0, 0, size, { id: 2, size: 128 })]));
    await publisher.send(encodeMessage(COMMAND, 0, 0, encode('connect', 1, properties), CHUNKS));
    await publisher.send(encodeMessage(COMMAND, 0, 0, encode('createStream', 2, null), CHUNKS));
    const publish = encode('publish', 3, null, stream, 'live');
    await publisher.send(encodeMessage(COMMAND, STREAM_ID, 0, publish, CHUNKS));
    return publisher;
  }

  private constructor(connection: TunnelConnection, id: string) {
    this.connection = connection;
    this.#id = id;
  }

  send(body: Buffer): Promise<void> {
    return this.connection.post(this.sendPath(), body);
  }

  /** The path of the next send; its number is used up. */
  sendPath(): string {
    return `/send/${this.#id}/${this.next++}`;
  }

  get closePath(): string {
    return `/close/${this.#id}/${this.next}`;
  }

  /** The chunks of the next stamped picture, the first one a keyframe. */
  picture(bytes: number): Buffer {
    const sequence = this.#sequence++;
    const message = encodeMessage(VIDEO, STREAM_ID, sequence, frameOf(bytes, sequence === 0), CHUNKS);
    stamp(message, CHUNK_HEADER_BYTES, 0, sequence, nowMicros());
    return message;
  }
}
