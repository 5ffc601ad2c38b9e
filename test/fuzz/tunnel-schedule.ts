import type { Answer } from '../../src/transport/rtmpt/answer.ts';
import { Memory } from '../../src/transport/rtmpt/memory.ts';
import { Post, type Engine } from '../../src/transport/rtmpt/post.ts';
import { Tunnel, type TunnelHost } from '../../src/transport/rtmpt/tunnel.ts';
import { TUNNEL_DEFAULTS, type TunnelOptions } from '../../src/transport/rtmpt/tunnel-options.ts';
import type { SeededRandom } from '../support/random.ts';

/** One request of a session, as its client means it. */
interface Planned {
  readonly number: number;
  readonly kind: 'send' | 'idle';
  readonly body: Buffer;
  /** Connections that will bring it; all but the last may break off. */
  attempts: number;
  /** The server has heard of it and took no offence. */
  isKnown: boolean;
  isBrought: boolean;
}

/** One connection that brings a request. */
interface Attempt {
  readonly post: Post;
  readonly planned: Planned;
  readonly breaksAt: number;
  sent: number;
}

/** A payload that a socket has been given. */
interface Underway {
  readonly number: number;
  readonly answer: Answer;
}

const OPTIONS: TunnelOptions = { ...TUNNEL_DEFAULTS, maxOutputBytes: 64, maxRememberedBytes: 64 };

/**
 * A session with everything that networks do to it: requests overtake each other on several connections, come twice,
 * break off half-way or not at all; answers are lost. Beside it a model that knows what should come of it. The clock is
 * its own.
 */
export class Schedule implements TunnelHost {
  readonly options = OPTIONS;
  readonly memory = new Memory(100_000);
  readonly #random: SeededRandom;
  readonly #isHostile: boolean;
  readonly #tunnel: Tunnel;
  readonly #plan: Planned[];
  #active: Attempt[] = [];
  #asking: Attempt[] = [];
  #underway: Underway[] = [];
  readonly #landed = new Map<number, Buffer>();
  #heard: Buffer[] = [];
  #said: Buffer[] = [];
  #endings = 0;
  #hasBegun = false;
  #time = 0;
  #wakeUpAt = Infinity;

  /** `isHostile`: some requests never come, and some repeats differ; the session may end, but only then. */
  constructor(random: SeededRandom, isHostile: boolean) {
    this.#random = random;
    this.#isHostile = isHostile;
    this.#plan = plan(random);
    this.#tunnel = new Tunnel('x', { scheme: 'rtmpt', secure: false, address: '192.0.2.1', port: 1, id: 't' }, this);
  }

  now(): number {
    return this.#time;
  }
  start(): void {}
  forget(): void {}
  cancel(): void {}
  ended(): void {
    this.#endings += 1;
  }
  schedule(_: Tunnel, at: number): void {
    this.#wakeUpAt = Math.min(this.#wakeUpAt, at);
  }

  /** Runs it to its end and throws where it was not as it should be. */
  run(): void {
    for (let step = 0; step < 2000 && !this.#isDone(); step++) {
      this.#step();
      this.#checkHeard();
    }
    this.#settle();
    this.#checkEnd();
    this.#tunnel.destroy();
    expect(this.memory.bytes === 0, 'memory is left');
    expect(this.#endings === 1, 'it ended more than once, or never');
  }

  #isDone(): boolean {
    return this.#active.length === 0 && this.#open().length === 0;
  }

  /** Requests that may be brought now: a client goes no further ahead than a few, and nothing overtakes its first. */
  #open(): Planned[] {
    return this.#plan.filter(({ attempts }) => attempts > 0).slice(0, this.#hasBegun ? 6 : 1);
  }

  #step(): void {
    switch (this.#random.int(8)) {
      case 0:
      case 1:
        return this.#begin();
      case 2:
      case 3:
      case 4:
        return this.#bring();
      case 5:
        return this.#ask();
      case 6:
        return this.#random.int(2) === 0 ? this.#say() : this.#resolve();
      default:
        return this.#pass(this.#isHostile ? this.#random.int(400) : this.#random.int(20));
    }
  }

  #begin(): void {
    const open = this.#open();
    if (open.length === 0) return;
    const planned = this.#random.pick(open);
    planned.attempts -= 1;
    if (this.#isHostile && this.#hasBegun && this.#random.int(40) === 0) return;
    this.#hasBegun = true;
    const isLast = planned.attempts === 0 && !planned.isBrought;
    const { length } = planned.body;
    const differs = this.#isHostile && this.#random.int(60) === 0 ? 1 : 0;
    const isChunked = this.#random.int(6) === 0 && planned.kind === 'send';
    const head = { kind: planned.kind, number: planned.number, length: length + differs, persistent: true };
    // A connection each: only one connection could promise to deliver in order.
    const engine: Engine = { wake() {}, resume() {} };
    const post = new Post(this.#tunnel, isChunked ? { ...head, length: Infinity } : head, engine, this.#time);
    // A broken chunked body cannot be told from a shorter one by anybody but its connection, which says nothing then.
    const breaksAt = isLast || this.#random.int(3) > 0 ? Infinity : this.#random.int(length + 1);
    this.#tunnel.arrive(post, this.#time);
    planned.isKnown ||= !this.#tunnel.destroyed;
    this.#active.push({ post, planned, breaksAt, sent: 0 });
  }

  #bring(): void {
    if (this.#active.length === 0) return;
    const attempt = this.#random.pick(this.#active);
    const { post, planned, breaksAt, sent } = attempt;
    const end = Math.min(planned.body.length, sent + 1 + this.#random.int(20));
    if (end > breaksAt) {
      this.#tunnel.abandon(post);
      return this.#drop(attempt);
    }
    this.#tunnel.body(post, planned.body.subarray(sent, end), this.#time);
    attempt.sent = end;
    if (end < planned.body.length || (post.length !== Infinity && post.length > end)) {
      if (end === planned.body.length) this.#drop(attempt);
      return;
    }
    this.#tunnel.complete(post, this.#time);
    planned.isBrought = true;
    this.#drop(attempt);
    this.#asking.push(attempt);
  }

  #drop(attempt: Attempt): void {
    this.#active = this.#active.filter((other) => other !== attempt);
  }

  #ask(): void {
    if (this.#asking.length > 0) this.#askFor(this.#random.pick(this.#asking));
  }

  #askFor(attempt: Attempt): void {
    const { number } = attempt.planned;
    const answer = this.#tunnel.answer(attempt.post, this.#time);
    if (answer === undefined) return;
    this.#asking = this.#asking.filter((other) => other !== attempt);
    if (answer.flight) this.#underway.push({ number, answer });
    else expect(answer.bytes === 0, 'payload without a flight');
    if (!this.#tunnel.destroyed) expect(answer.status === 200, `${answer.status} in a living session`);
  }

  #say(): void {
    const bytes = this.#random.bytes(1 + this.#random.int(40));
    if (this.#tunnel.destroyed || this.#tunnel.writableNeedDrain) return;
    this.#tunnel.write(bytes);
    this.#said.push(bytes);
  }

  /** One socket says what became of the payload that it was given. */
  #resolve(): void {
    const index = this.#random.int(Math.max(1, this.#underway.length));
    const [underway] = this.#underway.splice(index, 1);
    if (underway?.answer.flight === undefined) return;
    const { number, answer } = underway;
    if (this.#random.int(4) === 0) return this.#tunnel.lost(answer.flight!);
    const payload = Buffer.concat(answer.chunks);
    const before = this.#landed.get(number);
    expect(before === undefined || before.equals(payload), `number ${number} was answered in two ways`);
    this.#landed.set(number, payload);
    this.#tunnel.landed(answer.flight!);
  }

  #pass(ms: number): void {
    const until = this.#time + ms;
    while (this.#wakeUpAt <= until) {
      this.#time = Math.max(this.#time, this.#wakeUpAt);
      this.#wakeUpAt = Infinity;
      this.#tunnel.tick(this.#time);
    }
    this.#time = until;
  }

  /** Everybody who waits is answered, and all sockets say what became of their payload. */
  #settle(): void {
    for (let round = 0; round < 20 && (this.#asking.length > 0 || this.#underway.length > 0); round++) {
      while (this.#underway.length > 0) this.#resolve();
      for (const attempt of this.#asking) this.#askFor(attempt);
      this.#pass(TUNNEL_DEFAULTS.holdMs);
    }
    this.#checkHeard();
    expect(this.#asking.length === 0, 'a request was never answered');
  }

  /** What the core hears is always the beginning of what the client meant, whatever happened. */
  #checkHeard(): void {
    for (let bytes: Buffer | null; (bytes = this.#tunnel.read() as Buffer | null) !== null;) this.#heard.push(bytes);
    if (this.#heard.length === 0) return;
    const heard = Buffer.concat(this.#heard);
    this.#heard = [heard];
    expect(this.#meant().subarray(0, heard.length).equals(heard), 'the core heard something else');
  }

  /** A number that never came counts as an idle's once it is given up. */
  #meant(): Buffer {
    return Buffer.concat(this.#plan.filter(({ kind, isKnown }) => kind === 'send' && isKnown).map(({ body }) => body));
  }

  #checkEnd(): void {
    const isAlive = !this.#tunnel.destroyed;
    if (!this.#isHostile && isAlive)
      expect(Buffer.concat(this.#heard).equals(this.#meant()), 'the core did not hear everything');
    if (!isAlive) return;
    const numbers = [...this.#landed.keys()].sort((a, b) => a - b);
    const received = Buffer.concat(numbers.map((number) => this.#landed.get(number)!));
    const said = Buffer.concat(this.#said);
    expect(said.subarray(0, received.length).equals(received), 'the client received something else');
  }
}

/** Ten or so requests from 0 or 1 on, each brought once to three times. */
function plan(random: SeededRandom): Planned[] {
  const base = random.int(2);
  return Array.from({ length: 4 + random.int(10) }, (_, index) => {
    const kind = random.int(3) === 0 ? ('idle' as const) : ('send' as const);
    const body = kind === 'idle' ? Buffer.alloc(1) : random.bytes(1 + random.int(60));
    return {
      number: base + index,
      kind,
      body,
      attempts: 1 + (random.int(3) === 0 ? random.int(3) : 0),
      isKnown: false,
      isBrought: false,
    };
  });
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
