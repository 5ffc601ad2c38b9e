import type { Target } from './carrier.ts';
import { encodeMessage } from './chunks.ts';
import { nowMicros } from './clock.ts';
import { CHUNK_SIZE, RtmpClient } from './rtmp-client.ts';
import { AVC_CONFIGURATION, frameOf, stamp } from './stamp.ts';
import { encode } from './amf.ts';

const VIDEO = 9;
const DATA = 18;
const MEDIA_CHUNKS = { id: 6, size: CHUNK_SIZE };
const CHUNK_HEADER_BYTES = 12;
/** A keyframe every two seconds, five times as large as the others: what encoders do at these rates. */
const GOP_SECONDS = 2;
const KEYFRAME_RATIO = 5;

export interface PublishersOptions {
  readonly target: Target;
  readonly app: string;
  readonly stream: (index: number) => string;
  readonly count: number;
  readonly kbitPerSecond: number;
  readonly framesPerSecond: number;
  readonly lost: (reason: string) => void;
}

/** Publishers in step: their frames are spread evenly over the time of one frame, so that they do not all come at once. */
export class Publishers {
  sentMessages = 0;
  sentBytes = 0;
  readonly #options: PublishersOptions;
  readonly #clients: RtmpClient[] = [];
  readonly #keyframe: Buffer;
  readonly #interFrame: Buffer;
  readonly #framesPerGop: number;
  #began = 0;
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #isReady: () => void = () => {};

  constructor(options: PublishersOptions) {
    this.#options = options;
    this.#framesPerGop = GOP_SECONDS * options.framesPerSecond;
    const gopBytes = (options.kbitPerSecond * 1000 * GOP_SECONDS) / 8;
    const interBytes = Math.round(gopBytes / (this.#framesPerGop - 1 + KEYFRAME_RATIO));
    this.#interFrame = frameOf(interBytes, false);
    this.#keyframe = frameOf(interBytes * KEYFRAME_RATIO, true);
  }

  /** Connects all; resolves when every one may publish. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#isReady = resolve;
      for (let index = 0; index < this.#options.count; index++) this.#clients.push(this.#connect(index));
      if (this.#options.count === 0) resolve();
    });
  }

  /** No longer in time: the next pictures up to number `limit` leave at once. To be called again whenever it has grown. */
  hurry(limit: number): void {
    clearTimeout(this.#timer);
    while (this.#next < limit * this.#options.count) this.#send(this.#next++);
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const client of this.#clients) client.close();
  }

  #connect(index: number): RtmpClient {
    const { target, app, stream, lost } = this.#options;
    const wish = {
      target,
      app,
      stream: stream(index),
      role: 'publish',
      tunnel: { pollMs: 20, answered: () => {} },
    } as const;
    return new RtmpClient(wish, { ready: () => this.#ready(), media: () => {}, lost });
  }

  #ready(): void {
    if (this.#clients.length < this.#options.count || this.#clients.some((client) => client.milestones.ready === 0))
      return;
    for (const client of this.#clients) this.#introduce(client);
    this.#began = nowMicros();
    this.#turn();
    this.#isReady();
  }

  #introduce(client: RtmpClient): void {
    const metadata = encode('@setDataFrame', 'onMetaData', { width: 1280, height: 720, videocodecid: 7 });
    client.write(encodeMessage(DATA, client.streamId, 0, metadata, MEDIA_CHUNKS));
    client.write(encodeMessage(VIDEO, client.streamId, 0, AVC_CONFIGURATION, MEDIA_CHUNKS));
  }

  #turn(): void {
    const interval = 1e6 / this.#options.framesPerSecond / this.#options.count;
    const due = Math.floor((nowMicros() - this.#began) / interval);
    while (this.#next <= due) this.#send(this.#next++);
    const wait = (this.#began + this.#next * interval - nowMicros()) / 1e3;
    this.#timer = setTimeout(() => this.#turn(), Math.max(0, wait));
  }

  #send(turn: number): void {
    const { count, framesPerSecond } = this.#options;
    const index = turn % count;
    const sequence = Math.floor(turn / count);
    const client = this.#clients[index]!;
    const frame = sequence % this.#framesPerGop === 0 ? this.#keyframe : this.#interFrame;
    const timestamp = Math.round((sequence * 1000) / framesPerSecond);
    const bytes = encodeMessage(VIDEO, client.streamId, timestamp, frame, MEDIA_CHUNKS);
    stamp(bytes, CHUNK_HEADER_BYTES, index, sequence, nowMicros());
    this.sentMessages += 1;
    this.sentBytes += frame.length;
    client.write(bytes);
  }
}
