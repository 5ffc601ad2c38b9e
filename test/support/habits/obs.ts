import type net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { object } from '../../../src/protocol/index.ts';
import type { Message } from '../../../src/protocol/index.ts';
import { ChunkWalker, Dialect, isResultOf, SERVER_HELLO_BYTES, statusIn, streamIdIn } from './dialect.ts';
import { connectTo } from './gate.ts';
import type { Gate, StreamTarget } from './gate.ts';
import { HttpWire } from './http-wire.ts';

/*
 * OBS publishing with its copy of librtmp, by its source: Set Chunk Size 4096 before connect; releaseStream, FCPublish and
 * createStream in one go; everything on a NetStream, publish included, on chunk stream 4. Before each packet it looks
 * whether anything can be read and, if so, reads one whole message and throws it away unprocessed. At the end FCUnpublish
 * and deleteStream, then the socket is closed at once.
 *
 * Over RTMPT (not promised by OBS, but its addresses lead there) what can be read are the bare answers to its own sends,
 * and to read a whole message it polls until there is one: the sending thread stands still until the server says
 * something, be it a ping.
 */

/** Bytes out and in, as librtmp's socket layer has them. */
interface Pipe {
  write(bytes: Buffer): void;
  /** Whether the socket has anything at all to read, RTMP or not. */
  readonly readable: boolean;
  /** More of the RTMP stream; waits for it. */
  more(): Promise<Buffer>;
  /** Says what is to be said at the end and closes. */
  close(): Promise<void>;
}

const MEDIA_CHUNK_STREAM = 4;

/** A programme is sent much faster than an encoder would make it, but for one wait, as for a slow picture. */
const ENCODER_WAITS_AT = 0.75;
const ENCODER_WAIT_MS = 50;

export interface ObsVisit {
  /** Messages that were read and thrown away while publishing. */
  readonly drained: number;
}

/** Publishes straight through TCP or TLS. */
export async function publishAsObs(gate: Gate, target: StreamTarget, programme: readonly Message[]): Promise<ObsVisit> {
  const scheme = gate.secure ? 'rtmps' : 'rtmp';
  return new Obs(new DirectPipe(await connectTo(gate))).publish(
    `${scheme}://127.0.0.1:${gate.port}`,
    target,
    programme,
  );
}

/** Publishes through the tunnel that librtmp has, as when somebody gives OBS an address that begins with rtmpt. */
export async function publishAsObsTunnelled(
  gate: Gate,
  target: StreamTarget,
  programme: readonly Message[],
): Promise<ObsVisit> {
  const scheme = gate.secure ? 'rtmpts' : 'rtmpt';
  return new Obs(await TunnelPipe.open(gate)).publish(`${scheme}://127.0.0.1:${gate.port}`, target, programme);
}

class Obs {
  readonly #pipe: Pipe;
  readonly #dialect = new Dialect();
  readonly #walker = new ChunkWalker();
  #unread: Buffer = Buffer.alloc(0);
  #drained = 0;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  async publish(server: string, { app, name }: StreamTarget, programme: readonly Message[]): Promise<ObsVisit> {
    const dialect = this.#dialect;
    await this.#handshake();
    await this.#connect(app, `${server}/${app}`);
    this.#pipe.write(dialect.call(3, 0, 'releaseStream', 2, null, name));
    this.#pipe.write(dialect.call(3, 0, 'FCPublish', 3, null, name));
    this.#pipe.write(dialect.call(3, 0, 'createStream', 4));
    const streamId = streamIdIn(await this.#until((message) => isResultOf(message, 4)));
    this.#pipe.write(dialect.call(MEDIA_CHUNK_STREAM, streamId, 'publish', 5, null, name, 'live'));
    await this.#until((message) => statusIn(message) === 'NetStream.Publish.Start');
    this.#walker.obedient = false;
    for (const [index, message] of programme.entries()) {
      if (index === Math.floor(programme.length * ENCODER_WAITS_AT)) await pause(ENCODER_WAIT_MS);
      await this.#send({ ...message, streamId });
    }
    this.#pipe.write(dialect.call(3, 0, 'FCUnpublish', 6, null, name));
    this.#pipe.write(dialect.call(3, 0, 'deleteStream', 7, null, streamId));
    await this.#pipe.close();
    return { drained: this.#drained };
  }

  async #handshake(): Promise<void> {
    this.#pipe.write(this.#dialect.hello());
    while (this.#unread.length < SERVER_HELLO_BYTES) await this.#hear();
    this.#pipe.write(this.#dialect.echo(this.#unread));
    this.#unread = this.#unread.subarray(SERVER_HELLO_BYTES);
  }

  async #connect(app: string, tcUrl: string): Promise<void> {
    const flashVer = 'FMLE/3.0 (compatible; FMSc/1.0)';
    const properties = object({ app, type: 'nonprivate', flashVer, swfUrl: tcUrl, tcUrl });
    this.#pipe.write(this.#dialect.setChunkSize(4096));
    this.#pipe.write(this.#dialect.call(3, 0, 'connect', 1, properties));
    await this.#until((message) => isResultOf(message, 1));
  }

  async #send(message: Message): Promise<void> {
    while (this.#pipe.readable) {
      await this.#until(() => true);
      this.#drained++;
    }
    this.#pipe.write(this.#dialect.message(MEDIA_CHUNK_STREAM, message));
    // The sending thread yields to the network between packets.
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #until(wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const step = this.#walker.next(this.#unread);
      if (step) this.#unread = this.#unread.subarray(step.used);
      else await this.#hear();
      if (step && wanted(step.message)) return step.message;
    }
  }

  async #hear(): Promise<void> {
    this.#unread = Buffer.concat([this.#unread, await this.#pipe.more()]);
  }
}

class DirectPipe implements Pipe {
  readonly #socket: net.Socket;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    // Nothing flows: bytes stay where a look at the socket finds them.
    socket.on('readable', () => {});
  }

  get readable(): boolean {
    return this.#socket.readableLength > 0;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  async more(): Promise<Buffer> {
    for (;;) {
      const bytes = this.#socket.read() as Buffer | null;
      if (bytes) return bytes;
      if (this.#socket.readableEnded || this.#socket.destroyed) throw new Error('the connection ended');
      await new Promise<void>((resolve) => {
        const settle = (): void => {
          this.#socket.off('readable', settle).off('end', settle).off('close', settle);
          resolve();
        };
        this.#socket.on('readable', settle).on('end', settle).on('close', settle);
      });
    }
  }

  async close(): Promise<void> {
    this.#socket.end();
    await new Promise((resolve) => this.#socket.once('finish', resolve));
    this.#socket.destroy();
  }
}

/** Header names and order as librtmp writes them; head and body are two writes. */
const LIBRTMP_HEADERS = [
  'Host: 127.0.0.1:80',
  'Accept: */*',
  'User-Agent: Shockwave Flash',
  'Connection: Keep-Alive',
  'Cache-Control: no-cache',
  'Content-type: application/x-fcs',
];

class TunnelPipe implements Pipe {
  readonly #wire: HttpWire;
  readonly #id: string;
  #nextNumber = 0;
  #unanswered = 0;

  static async open(gate: Gate): Promise<TunnelPipe> {
    const wire = await HttpWire.connect(gate);
    wire.post('/open/1', LIBRTMP_HEADERS, Buffer.of(0), true);
    const { body } = await wire.answer();
    return new TunnelPipe(wire, body.toString('latin1', 0, body.length - 1));
  }

  private constructor(wire: HttpWire, id: string) {
    this.#wire = wire;
    this.#id = id;
  }

  get readable(): boolean {
    return this.#wire.arrived > 0;
  }

  write(bytes: Buffer): void {
    this.#post('send', bytes);
  }

  async more(): Promise<Buffer> {
    if (this.#unanswered === 0) this.#post('idle', Buffer.of(0));
    const { status, body } = await this.#wire.answer();
    this.#unanswered--;
    if (status !== 200 || body.length === 0) throw new Error(`librtmp ends here: ${status} with ${body.length} bytes`);
    return body.subarray(1);
  }

  async close(): Promise<void> {
    this.#post('close', Buffer.of(0));
    await this.#wire.breakOff();
  }

  #post(command: string, body: Buffer): void {
    this.#unanswered++;
    this.#wire.post(`/${command}/${this.#id}/${this.#nextNumber++}`, LIBRTMP_HEADERS, body, true);
  }
}
