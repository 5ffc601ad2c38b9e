import net from 'node:net';

export interface ProxiedRequest {
  readonly path: string;
  readonly body: Buffer;
}

export interface ProxiedAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export type Persistence = 'keep-alive' | 'close' | 'HTTP/1.0';

/** A POST as a proxy forwards it. */
export function encodeRequest({ path, body }: ProxiedRequest, persistence: Persistence = 'keep-alive'): Buffer {
  const version = persistence === 'HTTP/1.0' ? 'HTTP/1.0' : 'HTTP/1.1';
  const connection = persistence === 'close' ? 'connection: close\r\n' : '';
  const head = `POST ${path} ${version}\r\nhost: gateway\r\n${connection}content-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** One HTTP connection from a proxy to the server: requests go in, answers come out in the same order, or nothing does. */
export class ProxyLine {
  readonly #socket: net.Socket;
  readonly #owed: ((answer: ProxiedAnswer | undefined) => void)[] = [];
  #received: Buffer = Buffer.alloc(0);
  #isOver = false;
  /** Somebody is writing a request piece by piece. */
  isTaken = false;
  /** The first byte of an answer closes it. */
  cutsAnswers = false;

  constructor(port: number) {
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#socket.on('error', () => {});
    this.#socket.on('end', () => this.destroy());
    this.#socket.on('close', () => this.#finish());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Answers that are owed. */
  get waiting(): number {
    return this.#owed.length;
  }

  /** Anything: parts of requests. */
  write(bytes: Buffer): void {
    if (!this.#isOver) this.#socket.write(bytes);
  }

  /** The answer to the request that was written last; undefined when the connection ends without it. */
  answer(): Promise<ProxiedAnswer | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#owed.push(resolve));
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
    this.#finish();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#finish();
  }

  #finish(): void {
    this.#isOver = true;
    for (const settle of this.#owed.splice(0)) settle(undefined);
  }

  #take(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.cutsAnswers) return this.reset();
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    while (this.#takeAnswer());
  }

  #takeAnswer(): boolean {
    const headLength = this.#received.indexOf('\r\n\r\n') + 4;
    if (headLength < 4) return false;
    const head = this.#received.toString('latin1', 0, headLength);
    const end = headLength + Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
    if (!(end <= this.#received.length)) return false;
    // A copy: a remembered answer must not keep everything that came with it.
    const body = Buffer.from(this.#received.subarray(headLength, end));
    this.#received = this.#received.subarray(end);
    const settle = this.#owed.shift();
    if (/^(HTTP\/1\.0|connection: close)/im.test(head) && this.#owed.length === 0) this.destroy();
    settle?.({ status: Number(head.slice(9, 12)), body });
    return this.#received.length > 0;
  }
}
