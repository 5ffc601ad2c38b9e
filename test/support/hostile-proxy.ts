import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { encodeRequest, ProxyLine, type Persistence, type ProxiedAnswer, type ProxiedRequest } from './proxy-line.ts';
import type { SeededRandom } from './random.ts';

/** Connections that are kept for all sessions together. */
const MAX_POOLED = 12;
/** A late copy is made while its number is still remembered, and long after. */
const LATEST_TURNS = 200;

type Outcome = Promise<ProxiedAnswer | undefined>;
type Mishap = (request: ProxiedRequest) => Outcome;

/**
 * An HTTP proxy that does, on purpose and from a seed, what proxies do on bad days. Its client's side is a function
 * call, its server's side are real sockets, because what becomes of an answer is decided in the kernel. Many sessions
 * share one proxy and its connections.
 */
export class HostileProxy {
  /** What befell requests, and how often. */
  readonly counts = new Map<string, number>();
  /** Whoever wants to see answers that a client is not given: those of copies. */
  onStray: (request: ProxiedRequest, answer: ProxiedAnswer) => void = () => {};
  readonly #port: number;
  readonly #random: SeededRandom;
  readonly #isServingWeb: boolean;
  readonly #pool: ProxyLine[] = [];
  readonly #late = new Set<Promise<void>>();
  readonly #mishaps: ReadonlyArray<readonly [name: string, weight: number, does: Mishap]>;

  constructor(port: number, random: SeededRandom, options: { readonly web?: boolean } = {}) {
    this.#port = port;
    this.#random = random;
    this.#isServingWeb = options.web ?? false;
    this.#mishaps = [
      ['none', 40, (request) => this.#pass(request)],
      ['queued on a busy connection', 10, (request) => this.#queue(request)],
      ['connection of its own', 6, (request) => this.#alone(request)],
      ['doubled at once', 8, (request) => this.#double(request)],
      ['repeated later', 6, (request) => this.#repeatLater(request)],
      ['in segments', 8, (request) => this.#segments(request)],
      ['delayed', 6, (request) => this.#delay(request)],
      ['broken off', 4, (request) => this.#breakOff(request)],
      ['broken off and sent elsewhere', 4, (request) => this.#breakOff(request).then(() => this.#pass(request))],
      ['answer dropped', 4, (request) => this.#drop(request)],
      ['answer cut', 2, (request) => this.#cut(request)],
      ['gone before the answer', 2, (request) => this.#abandon(request)],
      ['connection closed', 2, (request) => this.#closeAny(request)],
      ['web request before', this.#isServingWeb ? 1 : 0, (request) => this.#browse(request)],
    ];
  }

  /** Brings a request to the server. Undefined: its client is told nothing, whatever the server may have heard. */
  exchange(request: ProxiedRequest): Outcome {
    let left = this.#random.int(this.#mishaps.reduce((sum, [, weight]) => sum + weight, 0));
    const [name, , mishap] = this.#mishaps.find(([, weight]) => (left -= weight) < 0)!;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    return mishap(request);
  }

  /** Without any mishap of its own; the connection may be another's victim all the same. */
  pass(request: ProxiedRequest): Outcome {
    return this.#pass(request);
  }

  /** Closes all connections, after the last late copy. */
  async close(): Promise<void> {
    await Promise.all(this.#late);
    for (const line of this.#pool) line.destroy();
  }

  #pass(request: ProxiedRequest): Outcome {
    return send(this.#idleLine(), request);
  }

  #queue(request: ProxiedRequest): Outcome {
    const busy = this.#pool.filter((line) => !line.isOver && !line.isTaken);
    return busy.length === 0 ? this.#pass(request) : send(this.#random.pick(busy), request);
  }

  #alone(request: ProxiedRequest): Outcome {
    const line = new ProxyLine(this.#port);
    return send(line, request, this.#random.pick(['close', 'HTTP/1.0'])).finally(() => line.destroy());
  }

  /** The first answer goes to the client; the other must be the same. */
  async #double(request: ProxiedRequest): Outcome {
    const one = this.#random.int(2) === 0 ? this.#pass(request) : this.#segments(request);
    const both = [one, this.#alone(request)];
    const first = await Promise.race(both);
    for (const copy of both) this.#watch(request, copy);
    return first ?? (await Promise.all(both)).find((answer) => answer !== undefined);
  }

  #repeatLater(request: ProxiedRequest): Outcome {
    const turns = this.#random.int(LATEST_TURNS);
    const repeat = this.#turns(turns).then(() => (turns % 2 === 0 ? this.#pass(request) : this.#breakOff(request)));
    this.#watch(request, repeat);
    return this.#pass(request);
  }

  /** In pieces of any size, cut anywhere, a turn or more apart. */
  async #segments(request: ProxiedRequest): Outcome {
    const line = this.#idleLine();
    line.isTaken = true;
    const bytes = encodeRequest(request);
    // A copy of what is known already may be answered before it has come to its end.
    const answer = line.answer();
    for (let at = 0, end; at < bytes.length; at = end) {
      end = Math.min(bytes.length, at + 1 + this.#random.int(Math.max(60, bytes.length)));
      line.write(bytes.subarray(at, end));
      if (end < bytes.length) await this.#turns(1 + this.#random.int(3));
    }
    line.isTaken = false;
    return answer;
  }

  async #delay(request: ProxiedRequest): Outcome {
    await (this.#random.int(4) === 0 ? pause(this.#random.int(20)) : this.#turns(this.#random.int(50)));
    return this.#pass(request);
  }

  async #breakOff(request: ProxiedRequest): Promise<undefined> {
    const line = this.#random.int(2) === 0 ? this.#idleLine() : new ProxyLine(this.#port);
    line.isTaken = true;
    const bytes = encodeRequest(request);
    line.write(bytes.subarray(0, this.#random.int(bytes.length)));
    await this.#turns(this.#random.int(6));
    this.#close(line);
    return undefined;
  }

  async #drop(request: ProxiedRequest): Promise<undefined> {
    const line = this.#idleLine();
    await send(line, request);
    if (this.#random.int(2) === 0) this.#close(line);
    return undefined;
  }

  async #cut(request: ProxiedRequest): Promise<undefined> {
    const line = new ProxyLine(this.#port);
    line.cutsAnswers = true;
    await send(line, request);
    return undefined;
  }

  async #abandon(request: ProxiedRequest): Promise<undefined> {
    const line = new ProxyLine(this.#port);
    const answer = send(line, request);
    if (this.#random.int(2) === 0) line.end();
    await this.#turns(this.#random.int(8));
    this.#close(line);
    await answer;
    return undefined;
  }

  /** Whatever else is under way there suffers, too. */
  #closeAny(request: ProxiedRequest): Outcome {
    if (this.#pool.length > 0) this.#close(this.#random.pick(this.#pool));
    return this.#pass(request);
  }

  /** A page on the same connection, right before. */
  #browse(request: ProxiedRequest): Outcome {
    const line = this.#idleLine();
    line.write(Buffer.from('GET /page HTTP/1.1\r\nhost: gateway\r\n\r\n'));
    void line.answer();
    return send(line, request);
  }

  #watch(request: ProxiedRequest, copy: Outcome): void {
    const seen = copy.then((answer) => {
      if (answer !== undefined) this.onStray(request, answer);
    });
    this.#late.add(seen);
    void seen.finally(() => this.#late.delete(seen));
  }

  #idleLine(): ProxyLine {
    for (let i = this.#pool.length - 1; i >= 0; i--) if (this.#pool[i]!.isOver) this.#pool.splice(i, 1);
    const free = this.#pool.filter((line) => line.waiting === 0 && !line.isTaken);
    if (free.length > 0) return this.#random.pick(free);
    const line = new ProxyLine(this.#port);
    const [oldest] = this.#pool.filter(({ isTaken }) => !isTaken);
    if (this.#pool.length >= MAX_POOLED && oldest) this.#pool.splice(this.#pool.indexOf(oldest), 1)[0]!.end();
    this.#pool.push(line);
    return line;
  }

  #close(line: ProxyLine): void {
    if (this.#random.int(2) === 0) line.destroy();
    else line.reset();
  }

  async #turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await nextTurn();
  }
}

function send(line: ProxyLine, request: ProxiedRequest, persistence?: Persistence): Outcome {
  line.write(encodeRequest(request, persistence));
  return line.answer();
}
