import { Duplex } from 'node:stream';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError, RemoteError, TransportError } from '../../errors.ts';
import type { Dial } from '../link.ts';
import { ANSWER_DEFAULTS } from './answers.ts';
import type { Answer } from './answers.ts';
import { TUNNEL_CLIENT_DEFAULTS } from './client-options.ts';
import type { TunnelClientOptions } from './client-options.ts';
import { Exchange } from './exchange.ts';
import { pauseBeforeIdle } from './pacing.ts';
import { formatTarget } from './paths.ts';
import { formatPost, isFromProxy, notATunnel, readSessionId, refusal } from './requests.ts';
import { SendQueue } from './send-queue.ts';

type Command = 'send' | 'idle' | 'close';

interface Request {
  readonly command: Command;
  readonly number: number;
  readonly body: Buffer;
}

interface Lane {
  readonly exchange: Exchange;
  /** What it waits for the answer to. */
  asked: Command | undefined;
}

/** What Node's streams have from version 22 on. */
const HIGH_WATER_MARK = 64 * 1024;
/** So many sends in a row without a word from the server: we are publishing, the next frame is on its way. */
const PUBLISHING_SENDS = 4;
const ONE_ZERO_BYTE = Buffer.of(0);
const CLOSED = new TransportError('TUNNEL_CLOSED', 'the tunnel was closed');

/**
 * The polling half of RTMPT: a Duplex whose bytes travel in HTTP requests, one numbered request after the other.
 *
 * - Whatever waits is sent, up to a cap; with nothing to send it polls, and pauses as the server's polling byte asks.
 * - A request whose connection died is repeated under its own number until it is answered: that the server takes its
 *   bytes once and answers the same again is the tunnel's promise. Answers count whole or not at all.
 * - Nobody reads: it stops polling, then sending. The other side takes no more: the answer is late, and `write` waits.
 * - A tunnel has no half-open state: `end()` sends everything, closes the session and ends both directions. When the
 *   server ends it, everything it said can still be read to the end; bytes it no longer took are an error after that.
 */
export class TunnelClient extends Duplex {
  readonly #id: string;
  readonly #dial: Dial;
  readonly #options: TunnelClientOptions;
  readonly #lanes: Lane[];
  readonly #queue: SendQueue;
  readonly #quietMs: number;
  readonly #ending = new AbortController();
  /** Answers that came before an earlier number's; undefined stands for the session's end. */
  readonly #early = new Map<number, Buffer | undefined>();
  #nextNumber = 0;
  #nextAnswer = 0;
  #over = false;
  /** Bytes that the server refused because its session was over. */
  #bytesLost = false;
  #readerWaits = true;
  #heldWrite: (() => void) | undefined;
  #final: ((error?: Error | null) => void) | undefined;
  #idleAt = 0;
  /** Sends in a row that were answered without data. */
  #emptySends = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Immediate | undefined;

  /**
   * Opens a session through HTTP connections made by `dial`. Rejects with `RemoteError` when the server refuses
   * (`TUNNEL_NOT_FOUND`, `TUNNEL_BUSY`, `TUNNEL_REFUSED`), with `TransportError` when no answer comes, or with the
   * signal's reason.
   */
  static async open(
    dial: Dial,
    options: Partial<TunnelClientOptions> & { host: string },
    signal: AbortSignal,
  ): Promise<TunnelClient> {
    const settings = { ...TUNNEL_CLIENT_DEFAULTS, ...options };
    const exchange = new Exchange(dial, answerLimits(settings));
    const abort = (): void => exchange.drop(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const answer = await exchange.ask(formatPost('/open/1', settings.host, ONE_ZERO_BYTE, settings.proxy));
      return new TunnelClient(readSessionId(answer, settings.proxy), exchange, dial, settings);
    } catch (error) {
      const failure = error instanceof ProtocolError ? notATunnel(error) : error;
      exchange.drop(failure as Error);
      throw failure;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  private constructor(id: string, opened: Exchange, dial: Dial, options: TunnelClientOptions) {
    super({
      allowHalfOpen: false,
      readableHighWaterMark: Math.min(HIGH_WATER_MARK, options.maxUnreadBytes),
      writableHighWaterMark: HIGH_WATER_MARK,
    });
    this.#id = id;
    this.#dial = dial;
    this.#options = options;
    this.#queue = new SendQueue(options.maxSendBytes);
    // With a second request to spare, a send need not wait for a held idle, so nor need the idle for the next send.
    this.#quietMs = options.requestsInFlight === 1 ? options.quietMs : 0;
    this.#lanes = [{ exchange: opened, asked: undefined }];
    while (this.#lanes.length < options.requestsInFlight) this.#lanes.push(this.#newLane());
  }

  override _read(): void {
    if (!this.#readerWaits) this.#idleAt = 0;
    this.#readerWaits = true;
    this.#advanceSoon();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#enqueue([bytes], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    const pieces = chunks.map(({ chunk }) => chunk);
    this.#enqueue(pieces, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#final = done;
    if (this.#over) return this.#finishEnd();
    // An end does not wait until the server lets go of a poll: what is left to say goes beside it.
    if (this.#lanes.every(({ asked }) => asked === 'idle')) this.#lanes.push(this.#newLane());
    this.#advance();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const live = !this.#over && !(error instanceof TransportError || error instanceof RemoteError);
    const messenger = live ? this.#messenger() : undefined;
    this.#stop();
    for (const { exchange } of this.#lanes) if (exchange !== messenger) exchange.drop(CLOSED);
    if (messenger) void this.#sayFarewell(messenger).then(() => done(error));
    else done(error);
  }

  /** No request begins or is repeated any more. */
  #stop(): void {
    this.#over = true;
    clearTimeout(this.#idleTimer);
    clearImmediate(this.#gathering);
    this.#ending.abort();
  }

  #enqueue(pieces: readonly Buffer[], done: () => void): void {
    if (this.#over) {
      // As with a socket whose peer has gone: taken, told of at the end, and in nobody's way while the rest is read.
      this.#bytesLost = true;
      return done();
    }
    for (const piece of pieces) this.#queue.push(piece);
    if (this.#queue.full) this.#heldWrite = done;
    else done();
    this.#advanceSoon();
  }

  /** What is written in one turn of the event loop leaves in one request. */
  #advanceSoon(): void {
    this.#gathering ??= setImmediate(() => {
      this.#gathering = undefined;
      this.#advance();
    });
  }

  /** Starts every request that is due now. The one place where requests begin. */
  #advance(): void {
    for (const lane of this.#lanes) {
      if (lane.asked) continue;
      const request = this.#takeRequest();
      if (!request) return;
      void this.#perform(lane, request);
      // Only now: whoever writes may write on, or end, inside this call.
      if (!this.#queue.full) this.#releaseWrite();
    }
  }

  #takeRequest(): Request | undefined {
    if (this.#over) return undefined;
    // An answer that is to be repeated must still be remembered over there: nobody runs ahead of it.
    const ahead = this.#nextNumber - this.#nextAnswer >= this.#lanes.length;
    if (!this.#queue.empty && !ahead && this.readableLength < this.#options.maxUnreadBytes) {
      return { command: 'send', number: this.#nextNumber++, body: this.#queue.take() };
    }
    if (this.#final && this.#queue.empty && !this.#lanes.some(({ asked }) => asked && asked !== 'idle')) {
      return { command: 'close', number: this.#nextNumber++, body: ONE_ZERO_BYTE };
    }
    if (this.#final || this.#lanes.some(({ asked }) => asked)) return undefined;
    return this.#idleDue() ? { command: 'idle', number: this.#nextNumber++, body: ONE_ZERO_BYTE } : undefined;
  }

  #releaseWrite(): void {
    const held = this.#heldWrite;
    this.#heldWrite = undefined;
    held?.();
  }

  /** Whether to poll now; otherwise sees to being woken when it is time. */
  #idleDue(): boolean {
    if (this.readableLength >= this.#options.maxUnreadBytes) return false;
    const wait = this.#idleAt - performance.now();
    clearTimeout(this.#idleTimer);
    if (wait <= 0) return true;
    this.#idleTimer = setTimeout(() => this.#advance(), Math.ceil(wait));
    return false;
  }

  async #perform(lane: Lane, request: Request): Promise<void> {
    lane.asked = request.command;
    try {
      const askedAt = performance.now();
      const answer = await this.#insist(lane.exchange, request);
      lane.asked = undefined;
      if (!this.#over) this.#answered(request, answer, performance.now() - askedAt);
    } catch (error) {
      lane.asked = undefined;
      if (!this.#over) this.destroy(error instanceof ProtocolError ? notATunnel(error) : (error as Error));
    }
  }

  /** Asks until there is an answer by the tunnel itself, the same request each time, or gives up. */
  async #insist(exchange: Exchange, request: Request): Promise<Answer> {
    let firstFailure: number | undefined;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#askOnce(exchange, request);
      if (!(outcome instanceof Error)) return outcome;
      if (this.#ending.signal.aborted) throw outcome;
      const now = performance.now();
      firstFailure ??= now;
      if (now - firstFailure >= this.#options.giveUpMs) {
        throw new TransportError('TUNNEL_LOST', 'the tunnel could not be reached any more', { cause: outcome });
      }
      // The first repetition at once: a kept connection that the other side had just closed is daily bread.
      if (attempt > 0) await delay(backoffMs(attempt), undefined, { signal: this.#ending.signal });
    }
  }

  async #askOnce(exchange: Exchange, { command, number, body }: Request): Promise<Answer | TransportError> {
    const timeoutMs = command === 'send' ? this.#options.sendTimeoutMs : this.#options.idleTimeoutMs;
    const late = new TransportError('TUNNEL_TIMEOUT', `no answer within ${timeoutMs} ms`);
    const timer = setTimeout(() => exchange.drop(late), timeoutMs);
    try {
      const answer = await exchange.ask(this.#format(command, number, body));
      return isFromProxy(answer) ? refusal(answer, 'a proxy on the way', this.#options.proxy) : answer;
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      return error instanceof TransportError
        ? error
        : new TransportError('TUNNEL_LOST', 'the request failed', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  #format(command: Command, number: number, body: Buffer): Buffer {
    const { host, proxy } = this.#options;
    return formatPost(formatTarget(command, this.#id, number), host, body, proxy);
  }

  #answered(request: Request, answer: Answer, tookMs: number): void {
    const gone = answer.status === 404 || answer.status === 410;
    if (answer.status !== 200 && !gone) return void this.destroy(refusal(answer, 'the tunnel', this.#options.proxy));
    if (request.command === 'close') return this.#sessionOver();
    const payload = answer.body.subarray(1);
    if (gone && request.command === 'send') this.#bytesLost = true;
    this.#early.set(request.number, gone ? undefined : payload);
    this.#deliver();
    this.#idleAt = performance.now() + this.#pauseMs(request.command, answer.body[0], payload.length > 0, tookMs);
    // Not at once: whoever reads what has just come may have an answer to it, which should not wait behind a poll.
    this.#advanceSoon();
  }

  #pauseMs(command: 'send' | 'idle', pollingByte: number | undefined, payload: boolean, tookMs: number): number {
    if (!this.#readerWaits) return this.#options.keepAliveMs;
    this.#emptySends = command === 'send' && !payload ? this.#emptySends + 1 : 0;
    const quietMs = this.#emptySends < PUBLISHING_SENDS ? 0 : this.#quietMs;
    return pauseBeforeIdle({ command, pollingByte, payload, tookMs }, quietMs);
  }

  /** Passes on what has come, in the order of the numbers. */
  #deliver(): void {
    while (!this.#over && this.#early.has(this.#nextAnswer)) {
      const payload = this.#early.get(this.#nextAnswer);
      this.#early.delete(this.#nextAnswer++);
      if (payload === undefined) this.#sessionOver();
      else if (payload.length > 0) this.#readerWaits = this.push(payload);
    }
  }

  #sessionOver(): void {
    this.#stop();
    if (!this.#queue.empty) this.#bytesLost = true;
    this.#queue.clear();
    for (const { exchange } of this.#lanes) exchange.drop(CLOSED);
    this.push(null);
    this.#releaseWrite();
    this.#finishEnd();
  }

  /** Destroying would take away what is still to be read, so the bad news waits for its end. */
  #finishEnd(): void {
    const done = this.#final;
    if (!done) return;
    this.#final = undefined;
    if (!this.#bytesLost) return done();
    const lost = new TransportError('TUNNEL_ENDED', 'the server ended the session before it had taken everything');
    if (this.readableEnded) done(lost);
    else this.once('end', () => done(lost));
  }

  /** Where a `/close` can leave at once; never behind a request that may be waiting for its answer. */
  #messenger(): Exchange {
    const idle = this.#lanes.find(({ exchange }) => exchange.ready);
    return idle?.exchange ?? this.#newLane().exchange;
  }

  #newLane(): Lane {
    return { exchange: new Exchange(this.#dial, answerLimits(this.#options)), asked: undefined };
  }

  /** One `/close`, so that the server need not wait for our silence. Nothing depends on its success. */
  async #sayFarewell(exchange: Exchange): Promise<void> {
    const timer = setTimeout(() => exchange.drop(CLOSED), this.#options.farewellMs);
    await exchange.ask(this.#format('close', this.#nextNumber, ONE_ZERO_BYTE)).catch(() => undefined);
    clearTimeout(timer);
    exchange.drop(CLOSED);
  }
}

function answerLimits(options: TunnelClientOptions): { maxHeadBytes: number; maxBodyBytes: number } {
  return { maxHeadBytes: ANSWER_DEFAULTS.maxHeadBytes, maxBodyBytes: options.maxAnswerBytes };
}

/** 100 ms, 200, 400 … up to 2 s, each between half and the whole of it, so that many clients do not return as one. */
function backoffMs(attempt: number): number {
  return Math.min(2000, 50 * 2 ** attempt) * (0.5 + Math.random() / 2);
}
