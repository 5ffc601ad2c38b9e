import { setTimeout as delay } from 'node:timers/promises';
import { object } from '../../../src/protocol/index.ts';
import type { Message } from '../../../src/protocol/index.ts';
import { ChunkWalker, Dialect, isMedia, isResultOf, SERVER_HELLO_BYTES, statusIn, streamIdIn } from './dialect.ts';
import type { Gate, StreamTarget } from './gate.ts';
import { HttpWire } from './http-wire.ts';

/*
 * Flash Player playing over RTMPT, by what its servers saw of it: ident2 before all else, `open/1`, an idle under the
 * number 0 and then one counter for all requests; two TCP connections at the same time, one that polls and one that
 * sends; the polling byte obeyed in steps of 16 ms; and in the end no `/close`: the page is just gone.
 */

const HEADERS = [
  'Content-Type: application/x-fcs',
  'User-Agent: Shockwave Flash',
  'Host: 127.0.0.1',
  'Connection: Keep-Alive',
  'Cache-Control: no-cache',
];
const ONE_ZERO_BYTE = Buffer.of(0);
const POLLING_UNIT_MS = 16;

export interface FlashVisit {
  readonly messages: Message[];
  readonly pollingBytes: readonly number[];
  readonly heads: readonly string[];
}

/** Plays until `wanted` audio and video messages have come, then vanishes. */
export async function playAsFlash(gate: Gate, target: StreamTarget, wanted: number): Promise<FlashVisit> {
  const player = await FlashPlayer.open(gate);
  const messages = await player.play(gate, target, wanted);
  await player.vanish();
  return { messages, pollingBytes: player.pollingBytes, heads: player.heads };
}

class FlashPlayer {
  readonly pollingBytes: number[] = [];
  readonly #dialect = new Dialect();
  readonly #walker = new ChunkWalker();
  readonly #id: string;
  readonly #polls: HttpWire;
  readonly #sends: HttpWire;
  /** Answers by number: the two connections' may come in any order, the bytes in them may not be read so. */
  readonly #early = new Map<number, Buffer>();
  #nextNumber = 0;
  #nextAnswer = 0;
  #unread: Buffer = Buffer.alloc(0);
  #gone = false;
  #heard: () => void = () => {};

  static async open(gate: Gate): Promise<FlashPlayer> {
    const wire = await HttpWire.connect(gate);
    wire.post('/fcs/ident2', HEADERS, ONE_ZERO_BYTE);
    const ident = await wire.answer();
    if (ident.body.length > 0) throw new Error('an answer to ident2 with a body sends Flash elsewhere');
    wire.post('/open/1', HEADERS, ONE_ZERO_BYTE);
    const { body } = await wire.answer();
    return new FlashPlayer(body.toString('latin1').trimEnd(), wire, await HttpWire.connect(gate));
  }

  private constructor(id: string, polls: HttpWire, sends: HttpWire) {
    this.#id = id;
    this.#polls = polls;
    this.#sends = sends;
  }

  get heads(): string[] {
    return [...new Set([...this.#polls.heads, ...this.#sends.heads])];
  }

  async play(gate: Gate, { app, name }: StreamTarget, wanted: number): Promise<Message[]> {
    const dialect = this.#dialect;
    await this.#ask(this.#polls, 'idle', ONE_ZERO_BYTE);
    const polling = this.#pollForEver();
    await this.#send(dialect.hello());
    const hello = await this.#handshake();
    const tcUrl = `rtmp${gate.secure ? 's' : 't'}://127.0.0.1:${gate.port}/${app}`;
    await this.#send(dialect.echo(hello));
    await this.#send(
      dialect.call(3, 0, 'connect', 1, object({ app, flashVer: 'WIN 32,0,0,465', tcUrl, objectEncoding: 0 })),
    );
    await this.#until((message) => isResultOf(message, 1));
    await this.#send(dialect.call(3, 0, 'createStream', 2));
    const created = await this.#until((message) => isResultOf(message, 2));
    await this.#send(dialect.call(8, streamIdIn(created), 'play', 0, null, name));
    await this.#until((message) => statusIn(message) === 'NetStream.Play.Start');
    const messages: Message[] = [];
    while (messages.length < wanted) messages.push(await this.#until(isMedia));
    this.#gone = true;
    await polling;
    return messages;
  }

  async vanish(): Promise<void> {
    await Promise.all([this.#polls.breakOff(), this.#sends.breakOff()]);
  }

  async #pollForEver(): Promise<void> {
    while (!this.#gone) {
      const answer = await this.#ask(this.#polls, 'idle', ONE_ZERO_BYTE);
      this.pollingBytes.push(answer[0]!);
      if (answer.length === 1) await delay(answer[0]! * POLLING_UNIT_MS);
    }
  }

  async #send(bytes: Buffer): Promise<void> {
    await this.#ask(this.#sends, 'send', bytes);
  }

  async #ask(wire: HttpWire, command: string, body: Buffer): Promise<Buffer> {
    const number = this.#nextNumber++;
    wire.post(`/${command}/${this.#id}/${number}`, HEADERS, body);
    const answer = await wire.answer();
    if (answer.status !== 200) throw new Error(`${command} ${number} was answered ${answer.status}`);
    this.#early.set(number, answer.body.subarray(1));
    for (let next = this.#early.get(this.#nextAnswer); next; next = this.#early.get(this.#nextAnswer)) {
      this.#early.delete(this.#nextAnswer++);
      this.#unread = Buffer.concat([this.#unread, next]);
    }
    this.#heard();
    return answer.body;
  }

  async #handshake(): Promise<Buffer> {
    while (this.#unread.length < SERVER_HELLO_BYTES) await this.#news();
    const hello = this.#unread.subarray(0, SERVER_HELLO_BYTES);
    this.#unread = this.#unread.subarray(SERVER_HELLO_BYTES);
    return hello;
  }

  async #until(wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const step = this.#walker.next(this.#unread);
      if (step) this.#unread = this.#unread.subarray(step.used);
      if (step && wanted(step.message)) return step.message;
      if (!step) await this.#news();
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => (this.#heard = resolve));
  }
}
