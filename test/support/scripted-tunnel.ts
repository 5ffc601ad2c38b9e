import type net from 'node:net';
import { scriptedServer, tunnelAnswer } from './http-script.ts';
import type { ScriptedRequest, ScriptedServer } from './http-script.ts';

/** What a scripted tunnel does with one request instead of answering it; true when it did something. */
export type Habit = (request: ScriptedRequest, socket: net.Socket, tunnel: ScriptedTunnel) => boolean;

/**
 * A tunnel of one session for tests of the polling half: takes every number once, answers a repeated number with the
 * same bytes, never holds an answer. A habit may step in front of it and misbehave.
 */
export class ScriptedTunnel {
  readonly server: ScriptedServer;
  /** Every byte that came in, each number's once. */
  readonly received: Buffer[] = [];
  /** Bytes that leave with the next answer. */
  readonly output: Buffer[] = [];
  pollingByte = 1;
  ended = false;
  closed = false;
  readonly #answers = new Map<number, Buffer>();

  static async start(habit: Habit = () => false): Promise<ScriptedTunnel> {
    // The script only runs once the tunnel is there: no request can come before its port is known.
    const tunnel: ScriptedTunnel = new ScriptedTunnel(
      await scriptedServer((request, socket) => {
        if (!habit(request, socket, tunnel)) socket.write(tunnel.answer(request));
      }),
    );
    return tunnel;
  }

  private constructor(server: ScriptedServer) {
    this.server = server;
  }

  /** The right answer to a request, which has then been processed. */
  answer(request: ScriptedRequest, headers: readonly string[] = []): Buffer {
    const [, command, id, number] = request.target.split('/');
    if (command === 'open') return tunnelAnswer('Session1\n', headers);
    if (id !== 'Session1' || this.closed) return tunnelAnswer('', headers, '404 Not Found');
    if (command === 'close') {
      this.closed = true;
      return tunnelAnswer('\0', headers);
    }
    const body = this.#once(Number(number), command === 'send' ? request.body : undefined);
    return body ? tunnelAnswer(body, headers) : tunnelAnswer('', headers, '404 Not Found');
  }

  /** Paths without the session's id, for comparing what was asked in which order. */
  get asked(): string[] {
    return this.server.requests.map(({ target }) => target.replace('/Session1', ''));
  }

  #once(number: number, body: Buffer | undefined): Buffer | undefined {
    const earlier = this.#answers.get(number);
    if (earlier) return earlier;
    if (this.ended && this.output.length === 0) return undefined;
    if (body) this.received.push(Buffer.from(body));
    const answer = Buffer.concat([Buffer.of(this.pollingByte), ...this.output.splice(0)]);
    this.#answers.set(number, answer);
    return answer;
  }
}
