import type { Duplex } from 'node:stream';
import { TransportError } from '../../errors.ts';
import type { Dial } from '../link.ts';
import { AnswerReader } from './answers.ts';
import type { Answer, AnswerLimits } from './answers.ts';

interface Asked {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * One place in which an HTTP request waits for its answer: a connection that is dialled when needed, kept while the
 * other side keeps it, and dialled anew when it is gone. Never more than one request at a time, so that any proxy on
 * the way will do.
 */
export class Exchange {
  readonly #dial: Dial;
  readonly #limits: AnswerLimits;
  #connection: Duplex | undefined;
  #connecting: AbortController | undefined;
  #asked: Asked | undefined;

  constructor(dial: Dial, limits: AnswerLimits) {
    this.#dial = dial;
    this.#limits = limits;
  }

  /** Whether a connection stands that waits for nothing: a request written now leaves at once. */
  get ready(): boolean {
    return this.#connection !== undefined && this.#asked === undefined;
  }

  /**
   * Writes one request and waits for its answer. Rejects with `TransportError` when there is no connection to be had
   * or it dies first, with `ProtocolError` when what comes back is no HTTP; the next call then dials again.
   */
  async ask(request: Buffer): Promise<Answer> {
    const connection = this.#connection ?? (await this.#connect());
    // Dropped in the moment between the connection's standing and our being told.
    if (connection !== this.#connection)
      throw new TransportError('TUNNEL_CONNECTION_LOST', 'the connection was given up');
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      connection.write(request);
    });
  }

  /** Gives the connection up; whoever waits for an answer gets `reason`. */
  drop(reason: Error): void {
    this.#connecting?.abort(reason);
    this.#connection?.destroy();
    this.#connection = undefined;
    this.#settle((asked) => asked.reject(reason));
  }

  async #connect(): Promise<Duplex> {
    const connecting = new AbortController();
    this.#connecting = connecting;
    try {
      const connection = await this.#dial(connecting.signal);
      if (connecting.signal.aborted) {
        connection.destroy();
        throw connecting.signal.reason;
      }
      this.#attach(connection);
      return connection;
    } finally {
      if (this.#connecting === connecting) this.#connecting = undefined;
    }
  }

  #attach(connection: Duplex): void {
    const reader = new AnswerReader(this.#limits);
    this.#connection = connection;
    connection.on('data', (bytes: Buffer) => this.#received(connection, reader, bytes));
    connection.on('end', () => this.#ended(connection, reader));
    connection.on('error', (cause) => this.#lost(connection, cause));
    connection.on('close', () => this.#lost(connection));
  }

  #received(connection: Duplex, reader: AnswerReader, bytes: Buffer): void {
    if (connection !== this.#connection) return;
    try {
      for (const answer of reader.read(bytes)) this.#answered(connection, answer);
    } catch (error) {
      this.#release(connection);
      this.#settle((asked) => asked.reject(error));
    }
  }

  #ended(connection: Duplex, reader: AnswerReader): void {
    if (connection !== this.#connection) return;
    const answer = reader.end();
    if (answer) this.#answered(connection, answer);
    else this.#lost(connection);
  }

  /** An answer that nobody asked for (a proxy's "408" on an idle connection) only tells that the connection is over. */
  #answered(connection: Duplex, answer: Answer): void {
    if (!answer.keepAlive || !this.#asked) this.#release(connection);
    this.#settle((asked) => asked.resolve(answer));
  }

  #lost(connection: Duplex, cause?: Error): void {
    if (connection !== this.#connection) return;
    this.#release(connection);
    const message = 'the connection ended before the answer came';
    this.#settle((asked) => asked.reject(new TransportError('TUNNEL_CONNECTION_LOST', message, { cause })));
  }

  /** Destroyed and not ended: all that was asked on it is settled, so there is nothing to wait for. */
  #release(connection: Duplex): void {
    if (connection === this.#connection) this.#connection = undefined;
    connection.destroy();
  }

  #settle(how: (asked: Asked) => void): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked) how(asked);
  }
}
