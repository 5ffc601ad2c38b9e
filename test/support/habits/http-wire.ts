import type net from 'node:net';
import { connectTo } from './gate.ts';
import type { Gate } from './gate.ts';

/** An answer as it came, head and all. */
export interface RawAnswer {
  readonly status: number;
  /** Status line and header lines, without the blank one. */
  readonly head: string;
  readonly body: Buffer;
}

interface Waiting {
  resolve(answer: RawAnswer): void;
  reject(error: Error): void;
}

/**
 * HTTP as tunnel clients of the Flash age do it: requests are bytes written to a socket, answers are looked through for
 * `HTTP/1.1 ` and `Content-Length: `, literally. Anything else than that is a failed test.
 */
export class HttpWire {
  /** Every head that came with status 200, the length left out. The tunnel promises one single form. */
  readonly heads = new Set<string>();
  readonly #socket: net.Socket;
  readonly #answers: RawAnswer[] = [];
  readonly #waiting: Waiting[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #failure: Error | undefined;

  static async connect(gate: Gate): Promise<HttpWire> {
    return new HttpWire(await connectTo(gate));
  }

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#received(bytes));
    socket.on('close', () => this.#fail(new Error('the connection ended')));
  }

  get alive(): boolean {
    return this.#failure === undefined;
  }

  /** Whole answers that nobody has taken yet. */
  get arrived(): number {
    return this.#answers.length;
  }

  /** Writes a request; `apart` writes head and body one after the other, as librtmp and FFmpeg do. */
  post(target: string, headers: readonly string[], body: Buffer, apart = false): void {
    const lines = [`POST ${target} HTTP/1.1`, ...headers, `Content-Length: ${body.length}`, '', ''];
    const head = Buffer.from(lines.join('\r\n'), 'latin1');
    if (!apart) return void this.#socket.write(Buffer.concat([head, body]));
    this.#socket.write(head);
    this.#socket.write(body);
  }

  /** The next answer, in the order of the requests. */
  answer(): Promise<RawAnswer> {
    const answer = this.#answers.shift();
    if (answer) return Promise.resolve(answer);
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Resolves once all that was written has left; then the connection is gone, whatever it still had to bring. */
  async breakOff(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write('', () => resolve()));
    this.#socket.destroy();
    this.#fail(new Error('broken off'));
  }

  #received(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (let answer = this.#take(); answer; answer = this.#take()) {
      const first = this.#waiting.shift();
      if (first) first.resolve(answer);
      else this.#answers.push(answer);
    }
  }

  #take(): RawAnswer | undefined {
    const end = this.#unread.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const head = this.#unread.toString('latin1', 0, end);
    const length = Number(/\r\nContent-Length: (\d+)(?:\r\n|$)/.exec(head)?.[1]);
    if (!head.startsWith('HTTP/1.1 ') || Number.isNaN(length)) {
      this.#fail(new Error(`no answer that these clients understand: ${head}`));
      this.#socket.destroy();
      return undefined;
    }
    if (this.#unread.length < end + 4 + length) return undefined;
    const body = this.#unread.subarray(end + 4, end + 4 + length);
    this.#unread = this.#unread.subarray(end + 4 + length);
    const status = Number(head.slice(9, 12));
    if (status === 200) this.heads.add(head.replace(/Content-Length: \d+/, 'Content-Length: …'));
    return { status, head, body };
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}
