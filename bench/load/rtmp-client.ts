import { decode, encode, type Value } from './amf.ts';
import type { Carrier, CarrierEvents, Target } from './carrier.ts';
import { ChunkCounter, encodeMessage, type MessageSeen } from './chunks.ts';
import { nowMicros } from './clock.ts';
import { SocketCarrier } from './socket.ts';
import { TunnelCarrier, type TunnelOptions } from './tunnel.ts';

/** OBS announces 4096 before its connect command. */
export const CHUNK_SIZE = 4096;
const HANDSHAKE_ANSWER_BYTES = 1 + 1536 + 1536;
const COMMAND_CHUNKS = { id: 3, size: CHUNK_SIZE };
const CONTROL_CHUNKS = { id: 2, size: CHUNK_SIZE };
const COMMAND = 20;

/** What one client wants of the server. */
export interface Wish {
  readonly target: Target;
  readonly app: string;
  readonly stream: string;
  readonly role: 'publish' | 'play';
  readonly tunnel: TunnelOptions;
  /** On which of its NetStreams: the client creates as many. 1 if left out. */
  readonly netStream?: number;
}

export interface ClientEvents {
  /** Publish or play was accepted: from now on media may flow. */
  ready(): void;
  /** An audio or video message is complete. */
  media(message: MessageSeen): void;
  /** The connection is gone, not at our wish. */
  lost(reason: string): void;
}

/** When the steps of joining were done, in `nowMicros` time; 0 while they are not. */
export interface Milestones {
  /** TCP (TLS, /open) stands. */
  opened: number;
  /** `_result` of connect is here. */
  connected: number;
  /** The publish or play command left. */
  asked: number;
  /** It was accepted. */
  ready: number;
}

/** A minimal RTMP client: simple handshake, connect, createStream, publish or play, acknowledgements, pongs. */
export class RtmpClient {
  readonly milestones: Milestones = { opened: 0, connected: 0, asked: 0, ready: 0 };
  streamId = 0;
  bytesRead = 0;
  readonly #wish: Wish;
  readonly #events: ClientEvents;
  readonly #carrier: Carrier;
  readonly #chunks = new ChunkCounter((message) => this.#message(message));
  #handshakeLeft = HANDSHAKE_ANSWER_BYTES;
  #serverPart = Buffer.alloc(HANDSHAKE_ANSWER_BYTES);
  #acknowledgeEvery = Infinity;
  #acknowledged = 0;
  #finished = false;
  #netStreamsLeft: number;

  constructor(wish: Wish, events: ClientEvents) {
    this.#wish = wish;
    this.#netStreamsLeft = wish.netStream ?? 1;
    this.#events = events;
    this.#carrier = openCarrier(wish, {
      opened: () => this.#opened(),
      read: (bytes, start, end) => this.#read(bytes, start, end),
      closed: (reason) => this.#closed(reason),
    });
  }

  /** Writes bytes that are already chunks of `CHUNK_SIZE`. */
  write(bytes: Buffer): void {
    this.#carrier.write(bytes);
  }

  /** For tests that leave rudely. */
  get carrier(): Carrier {
    return this.#carrier;
  }

  close(): void {
    this.#finished = true;
    this.#carrier.close();
  }

  #opened(): void {
    this.milestones.opened = nowMicros();
    const hello = Buffer.alloc(1 + 1536);
    hello[0] = 3;
    this.#carrier.write(hello);
  }

  #closed(reason: string): void {
    if (!this.#finished) this.#events.lost(reason);
    this.#finished = true;
  }

  #read(bytes: Buffer, start: number, end: number): void {
    this.bytesRead += end - start;
    let at = start;
    if (this.#handshakeLeft > 0) {
      at += bytes.copy(this.#serverPart, HANDSHAKE_ANSWER_BYTES - this.#handshakeLeft, start, end);
      this.#handshakeLeft -= at - start;
      if (this.#handshakeLeft > 0) return;
      this.#shakenHands();
    }
    this.#chunks.read(bytes, at, end);
    if (this.bytesRead - this.#acknowledged >= this.#acknowledgeEvery) this.#acknowledge();
  }

  #shakenHands(): void {
    const echo = Buffer.from(this.#serverPart.subarray(1, 1537));
    this.#serverPart = Buffer.alloc(0);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(CHUNK_SIZE);
    const { app, target } = this.#wish;
    const tcUrl = `${target.transport}://127.0.0.1:${target.port}/${app}`;
    const properties = { app, type: 'nonprivate', flashVer: 'FMLE/3.0', tcUrl };
    this.#carrier.write(
      Buffer.concat([echo, encodeMessage(1, 0, 0, size, CONTROL_CHUNKS), command('connect', 1, properties)]),
    );
  }

  #acknowledge(): void {
    this.#acknowledged = this.bytesRead;
    const total = Buffer.alloc(4);
    total.writeUInt32BE(this.bytesRead % 2 ** 32);
    this.#carrier.write(encodeMessage(3, 0, 0, total, CONTROL_CHUNKS));
  }

  #message(message: MessageSeen): void {
    switch (message.type) {
      case 1:
        this.#chunks.chunkSize = message.body.readUInt32BE(0);
        return;
      case 4:
        return this.#userControl(message.body);
      case 5:
        this.#acknowledgeEvery = message.body.readUInt32BE(0) / 2;
        return;
      case 8:
      case 9:
        return this.#events.media(message);
      case COMMAND:
        return this.#command(decode(message.body));
    }
  }

  #userControl(body: Buffer): void {
    const pingRequest = 6;
    if (body.readUInt16BE(0) !== pingRequest) return;
    const pong = Buffer.from(body);
    pong.writeUInt16BE(7);
    this.#carrier.write(encodeMessage(4, 0, 0, pong, CONTROL_CHUNKS));
  }

  #command([name, call, , argument]: Value[]): void {
    if (name === '_error') return this.#refused(`call ${JSON.stringify(call)} was refused`);
    if (name === '_result' && call === 1) return this.#connected();
    if (name === '_result' && call === 2) return this.#streamCreated(Number(argument));
    if (name === 'onStatus') this.#status(argument as { level?: string; code?: string });
  }

  #connected(): void {
    this.milestones.connected = nowMicros();
    this.#carrier.write(command('createStream', 2, null));
  }

  #streamCreated(id: number): void {
    if (--this.#netStreamsLeft > 0) return this.#carrier.write(command('createStream', 2, null));
    this.streamId = id;
    this.milestones.asked = nowMicros();
    const { role, stream } = this.#wish;
    const values = role === 'publish' ? ['publish', 3, null, stream, 'live'] : ['play', 3, null, stream, -2000];
    this.#carrier.write(encodeMessage(COMMAND, id, 0, encode(...values), COMMAND_CHUNKS));
  }

  #status({ level, code }: { level?: string; code?: string }): void {
    if (level === 'error') return this.#refused(String(code));
    if (code !== 'NetStream.Publish.Start' && code !== 'NetStream.Play.Start') return;
    this.milestones.ready = nowMicros();
    this.#events.ready();
  }

  #refused(reason: string): void {
    this.#carrier.close();
    this.#closed(reason);
  }
}

function command(name: string, call: number, argument: Value): Buffer {
  return encodeMessage(COMMAND, 0, 0, encode(name, call, argument), COMMAND_CHUNKS);
}

function openCarrier({ target, tunnel }: Wish, events: CarrierEvents): Carrier {
  const secure = target.transport.endsWith('s');
  if (target.transport.startsWith('rtmpt')) return new TunnelCarrier(target.port, secure, events, tunnel);
  return new SocketCarrier(target.port, secure, events);
}
