import { object } from '../../../src/protocol/index.ts';
import type { Message } from '../../../src/protocol/index.ts';
import { ChunkWalker, Dialect, isResultOf, SERVER_HELLO_BYTES, statusIn, streamIdIn } from './dialect.ts';
import type { Gate, StreamTarget } from './gate.ts';
import { HttpWire } from './http-wire.ts';
import type { RawAnswer } from './http-wire.ts';

/*
 * RootEncoder (Android) publishing over RTMPT, by its source: ident2 without a look at the answer, `open/1`, idle under
 * 0, then numbers from 1; each request wherever the platform's connection pool puts it. Every answer replaces what was
 * unread of the one before, and a message is read from one answer only. While it waits for a reply it polls without a
 * pause, for 5 s. Ten packets to a POST, no reading once it publishes, `/close` without a number.
 *
 * Java's HttpURLConnection repeats a POST once, silently, when the pooled connection it went out on turns out dead. The
 * server may have seen none of it, or all.
 */

const HEADERS = [
  'User-Agent: Shockwave Flash',
  'Content-Type: application/x-fcs',
  'Host: 127.0.0.1',
  'Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
  'Connection: keep-alive',
];
const POOL = 3;
const PATIENCE_MS = 5000;
const PACKETS_IN_A_POST = 10;
const CHUNK_STREAM = { control: 2, connection: 3, publish: 8, audio: 4, video: 6, data: 5 } as const;

/** How a pooled connection fails a request: before the server sees it, while it answers, or after it has answered. */
type Hazard = 'dead before' | 'dies on the way' | 'answer lost';
const HAZARDS: readonly Hazard[] = ['dead before', 'dies on the way', 'answer lost'];
/** One request in so many meets a hazard. */
const HAZARD_EVERY = 5;

export interface RootEncoderVisit {
  readonly repeated: number;
  readonly polls: number;
}

/** Publishes the whole programme, through connections that die now and then, and closes. */
export async function publishAsRootEncoder(
  gate: Gate,
  target: StreamTarget,
  programme: readonly Message[],
): Promise<RootEncoderVisit> {
  const tunnel = new PooledTunnel(gate);
  const dialect = new Dialect();
  await tunnel.open();
  await tunnel.send(dialect.hello());
  await tunnel.send(dialect.echo(await tunnel.read(SERVER_HELLO_BYTES)));
  await announce(tunnel, dialect, gate, target);
  const streamId = await startPublishing(tunnel, dialect, target.name);
  const packets = programme.map((message) => dialect.message(chunkStreamOf(message), { ...message, streamId }));
  for (let at = 0; at < packets.length; at += PACKETS_IN_A_POST) {
    await tunnel.send(Buffer.concat(packets.slice(at, at + PACKETS_IN_A_POST)));
  }
  await tunnel.close();
  return { repeated: tunnel.repeated, polls: tunnel.polls };
}

async function announce(tunnel: PooledTunnel, dialect: Dialect, gate: Gate, { app }: StreamTarget): Promise<void> {
  const tcUrl = `rtmpt${gate.secure ? 's' : ''}://127.0.0.1:${gate.port}/${app}`;
  const properties = object({ app, flashVer: 'FMLE/3.0 (compatible; Lavf57.56.101)', tcUrl, objectEncoding: 0 });
  await tunnel.send(dialect.call(CHUNK_STREAM.connection, 0, 'connect', 1, properties));
  await tunnel.readUntil((message) => isResultOf(message, 1));
}

async function startPublishing(tunnel: PooledTunnel, dialect: Dialect, name: string): Promise<number> {
  await tunnel.send(dialect.call(CHUNK_STREAM.connection, 0, 'releaseStream', 2, null, name));
  await tunnel.send(dialect.call(CHUNK_STREAM.connection, 0, 'FCPublish', 3, null, name));
  await tunnel.send(dialect.call(CHUNK_STREAM.connection, 0, 'createStream', 4));
  const streamId = streamIdIn(await tunnel.readUntil((message) => isResultOf(message, 4)));
  await tunnel.send(dialect.call(CHUNK_STREAM.publish, streamId, 'publish', 5, null, name, 'live'));
  await tunnel.readUntil((message) => statusIn(message) === 'NetStream.Publish.Start');
  return streamId;
}

function chunkStreamOf({ type }: Message): number {
  if (type === 8) return CHUNK_STREAM.audio;
  return type === 9 ? CHUNK_STREAM.video : CHUNK_STREAM.data;
}

class PooledTunnel {
  repeated = 0;
  polls = 0;
  readonly #gate: Gate;
  readonly #walker = new ChunkWalker();
  readonly #pool: HttpWire[] = [];
  #id = '';
  #nextNumber = 0;
  #requests = 0;
  /** What is unread of the last answer; the next one replaces it. */
  #unread: Buffer = Buffer.alloc(0);

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  async open(): Promise<void> {
    await this.#post('/fcs/ident2', Buffer.of(0));
    this.#id = (await this.#post('/open/1', Buffer.of(0))).body.toString('latin1').trim();
    await this.#ask('idle', Buffer.of(0));
  }

  async send(bytes: Buffer): Promise<void> {
    await this.#ask('send', bytes);
  }

  async close(): Promise<void> {
    await this.#post(`/close/${this.#id}`, Buffer.of(0));
    await Promise.all(this.#pool.map((wire) => wire.breakOff()));
  }

  /** So many bytes, all from the present answer. */
  async read(length: number): Promise<Buffer> {
    await this.#poll();
    if (this.#unread.length < length)
      throw new Error(`${length} bytes wanted, only ${this.#unread.length} in the answer`);
    const bytes = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return bytes;
  }

  async readUntil(wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      await this.#poll();
      const step = this.#walker.next(this.#unread);
      if (!step) throw new Error('a message does not end in the answer in which it begins');
      this.#unread = this.#unread.subarray(step.used);
      if (wanted(step.message)) return step.message;
    }
  }

  async #poll(): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    while (this.#unread.length === 0) {
      if (Date.now() > until) throw new Error('no reply in 5 s');
      this.polls++;
      await this.#ask('idle', Buffer.of(0));
    }
  }

  async #ask(command: string, body: Buffer): Promise<void> {
    const answer = await this.#post(`/${command}/${this.#id}/${this.#nextNumber++}`, body);
    if (answer.status !== 200) throw new Error(`${command} was answered ${answer.status}`);
    this.#unread = answer.body.subarray(1);
  }

  async #post(path: string, body: Buffer): Promise<RawAnswer> {
    const turn = this.#requests++;
    const place = turn % POOL;
    const wire = this.#pool[place];
    const meetsHazard = this.#id !== '' && wire !== undefined && turn % HAZARD_EVERY === 0;
    if (!meetsHazard) return (await this.#wireAt(place)).ask(path, body);
    this.repeated++;
    await fail(wire, HAZARDS[this.repeated % HAZARDS.length]!, path, body);
    return (await this.#wireAt(place)).ask(path, body);
  }

  async #wireAt(place: number): Promise<{ ask(path: string, body: Buffer): Promise<RawAnswer> }> {
    const pooled = this.#pool[place];
    const wire = pooled?.alive ? pooled : await HttpWire.connect(this.#gate);
    this.#pool[place] = wire;
    return { ask: (path, body) => (wire.post(path, HEADERS, body), wire.answer()) };
  }
}

async function fail(wire: HttpWire, hazard: Hazard, path: string, body: Buffer): Promise<void> {
  if (hazard !== 'dead before') wire.post(path, HEADERS, body);
  if (hazard === 'answer lost') await wire.answer();
  await wire.breakOff();
}
