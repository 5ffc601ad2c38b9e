import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../src/transport/rtmpt/answer.ts';
import { Downlink, type Due } from '../../../src/transport/rtmpt/downlink.ts';
import { Memory } from '../../../src/transport/rtmpt/memory.ts';
import { Post, type Engine } from '../../../src/transport/rtmpt/post.ts';
import type { Tunnel } from '../../../src/transport/rtmpt/tunnel.ts';
import { TUNNEL_DEFAULTS, type TunnelOptions } from '../../../src/transport/rtmpt/tunnel-options.ts';

const AT_ONCE: Due = { greeting: false, ending: false, heldUntil: 0 };
const ENGINE: Engine = { wake() {}, resume() {} };

/** A downlink, and the requests that ask it. */
function bench(options: Partial<TunnelOptions> = {}, memory = new Memory(Infinity)) {
  const downlink = new Downlink(memory, { ...TUNNEL_DEFAULTS, ...options });
  const ask = (number: number, engine: Engine = ENGINE): Post => {
    const head = { kind: 'idle', number, length: 1, persistent: true } as const;
    const post = new Post({} as Tunnel, head, engine, 0);
    post.fresh = downlink.arrive(number);
    return post;
  };
  /** What the next number is told, and the kernel takes. */
  const said = (post: Post): string => {
    const answer = downlink.answer(post, AT_ONCE, 0) as Answer;
    if (answer.flight) downlink.landed(answer.flight);
    return String(Buffer.concat(answer.chunks));
  };
  return { downlink, memory, ask, said };
}

const write = (downlink: Downlink, bytes: number | string, done = (): void => {}): void =>
  downlink.write([typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.alloc(bytes)], done);

describe('the output of a core', () => {
  test('may wait up to the limit; one byte more, and the core does', () => {
    const { downlink } = bench({ maxOutputBytes: 100 });
    let isDone = false;
    write(downlink, 100, () => (isDone = true));
    expect(isDone).toBe(true);
    isDone = false;
    write(downlink, 1, () => (isDone = true));
    expect(isDone).toBe(false);
  });

  test('leaves as a whole up to the limit; one byte more, and its last write stays', () => {
    const { downlink, ask, said } = bench({ maxOutputBytes: 100 });
    write(downlink, 'a'.repeat(60));
    write(downlink, 'b'.repeat(40));
    expect(said(ask(0))).toHaveLength(100);
    write(downlink, 'a'.repeat(60));
    write(downlink, 'b'.repeat(41));
    expect(said(ask(1))).toBe('a'.repeat(60));
    expect(said(ask(2))).toBe('b'.repeat(41));
  });

  test('waits for nobody when there is memory to the last byte, and for an answer when there is none', () => {
    const { downlink, ask, said, memory } = bench({}, new Memory(100));
    const done: number[] = [];
    write(downlink, 100, () => done.push(1));
    write(downlink, 1, () => done.push(2));
    expect(done).toEqual([1]);
    expect(said(ask(0))).toHaveLength(101);
    expect(done).toEqual([1, 2]);
    expect(memory.bytes).toBeLessThanOrEqual(100);
  });

  test('is done when the kernel has it, not when it has been given to a socket', () => {
    const { downlink, ask } = bench();
    expect(downlink.isDone).toBe(true);
    write(downlink, 'x');
    expect(downlink.isDone).toBe(false);
    const { flight } = downlink.answer(ask(0), AT_ONCE, 0) as Answer;
    expect(downlink.isDone).toBe(false);
    downlink.landed(flight!);
    expect(downlink.isDone).toBe(true);
  });
});

describe('a number', () => {
  test('that nobody has heard of is fresh; a known or lower one is not', () => {
    const { downlink } = bench();
    expect([1, 1, 0, 2].map((number) => downlink.arrive(number))).toEqual([true, false, false, true]);
  });

  test('is repeated with the same payload as far back as answers are kept, and no further', () => {
    const { downlink, ask, said } = bench({ maxRemembered: 2 });
    for (const number of [0, 1, 2]) {
      write(downlink, `answer ${number}`);
      said(ask(number));
    }
    expect(downlink.repeat(ask(0))).toBeUndefined();
    expect(String(downlink.repeat(ask(1))?.chunks)).toBe('answer 1');
    expect(String(downlink.repeat(ask(2))?.chunks)).toBe('answer 2');
  });

  test('that was answered without payload is answered bare again, whatever has come since', () => {
    const { downlink, ask, said } = bench();
    expect(said(ask(0))).toBe('');
    write(downlink, 'later');
    expect(said(ask(0))).toBe('');
    expect(said(ask(1))).toBe('later');
  });

  test('is due again when its payload was lost', () => {
    const { downlink, ask, said } = bench();
    write(downlink, 'lost');
    const { flight } = downlink.answer(ask(0), AT_ONCE, 0) as Answer;
    expect(downlink.bytes).toBe(4);
    downlink.lost(flight!);
    expect(downlink.bytes).toBe(0);
    expect(said(ask(0))).toBe('lost');
  });
});

test('whoever asks over another connection waits for the fate of a payload, but not beyond the limit', () => {
  const { downlink, ask } = bench({ unsureMs: 500 });
  const other: Engine = { wake() {}, resume() {} };
  const due = { ...AT_ONCE, heldUntil: 10_000 };
  write(downlink, 'one');
  downlink.answer(ask(0), due, 1_000);
  write(downlink, 'two');
  const post = ask(1, other);
  expect(downlink.answer(post, due, 1_499)).toBe(1_500);
  expect(downlink.answer(post, due, 1_500)).toMatchObject({ bytes: 3 });
});

test('S0S1S2 is waited for to its last byte, unless the core ends before', () => {
  for (const [bytes, ending, outcome] of [
    [3072, false, 2_000],
    [3073, false, expect.objectContaining({ bytes: 3073 })],
    [3072, true, expect.objectContaining({ bytes: 3072 })],
  ] as const) {
    const { downlink, ask } = bench();
    write(downlink, bytes);
    expect(downlink.answer(ask(0), { greeting: true, ending, heldUntil: 2_000 }, 0)).toEqual(outcome);
  }
});

test('clear gives all memory back', () => {
  const { downlink, ask, memory } = bench();
  write(downlink, 1000);
  downlink.answer(ask(0), AT_ONCE, 0);
  write(downlink, 1000);
  downlink.clear();
  expect(memory.bytes).toBe(0);
  expect(downlink.isDone).toBe(true);
});
