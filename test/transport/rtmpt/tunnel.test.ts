import { describe, expect, test } from 'vitest';
import { ProtocolError, TransportError } from '../../../src/errors.ts';
import type { Answer } from '../../../src/transport/rtmpt/answer.ts';
import { Memory } from '../../../src/transport/rtmpt/memory.ts';
import { Post, type Engine } from '../../../src/transport/rtmpt/post.ts';
import { Tunnel, type TunnelHost } from '../../../src/transport/rtmpt/tunnel.ts';
import { TUNNEL_DEFAULTS, type TunnelOptions } from '../../../src/transport/rtmpt/tunnel-options.ts';

/** A tunnel without HTTP, on a clock of its own. */
class Bench implements TunnelHost {
  readonly options: TunnelOptions;
  readonly memory = new Memory(Infinity);
  readonly tunnel: Tunnel;
  time = 1000;
  wakeUpAt = Infinity;
  started = 0;
  endings: Array<Error | undefined> = [];
  forgotten = 0;
  heard = '';

  constructor(options: Partial<TunnelOptions> = {}) {
    this.options = { ...TUNNEL_DEFAULTS, ...options };
    this.tunnel = new Tunnel('id', { scheme: 'rtmpt', secure: false, address: '192.0.2.1', port: 1, id: 't-1' }, this);
  }

  now(): number {
    return this.time;
  }

  start(tunnel: Tunnel): void {
    this.started += 1;
    tunnel.on('data', (bytes: Buffer) => (this.heard += bytes.toString('latin1')));
  }

  schedule(_: Tunnel, at: number): void {
    this.wakeUpAt = Math.min(this.wakeUpAt, at);
  }

  cancel(): void {
    this.wakeUpAt = Infinity;
  }

  ended(_: Tunnel, fault: Error | undefined): void {
    this.endings.push(fault);
  }

  forget(): void {
    this.forgotten += 1;
  }

  /** Lets time pass, waking the tunnel whenever it asked for it. */
  async pass(ms: number): Promise<void> {
    const until = this.time + ms;
    while (this.wakeUpAt <= until) {
      this.time = Math.max(this.time, this.wakeUpAt);
      this.wakeUpAt = Infinity;
      this.tunnel.tick(this.time);
      await turn();
    }
    this.time = until;
  }

  ask(number: number, body?: string, engine: Engine = engineOf()): Post {
    const head = {
      kind: body === undefined ? ('idle' as const) : ('send' as const),
      number,
      length: body?.length ?? 1,
    };
    const post = new Post(this.tunnel, { ...head, persistent: true }, engine, this.time);
    this.tunnel.arrive(post, this.time);
    if (body !== undefined) this.tunnel.body(post, Buffer.from(body, 'latin1'), this.time);
    this.tunnel.complete(post, this.time);
    return post;
  }

  answer(post: Post): Answer | undefined {
    return this.tunnel.answer(post, this.time);
  }

  /** Status and payload of an answer that is due, reported as taken by the kernel. */
  said(post: Post): string {
    const answer = this.answer(post);
    if (answer === undefined) return 'held';
    if (answer.flight) this.tunnel.landed(answer.flight);
    return `${answer.status} ${Buffer.concat(answer.chunks).toString('latin1')}`;
  }
}

function engineOf(): Engine & { woken: number; resumed: number } {
  return {
    woken: 0,
    resumed: 0,
    wake() {
      this.woken += 1;
    },
    resume() {
      this.resumed += 1;
    },
  };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function spokenTo(options: Partial<TunnelOptions> = {}): Promise<Bench> {
  const bench = new Bench(options);
  expect(bench.said(bench.ask(0, 'hi'))).toBe('200 ');
  await turn();
  expect(bench.heard).toBe('hi');
  return bench;
}

describe('bytes in', () => {
  test('the handler is called with the first byte, and once', async () => {
    const bench = new Bench();
    bench.ask(0);
    expect(bench.started).toBe(0);
    bench.ask(1, 'a');
    bench.ask(2, 'b');
    await turn();
    expect(bench.started).toBe(1);
    expect(bench.heard).toBe('ab');
    expect(bench.tunnel.traffic).toEqual({ in: 2, out: 0 });
  });

  test('a core that does not read stops whoever brings bytes, until it reads again', async () => {
    const bench = await spokenTo();
    bench.tunnel.pause();
    const engine = engineOf();
    const post = new Post(bench.tunnel, { kind: 'send', number: 1, length: 100_000, persistent: true }, engine, 0);
    bench.tunnel.arrive(post, bench.time);
    expect(bench.tunnel.body(post, Buffer.alloc(1000), bench.time)).toBe(true);
    expect(bench.tunnel.body(post, Buffer.alloc(99_000), bench.time)).toBe(false);
    await turn();
    expect(engine.resumed).toBe(0);
    bench.tunnel.resume();
    await turn();
    expect(engine.resumed).toBe(1);
    expect(bench.heard.length).toBe(2 + 100_000);
  });

  test('ending the session lets everybody read on who waited for its core', async () => {
    const bench = await spokenTo();
    bench.tunnel.pause();
    const engine = engineOf();
    bench.ask(1, 'x'.repeat(100_000), engine);
    bench.tunnel.destroy();
    expect(engine.resumed).toBe(1);
  });
});

describe('holding', () => {
  test('an idle is held as long as configured, then answered bare', async () => {
    const bench = await spokenTo({ holdMs: 500 });
    const engine = engineOf();
    const post = bench.ask(1, undefined, engine);
    expect(bench.said(post)).toBe('held');
    await bench.pass(499);
    expect(bench.said(post)).toBe('held');
    await bench.pass(1);
    expect(engine.woken).toBeGreaterThan(0);
    expect(bench.said(post)).toBe('200 ');
  });

  test('data wakes it, at once and with everything', async () => {
    const bench = await spokenTo();
    const engine = engineOf();
    const post = bench.ask(1, undefined, engine);
    expect(bench.said(post)).toBe('held');
    bench.tunnel.write('one');
    bench.tunnel.write('two');
    expect(engine.woken).toBe(1);
    expect(bench.said(post)).toBe('200 onetwo');
  });

  test('an idle of a publisher is held for 10 ms only, and right behind a send not at all', async () => {
    const bench = await spokenTo();
    bench.ask(1, 'x'.repeat(4000));
    bench.ask(2, 'x'.repeat(4000));
    expect(bench.said(bench.ask(3))).toBe('200 ');
    const post = bench.ask(4);
    expect(bench.said(post)).toBe('held');
    await bench.pass(10);
    expect(bench.said(post)).toBe('200 ');
    await bench.pass(1500);
    const later = bench.ask(5);
    await bench.pass(100);
    expect(bench.said(later)).toBe('held');
  });

  test('C0C1 waits for the whole of S0S1S2, for 2 s, or for another request', async () => {
    const bench = new Bench();
    const post = bench.ask(0, 'c'.repeat(1537));
    await turn();
    bench.tunnel.write('s'.repeat(1537));
    expect(bench.said(post)).toBe('held');
    bench.tunnel.write('s'.repeat(1536));
    expect(bench.said(post)).toBe(`200 ${'s'.repeat(3073)}`);

    const slow = new Bench();
    const waiting = slow.ask(0, 'c'.repeat(1537));
    expect(slow.said(waiting)).toBe('held');
    await slow.pass(1999);
    expect(slow.said(waiting)).toBe('held');
    await slow.pass(1);
    expect(slow.said(waiting)).toBe('200 ');

    const hasty = new Bench();
    const first = hasty.ask(0, 'c'.repeat(1537));
    expect(hasty.said(first)).toBe('held');
    hasty.ask(1);
    expect(hasty.said(first)).toBe('200 ');
  });

  test('without holding, the interval byte climbs while nothing happens, and falls when something does', async () => {
    const bench = await spokenTo({ holdMs: 0 });
    const intervals = Array.from({ length: 16 }, (_, i) => bench.answer(bench.ask(i + 1))!.interval);
    expect(intervals).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 5, 9, 17, 33, 33, 33]);
    bench.ask(17, 'x');
    expect(bench.answer(bench.ask(18))!.interval).toBe(1);
  });
});

describe('output', () => {
  test('the callback of a write is held above the limit, and taking an answer lets more in', async () => {
    const bench = await spokenTo({ maxOutputBytes: 100 });
    const done: string[] = [];
    for (const part of ['a', 'b', 'c', 'd']) bench.tunnel.write(part.repeat(60), () => done.push(part));
    await turn();
    // a was taken; b, above the limit, is here with its callback held; c and d wait behind it, unseen.
    expect(done).toEqual(['a']);
    // Whole writes, as many as fit into the limit.
    expect(bench.said(bench.ask(1))).toBe(`200 ${'a'.repeat(60)}`);
    expect(bench.said(bench.ask(2))).toBe(`200 ${'b'.repeat(60)}`);
    expect(bench.said(bench.ask(3))).toBe(`200 ${'c'.repeat(60)}`);
    expect(bench.said(bench.ask(4))).toBe(`200 ${'d'.repeat(60)}`);
    await turn();
    expect(done).toEqual(['a', 'b', 'c', 'd']);
    expect(bench.memory.bytes).toBeLessThanOrEqual(240);
  });

  test('a write that is longer than an answer may be is cut', async () => {
    const bench = await spokenTo({ maxOutputBytes: 100 });
    bench.tunnel.write('x'.repeat(250));
    expect([1, 2, 3].map((number) => bench.said(bench.ask(number)).length - 4)).toEqual([100, 100, 50]);
  });

  test('an answer leaves out what would run into the end of the window of librtmp', async () => {
    const bench = await spokenTo();
    bench.tunnel.write('x'.repeat(16_150));
    const answer = bench.answer(bench.ask(1))!;
    expect(answer.bytes).toBeLessThan(16_000);
    bench.tunnel.landed(answer.flight!);
    expect(bench.said(bench.ask(2))).toBe(`200 ${'x'.repeat(16_150 - answer.bytes)}`);
  });

  test('end delivers the rest, waits for it, and then answers 404', async () => {
    const bench = await spokenTo();
    let isFinished = false;
    bench.tunnel.on('finish', () => (isFinished = true));
    bench.tunnel.end('bye');
    await turn();
    expect(isFinished).toBe(false);
    expect(bench.said(bench.ask(1))).toBe('200 bye');
    await turn();
    expect(isFinished).toBe(true);
    expect(bench.endings).toEqual([undefined]);
    expect(bench.said(bench.ask(2))).toBe('404 ');
    // For a while the last answer may be asked for again; then nothing is left.
    expect(bench.said(bench.ask(1))).toBe('200 bye');
    expect(bench.forgotten).toBe(0);
    await bench.pass(2000);
    expect(bench.forgotten).toBe(1);
    expect(bench.memory.bytes).toBe(0);
    expect(bench.tunnel.destroyed).toBe(true);
  });

  test('a session whose rest nobody fetches expires', async () => {
    const bench = await spokenTo();
    bench.tunnel.end('bye');
    await bench.pass(30_000);
    expect(bench.tunnel.destroyed).toBe(true);
    expect(bench.endings).toHaveLength(1);
    expect(bench.memory.bytes).toBe(0);
  });
});

describe('lost answers', () => {
  test('until it is known what became of a payload, others are bare, but for 500 ms only', async () => {
    const bench = await spokenTo();
    bench.tunnel.write('one');
    const first = bench.answer(bench.ask(1))!;
    bench.tunnel.write('two');
    expect(bench.said(bench.ask(2, 'x'))).toBe('200 ');
    const idle = bench.ask(3);
    expect(bench.said(idle)).toBe('held');
    bench.tunnel.landed(first.flight!);
    expect(bench.said(idle)).toBe('200 two');

    bench.tunnel.write('three');
    bench.answer(bench.ask(4));
    bench.tunnel.write('four');
    const waiting = bench.ask(5);
    expect(bench.said(waiting)).toBe('held');
    await bench.pass(500);
    expect(bench.said(waiting)).toBe('200 four');
  });

  test('the same connection may carry on: it delivers in order or not at all', async () => {
    const bench = await spokenTo();
    const engine = engineOf();
    bench.tunnel.write('one');
    const first = bench.answer(bench.ask(1, undefined, engine))!;
    bench.tunnel.write('two');
    const second = bench.answer(bench.ask(2, undefined, engine))!;
    expect(String(Buffer.concat(second.chunks))).toBe('two');
    bench.tunnel.lost(first.flight!);
    bench.tunnel.lost(second.flight!);
    expect(bench.said(bench.ask(3))).toBe('200 onetwo');
    expect(bench.tunnel.traffic.out).toBe(6);
  });

  test('a lost payload comes first in the next answer, or in the repeated one', async () => {
    for (const number of [1, 2]) {
      const bench = await spokenTo();
      bench.tunnel.write('lost');
      bench.tunnel.lost(bench.answer(bench.ask(1))!.flight!);
      bench.tunnel.write(' and found');
      expect(bench.said(bench.ask(number))).toBe('200 lost and found');
    }
  });

  test('a payload that is lost after a later one arrived ends the session', async () => {
    const bench = await spokenTo();
    bench.tunnel.write('one');
    const first = bench.answer(bench.ask(1))!;
    await bench.pass(500);
    bench.tunnel.write('two');
    expect(bench.said(bench.ask(2))).toBe('200 two');
    bench.tunnel.lost(first.flight!);
    expect(bench.tunnel.destroyed).toBe(true);
    expect(bench.endings[0]).toBeInstanceOf(TransportError);
  });

  test('a session that ends waits until it is known that its last words have left', async () => {
    const bench = await spokenTo();
    bench.tunnel.end('bye');
    const last = bench.answer(bench.ask(1))!;
    await turn();
    expect(bench.endings).toEqual([]);
    bench.tunnel.lost(last.flight!);
    expect(bench.said(bench.ask(2))).toBe('200 bye');
    expect(bench.endings).toEqual([undefined]);
  });
});

describe('endings', () => {
  test('close ends the core like a FIN, drops what it still says, and destroys it after a second', async () => {
    const bench = await spokenTo();
    let hasEnded = false;
    bench.tunnel.on('end', () => (hasEnded = true));
    bench.tunnel.write('unheard');
    bench.tunnel.close();
    await turn();
    expect(hasEnded).toBe(true);
    expect([bench.forgotten, bench.endings.length, bench.memory.bytes]).toEqual([1, 1, 0]);
    bench.tunnel.write('still unheard');
    expect(bench.memory.bytes).toBe(0);
    await bench.pass(999);
    expect(bench.tunnel.destroyed).toBe(false);
    await bench.pass(1);
    expect(bench.tunnel.destroyed).toBe(true);
    expect(bench.endings).toHaveLength(1);
  });

  test('a core that ends when it is closed is gone at once', async () => {
    const bench = await spokenTo();
    bench.tunnel.on('end', () => bench.tunnel.end());
    bench.tunnel.close();
    await turn();
    await turn();
    expect(bench.tunnel.destroyed).toBe(true);
  });

  test('requests outstanding at a close are answered bare, those waiting for others with 404', async () => {
    const bench = await spokenTo();
    const held = bench.ask(1);
    const parked = bench.ask(3, 'parked');
    expect([bench.said(held), bench.said(parked)]).toEqual(['200 ', 'held']);
    bench.tunnel.close();
    expect(bench.said(parked)).toBe('404 ');
  });

  test('a fault of the client reaches the core as an error, and the client as 404', async () => {
    const bench = await spokenTo();
    let fault: Error | undefined;
    bench.tunnel.on('error', (error) => (fault = error));
    const post = bench.ask(99, 'x');
    await turn();
    expect(fault).toBeInstanceOf(ProtocolError);
    expect(bench.said(post)).toBe('404 ');
  });

  test('an unused session that expires is no error to anybody', async () => {
    const bench = new Bench();
    await bench.pass(30_000);
    expect(bench.tunnel.destroyed).toBe(true);
    expect(bench.started).toBe(0);
    expect(bench.endings).toHaveLength(1);
  });

  test('requests and bytes of a body keep a session alive', async () => {
    const bench = await spokenTo();
    await bench.pass(29_000);
    bench.ask(1);
    await bench.pass(29_000);
    const post = new Post(bench.tunnel, { kind: 'send', number: 2, length: 2, persistent: true }, engineOf(), 0);
    bench.tunnel.arrive(post, bench.time);
    await bench.pass(29_000);
    bench.tunnel.body(post, Buffer.from('a'), bench.time);
    await bench.pass(29_000);
    expect(bench.tunnel.destroyed).toBe(false);
    await bench.pass(1_000);
    expect(bench.tunnel.destroyed).toBe(true);
  });
});
