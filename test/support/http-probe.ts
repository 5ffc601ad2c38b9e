import { connect, type Socket } from 'node:net';

/** An HTTP answer, read as literally as librtmp does. */
export interface ProbedAnswer {
  readonly status: number;
  /** Status line and fields, without the blank line. */
  readonly head: string;
  readonly body: Buffer;
}

/** A client's end of an HTTP connection, written to by the byte. */
export class HttpProbe {
  readonly socket: Socket;
  /** Answers nobody has asked for yet. */
  readonly answers: ProbedAnswer[] = [];
  isEnded = false;
  isClosed = false;
  #bytes: Buffer = Buffer.alloc(0);
  #wanted = 0;
  readonly #waiting = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('end', () => this.#changed((this.isEnded = true)));
    socket.on('close', () => this.#changed((this.isEnded = this.isClosed = true)));
  }

  static async connect(port: number, { paused = false } = {}): Promise<HttpProbe> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const probe = new HttpProbe(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
    if (!paused) probe.read();
    return probe;
  }

  /** Begins to read. */
  read(): void {
    this.socket.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  write(...pieces: Array<string | Buffer>): void {
    this.socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece as string, 'latin1'))));
  }

  /** Writes a POST without waiting for its answer. */
  send(path: string, body: string | Buffer = '\0', fields: readonly string[] = []): void {
    this.socket.write(formatPost(path, body, fields));
  }

  async post(path: string, body: string | Buffer = '\0', fields: readonly string[] = []): Promise<ProbedAnswer> {
    this.send(path, body, fields);
    return this.answer();
  }

  /** The next answer. Rejects when the connection ends without it. */
  async answer(): Promise<ProbedAnswer> {
    await this.#until(() => this.answers.length > 0 || this.isEnded);
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error('the connection ended without an answer');
    return answer;
  }

  async ended(): Promise<void> {
    await this.#until(() => this.isEnded);
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  #changed(_what?: unknown): void {
    for (const wake of Array.from(this.#waiting)) wake();
  }

  #receive(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    let at = 0;
    while (at < this.#bytes.length && this.#bytes.length >= this.#wanted) {
      const next = this.#readAnswer(at);
      if (next < 0) break;
      at = next;
    }
    this.#bytes = this.#bytes.subarray(at);
    this.#wanted = Math.max(0, this.#wanted - at);
    this.#changed();
  }

  /** Returns where the next answer begins, or -1; a long answer is looked at again only when it is whole. */
  #readAnswer(at: number): number {
    const end = this.#bytes.indexOf('\r\n\r\n', at);
    if (end < 0) return -1;
    const head = this.#bytes.toString('latin1', at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? NaN);
    const length = Number(/\r\nContent-Length: (\d+)$/m.exec(head)?.[1] ?? NaN);
    if (Number.isNaN(status) || Number.isNaN(length)) throw new Error(`librtmp would not understand: ${head}`);
    const bodyEnd = end + 4 + length;
    if (bodyEnd > this.#bytes.length) {
      this.#wanted = bodyEnd;
      return -1;
    }
    this.#wanted = 0;
    this.answers.push({ status, head, body: Buffer.from(this.#bytes.subarray(end + 4, bodyEnd)) });
    return bodyEnd;
  }
}

/** As librtmp words it. */
export function formatPost(path: string, body: string | Buffer = '\0', fields: readonly string[] = []): Buffer {
  const bytes = Buffer.from(body as string, 'latin1');
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost:80',
    'Accept: */*',
    'User-Agent: Shockwave Flash',
    'Connection: Keep-Alive',
    'Cache-Control: no-cache',
    'Content-type: application/x-fcs',
    ...fields,
    `Content-length: ${bytes.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}
