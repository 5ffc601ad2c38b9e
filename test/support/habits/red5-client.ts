import { setTimeout as delay } from 'node:timers/promises';
import { object } from '../../../src/protocol/index.ts';
import type { Message } from '../../../src/protocol/index.ts';
import { ChunkWalker, Dialect, isMedia, isResultOf, SERVER_HELLO_BYTES, statusIn, streamIdIn } from './dialect.ts';
import type { Gate, StreamTarget } from './gate.ts';
import { HttpWire } from './http-wire.ts';

/*
 * red5-client (Java) playing over RTMPT, by its source: numbers from 1, one request at a time; the last character of
 * open's body is cut off unseen; S0 and S1 must be whole in one answer, or it underflows; an S2 that comes in an answer of
 * its own is read with the polling byte still in front; 250 ms of sleep after an answer that completed no message.
 */

const HEADERS = [
  'User-Agent: Jakarta Commons-HttpClient/3.1',
  'Host: 127.0.0.1',
  'Connection: Keep-Alive',
  'Cache-Control: no-cache',
  'Content-Type: application/x-fcs',
];
const SLEEP_MS = 250;
const FOLD_BYTES = 32 * 1024;

/** Plays until `wanted` audio and video messages have come, then closes with a number, as it should. */
export async function playAsRed5Client(gate: Gate, { app, name }: StreamTarget, wanted: number): Promise<Message[]> {
  const connector = await Connector.open(gate);
  const dialect = new Dialect();
  connector.queue(dialect.echo(await connector.handshake(dialect.hello())));
  const tcUrl = `rtmp${gate.secure ? 's' : 't'}://127.0.0.1:${gate.port}/${app}`;
  connector.queue(
    dialect.call(3, 0, 'connect', 1, object({ app, tcUrl, flashVer: 'WIN 11,2,202,235', objectEncoding: 0 })),
  );
  await connector.until((message) => isResultOf(message, 1));
  connector.queue(dialect.call(3, 0, 'createStream', 2));
  const streamId = streamIdIn(await connector.until((message) => isResultOf(message, 2)));
  connector.queue(dialect.call(8, streamId, 'play', 3, null, name, -2000, -1000));
  await connector.until((message) => statusIn(message) === 'NetStream.Play.Start');
  const messages: Message[] = [];
  while (messages.length < wanted) messages.push(await connector.until(isMedia));
  await connector.close();
  return messages;
}

class Connector {
  readonly #wire: HttpWire;
  readonly #id: string;
  readonly #walker = new ChunkWalker();
  readonly #queue: Buffer[] = [];
  #nextNumber = 1;
  #unread: Buffer = Buffer.alloc(0);

  static async open(gate: Gate): Promise<Connector> {
    const wire = await HttpWire.connect(gate);
    wire.post('/open/1', HEADERS, Buffer.of(0));
    const { body } = await wire.answer();
    return new Connector(wire, body.toString('latin1', 0, body.length - 1));
  }

  private constructor(wire: HttpWire, id: string) {
    this.#wire = wire;
    this.#id = id;
  }

  queue(bytes: Buffer): void {
    this.#queue.push(bytes);
  }

  /** Two steps, of which the second forgets about the polling byte. Returns S0, S1 and S2. */
  async handshake(hello: Buffer): Promise<Buffer> {
    const first = (await this.#ask('send', hello)).subarray(1);
    if (first.length < 1537) throw new Error('underflow: the handshake is not whole');
    if (first.length >= SERVER_HELLO_BYTES) return first;
    const second = await this.#ask('idle', Buffer.of(0));
    return Buffer.concat([first, second]);
  }

  async until(wanted: (message: Message) => boolean): Promise<Message> {
    for (let asked = false; ;) {
      const step = this.#walker.next(this.#unread);
      if (step) {
        asked = false;
        this.#unread = this.#unread.subarray(step.used);
        if (wanted(step.message)) return step.message;
        continue;
      }
      if (asked) await delay(SLEEP_MS);
      asked = true;
      const bytes = this.#fold();
      const answer = await this.#ask(bytes ? 'send' : 'idle', bytes ?? Buffer.of(0));
      this.#unread = Buffer.concat([this.#unread, answer.subarray(1)]);
    }
  }

  async close(): Promise<void> {
    await this.#ask('close', Buffer.of(0));
    await this.#wire.breakOff();
  }

  #fold(): Buffer | undefined {
    const folded: Buffer[] = [];
    for (let bytes = 0; bytes <= FOLD_BYTES && this.#queue.length > 0; bytes += folded.at(-1)!.length)
      folded.push(this.#queue.shift()!);
    return folded.length > 0 ? Buffer.concat(folded) : undefined;
  }

  async #ask(command: string, body: Buffer): Promise<Buffer> {
    this.#wire.post(`/${command}/${this.#id}/${this.#nextNumber++}`, HEADERS, body);
    const answer = await this.#wire.answer();
    if (answer.status !== 200) throw new Error(`${command} was answered ${answer.status}`);
    return answer.body;
  }
}
