import type { Tape } from './tape.ts';
import type { ProxiedAnswer, ProxiedRequest } from './proxy-line.ts';
import type { SeededRandom } from './random.ts';

/** How far the newest number may be ahead of the oldest that has no answer: half of what the server allows. */
const MAX_SPAN = 8;

export interface ClientOptions {
  readonly inFlight: 1 | 2;
  readonly random: SeededRandom;
  /** Undefined when no answer came. */
  readonly exchange: (request: ProxiedRequest) => Promise<ProxiedAnswer | undefined>;
  readonly sends: Tape;
  readonly hears: Tape;
}

/**
 * The careful client of RTMPT: a number without an answer is asked again, with the same body, until there is one; what
 * answers carry is put together in the order of numbers. Sends and idles in turn, of all sizes.
 */
export class RepeatingClient {
  readonly id: string;
  numbers = 0;
  requests = 0;
  readonly #options: ClientOptions;
  /** Answers by number: those ahead of `#next`, and the last few behind it. */
  readonly #answers = new Map<number, Buffer>();
  #next = 0;

  constructor(id: string, options: ClientOptions) {
    this.id = id;
    this.#options = options;
  }

  /** Opens a session; an open without an answer is simply begun again. */
  static async open(options: ClientOptions): Promise<RepeatingClient> {
    for (;;) {
      const answer = await options.exchange({ path: '/open/1', body: Buffer.from('\0') });
      if (answer) return new RepeatingClient(answer.body.toString('latin1').trimEnd(), options);
    }
  }

  /** Polls while `goesOn` says so, sending at random if `sending`. Rejects at the first thing that is wrong. */
  async poll(goesOn: () => boolean, sending: boolean): Promise<void> {
    const underWay = new Set<Promise<void>>();
    while (goesOn()) {
      while (underWay.size < this.#options.inFlight && this.numbers - this.#next < MAX_SPAN && goesOn()) {
        const post = this.#post(this.numbers++, sending);
        underWay.add(post);
        void post.then(
          () => underWay.delete(post),
          () => {},
        );
      }
      await Promise.race(underWay);
    }
    await Promise.all(underWay);
  }

  async close(): Promise<void> {
    await this.#options.exchange({ path: `/close/${this.id}/${this.numbers}`, body: Buffer.from('\0') });
  }

  /** Another answer to a request of ours, that did not come to us: it must say the same as the one that did. */
  compare(number: number, answer: ProxiedAnswer): void {
    const ours = this.#answers.get(number);
    if (answer.status !== 200) throw new Error(`a copy of number ${number} was answered ${answer.status}`);
    if (ours && !ours.equals(answer.body.subarray(1)))
      throw new Error(`two answers to number ${number} differ: ${ours.length} and ${answer.body.length - 1} bytes`);
  }

  async #post(number: number, sending: boolean): Promise<void> {
    const { random, sends, exchange } = this.#options;
    // The first request of a session brings enough for a greeting, as with every client.
    // Nobody has anything to say behind a greeting before it is answered.
    const isSend = number === 0 || (number > 1 && sending && random.int(2) === 0);
    const body = isSend ? sends.take(number === 0 ? 1537 : sizeOf(random)) : Buffer.from('\0');
    const request = { path: `/${isSend ? 'send' : 'idle'}/${this.id}/${number}`, body };
    for (;;) {
      this.requests += 1;
      const answer = await exchange(request);
      if (answer) return this.#take(number, answer);
    }
  }

  #take(number: number, { status, body }: ProxiedAnswer): void {
    if (status !== 200 || body.length === 0 || body[0] === 0)
      throw new Error(`session lost: number ${number} was answered ${status} with ${body.length} bytes`);
    this.#answers.set(number, body.subarray(1));
    for (let next; (next = this.#answers.get(this.#next)) !== undefined; this.#next++) {
      this.#options.hears.check(next);
      this.#answers.delete(this.#next - MAX_SPAN);
    }
  }
}

/** Mostly commands and sound, at times pictures. */
function sizeOf(random: SeededRandom): number {
  const kind = random.int(100);
  if (kind < 70) return 1 + random.int(300);
  return kind < 97 ? 1 + random.int(6_000) : 1 + random.int(80_000);
}
