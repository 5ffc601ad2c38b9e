import { setTimeout as delay } from 'node:timers/promises';
import { object } from '../../../src/protocol/index.ts';
import type { Message } from '../../../src/protocol/index.ts';
import { ChunkWalker, Dialect, isResultOf, SERVER_HELLO_BYTES, statusIn, streamIdIn } from './dialect.ts';
import type { Gate, StreamTarget } from './gate.ts';
import { HttpWire } from './http-wire.ts';

/*
 * The RTMPT socket that old versions of HaishinKit (iOS) had, publishing: numbers like RootEncoder's, but requests are
 * pipelined as URLSession was asked to, without waiting for answers; an idle every 200 ms, spelled `/idel` for some
 * years; an answer must be exactly of type application/x-fcs, and one without a body ends the program.
 */

const HEADERS = [
  'Host: 127.0.0.1',
  'Content-Type: application/x-fcs',
  'User-Agent: Shockwave Flash',
  'Connection: keep-alive',
];
const IDLE_MS = 200;

/** Publishes the whole programme and closes. Rejects where the real thing would have crashed. */
export async function publishAsHaishinKit(
  gate: Gate,
  target: StreamTarget,
  programme: readonly Message[],
): Promise<void> {
  const socket = await TunnelSocket.open(gate);
  const dialect = new Dialect();
  socket.write(dialect.hello());
  socket.write(dialect.echo(await socket.handshake()));
  const { app, name } = target;
  const tcUrl = `rtmpt${gate.secure ? 's' : ''}://127.0.0.1:${gate.port}/${app}`;
  socket.write(dialect.call(3, 0, 'connect', 1, object({ app, tcUrl, flashVer: 'FMLE/3.0', objectEncoding: 0 })));
  await socket.until((message) => isResultOf(message, 1));
  socket.write(dialect.setChunkSize(8192));
  socket.write(dialect.call(3, 0, 'createStream', 2));
  const streamId = streamIdIn(await socket.until((message) => isResultOf(message, 2)));
  socket.write(dialect.call(8, streamId, 'publish', 3, null, name, 'live'));
  await socket.until((message) => statusIn(message) === 'NetStream.Publish.Start');
  for (const message of programme) socket.write(dialect.message(message.type === 8 ? 4 : 6, { ...message, streamId }));
  await socket.close();
}

class TunnelSocket {
  readonly #wire: HttpWire;
  readonly #id: string;
  readonly #walker = new ChunkWalker();
  #nextNumber = 0;
  #outstanding = 0;
  #unread: Buffer = Buffer.alloc(0);
  #idleTimer: NodeJS.Timeout;

  static async open(gate: Gate): Promise<TunnelSocket> {
    const wire = await HttpWire.connect(gate);
    // Both at once: the answer to ident2 is not waited for, nor looked at.
    wire.post('/fcs/ident2', HEADERS, Buffer.of(0));
    wire.post('/open/1', HEADERS, Buffer.of(0));
    await wire.answer();
    const { body } = await wire.answer();
    return new TunnelSocket(wire, body.toString('latin1').trim());
  }

  private constructor(wire: HttpWire, id: string) {
    this.#wire = wire;
    this.#id = id;
    this.#post('idle', Buffer.of(0));
    this.#idleTimer = setInterval(() => this.#post('idel', Buffer.of(0)), IDLE_MS);
  }

  write(bytes: Buffer): void {
    this.#idleTimer.refresh();
    this.#post('send', bytes);
  }

  async handshake(): Promise<Buffer> {
    while (this.#unread.length < SERVER_HELLO_BYTES) await this.#next();
    const hello = this.#unread.subarray(0, SERVER_HELLO_BYTES);
    this.#unread = this.#unread.subarray(SERVER_HELLO_BYTES);
    return hello;
  }

  async until(wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const step = this.#walker.next(this.#unread);
      if (step) this.#unread = this.#unread.subarray(step.used);
      else await this.#next();
      if (step && wanted(step.message)) return step.message;
    }
  }

  /** Takes every answer that is owed, then closes without a number. */
  async close(): Promise<void> {
    clearInterval(this.#idleTimer);
    while (this.#outstanding > 0) await this.#next();
    this.#wire.post(`/close/${this.#id}`, HEADERS, Buffer.of(0));
    await this.#wire.answer();
    await this.#wire.breakOff();
  }

  #post(command: string, body: Buffer): void {
    this.#outstanding++;
    this.#wire.post(`/${command}/${this.#id}/${this.#nextNumber++}`, HEADERS, body);
  }

  async #next(): Promise<void> {
    // Answers come from another thread, whether there is anything to ask or not.
    if (this.#outstanding === 0) return delay(IDLE_MS / 10);
    const { status, head, body } = await this.#wire.answer();
    this.#outstanding--;
    if (status !== 200) throw new Error(`a request was answered ${status}`);
    if (!/\r\nContent-Type: application\/x-fcs\r\n/.test(head)) throw new Error('the answer is of another type');
    if (body.length === 0) throw new Error('crashed on an empty body');
    this.#unread = Buffer.concat([this.#unread, body.subarray(1)]);
  }
}
