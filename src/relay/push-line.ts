import type { Duplex } from 'node:stream';
import { DRIVER_DEFAULTS, RefusedByServer, type RtmpClient } from '../endpoint/index.ts';
import { RemoteError, TransportError } from '../errors.ts';
import { asSetDataFrame, encodingOf, retimed, type Frame } from '../media/index.ts';
import { property, type AmfValue, type Status } from '../protocol/index.ts';
import { connect, type RelayShared } from './attempt.ts';
import { CodecGate } from './codec-gate.ts';
import { allowedCodecs } from './codec-rules.ts';
import { Progress } from './progress.ts';
import { Rebase } from './rebase.ts';
import type { Target } from './target.ts';

export interface LineOptions {
  /** How long a server may take nothing of what it is sent, or acknowledge nothing, until it is given up. Milliseconds. */
  readonly stallMs: number;
  /** FourCCs that may go there; undefined: as the server says. */
  readonly codecs: ReadonlySet<string> | undefined;
}

/** What whoever owns a line hears of it. */
export interface LineEvents {
  /** There is room again. */
  drained(): void;
  /** The server of `line` asks us to go elsewhere; undefined: to come anew. */
  moved(line: PushLine, tcUrl: string | undefined): void;
  /** A codec is not for this server: said once for each. */
  leftOut(codec: string): void;
}

const RECONNECT = 'NetConnection.Connect.ReconnectRequest';
const STARTED = 'NetStream.Publish.Start';

/** What is kept of what a server says in one breath with its yes. */
const MAX_EARLY = 8;

/** One connection that publishes: a time line of its own, and what the server may have. */
export class PushLine {
  readonly target: Target;
  readonly #client: RtmpClient;
  readonly #stream: Duplex;
  readonly #streamId: number;
  readonly #stallMs: number;
  readonly #rebase = new Rebase();
  readonly #progress: Progress;
  readonly #gate: CodecGate;
  readonly #events: LineEvents;
  #fault: Error | undefined = undefined;
  #isUsed = false;
  /** Where the server wants to have us, said before the line was used. */
  #wanted: { readonly tcUrl: string | undefined } | undefined = undefined;

  /** Connects and publishes. Rejects as `connect` does, with `RefusedByServer`, or with `RemoteError` CLOSED_AT_PUBLISH. */
  static async open(
    target: Target,
    shared: RelayShared,
    hops: readonly string[],
    options: LineOptions,
    events: LineEvents,
    signal: AbortSignal,
    now: number,
  ): Promise<PushLine> {
    const early = new EarlyWords();
    let tell = (status: Status, info: AmfValue): void => early.tell(status, info);
    const client = {
      driver: { ...DRIVER_DEFAULTS, drainTimeoutMs: options.stallMs },
      drained: () => events.drained(),
      status: (_: number, status: Status, info: AmfValue) => tell(status, info),
    };
    const connected = await connect(target, shared, { hops, follows: true, client }, signal);
    try {
      const streamId = await connected.client.publish(target.key);
      const line = new PushLine(target, connected, streamId, options, events, now);
      tell = (status, info) => line.#told(status, info);
      for (const [status, info] of early.said) tell(status, info);
      return line;
    } catch (fault) {
      connected.stream.destroy();
      throw signal.aborted ? fault : refusalIn(fault);
    }
  }

  private constructor(
    target: Target,
    { client, stream }: { readonly client: RtmpClient; readonly stream: Duplex },
    streamId: number,
    { stallMs, codecs }: LineOptions,
    events: LineEvents,
    now: number,
  ) {
    this.target = target;
    this.#events = events;
    this.#client = client;
    this.#stream = stream;
    this.#streamId = streamId;
    this.#stallMs = stallMs;
    this.#progress = new Progress(stallMs, now);
    this.#gate = new CodecGate(allowedCodecs(codecs, client.info), (codec) => events.leftOut(codec));
    client.insistOnDraining();
  }

  get isBlocked(): boolean {
    return this.#client.isBlocked;
  }

  get bytesSent(): number {
    return this.#client.bytesSent;
  }

  /** Undefined for a server that never acknowledges. */
  get unacknowledged(): number | undefined {
    const { bytesSent, bytesAcknowledged } = this.#client;
    return bytesAcknowledged > 0 ? Math.max(0, bytesSent - bytesAcknowledged) : undefined;
  }

  get leftOut(): readonly string[] {
    return this.#gate.leftOut;
  }

  /** Resolves with what ended it, when it is over. */
  async ended(): Promise<Error> {
    const fault = await this.#client.closed;
    this.#stream.destroy();
    return this.#fault ?? fault ?? new TransportError('CONNECTION_CLOSED', 'the server left');
  }

  /** Puts a frame on the way, if it is for this server; `flush` lets it go. Returns whether it was. */
  send(frame: Frame): boolean {
    const passed = this.#gate.pass(frame);
    if (passed === undefined) return false;
    const { kind, type, timestamp, payload, isConfig } = passed;
    const time = kind === 'data' || isConfig ? this.#rebase.placeOther(timestamp) : this.#rebase.place(timestamp);
    const streamId = this.#streamId;
    if (kind === 'data' && isConfig) {
      this.#client.send({ type, streamId, timestamp: time, payload: asSetDataFrame(type, payload) });
    } else {
      this.#client.sendEncoded(encodingOf(retimed(passed, time), streamId, this.#client.outgoingChunkSize));
    }
    return true;
  }

  flush(): void {
    this.#client.flush();
  }

  /** From now on it is the one that is used: where the server wants to have us counts. */
  begin(): void {
    this.#isUsed = true;
    if (this.#wanted !== undefined) this.#events.moved(this, this.#wanted.tcUrl);
  }

  /** Gives the server up if nothing moves any more. */
  check(now: number): void {
    const { bytesSent: sent, bytesAcknowledged: acknowledged } = this.#client;
    if (!this.#progress.isStuck({ sent, acknowledged }, now)) return;
    this.fail(new TransportError('PEER_STALLED', `the server acknowledged nothing for ${this.#stallMs / 1000} s`));
  }

  fail(fault: Error): void {
    this.#fault ??= fault;
    this.#stream.destroy();
  }

  /** Says goodbye behind all that was sent; resolves when the connection is gone. */
  async leave(): Promise<void> {
    this.#client.closeStream(this.#streamId);
    await this.#client.close();
  }

  #told(status: Status, info: AmfValue): void {
    if (status.code === RECONNECT) return this.#toldToMove(property(info, 'tcUrl'));
    if (status.level === 'error') this.fail(new RefusedByServer({ what: 'publish', status }));
  }

  #toldToMove(value: AmfValue): void {
    const tcUrl = typeof value === 'string' ? value : undefined;
    if (this.#isUsed) this.#events.moved(this, tcUrl);
    else this.#wanted = { tcUrl };
  }
}

/** What came in one breath with the yes to publish, before anybody had the line: only what counts afterwards. */
class EarlyWords {
  readonly said: (readonly [Status, AmfValue])[] = [];
  #isPublished = false;

  tell(status: Status, info: AmfValue): void {
    this.#isPublished ||= status.code === STARTED;
    const counts = status.code === RECONNECT || (this.#isPublished && status.level === 'error');
    if (counts && this.said.length < MAX_EARLY) this.said.push([status, info]);
  }
}

/** nginx-rtmp and several platforms answer a wrong key, or a name that somebody has, by closing the connection. */
function refusalIn(fault: unknown): unknown {
  const { code } = fault as { readonly code?: unknown };
  if (code !== 'CONNECTION_CLOSED' && code !== 'ECONNRESET') return fault;
  return new RemoteError(
    'CLOSED_AT_PUBLISH',
    'the server closed the connection without a word when it was asked to publish: many refuse so what has a wrong key, or a name that is taken',
    { cause: fault },
  );
}
