import { describe, expect, test } from 'vitest';
import { LimitError, ProtocolError } from '../../../src/errors.ts';
import { Memory } from '../../../src/transport/rtmpt/memory.ts';
import { Order } from '../../../src/transport/rtmpt/order.ts';

const LIMITS = { maxAhead: 16, maxParkedBytes: 100, skipAfterMs: 2000, gapTimeoutMs: 5000 };

/** An order, and short words for what comes to it. */
function session(limits: Partial<typeof LIMITS> = {}) {
  const memory = new Memory(Infinity);
  let passed = '';
  const order = new Order({ ...LIMITS, ...limits }, memory, (bytes) => (passed += bytes.toString()));
  const send = (number: number, body: string, now = 0): void => {
    const slot = order.arrive(number, 'send', body.length, now);
    if (slot) order.body(slot, 0, Buffer.from(body), now);
  };
  const idle = (number: number, now = 0): boolean => {
    order.arrive(number, 'idle', 1, now);
    return order.isSettled(number, 'idle');
  };
  return { order, memory, send, idle, passed: () => passed };
}

describe('numbers in order', () => {
  test.each([0, 1])('may begin at %d', (base) => {
    const { order, send, idle, passed } = session();
    send(base, 'a');
    expect(idle(base + 1)).toBe(true);
    send(base + 2, 'b');
    expect(passed()).toBe('ab');
    expect(order.next).toBe(base + 3);
    expect(order.deadline()).toBe(Infinity);
  });

  test('a higher first number waits for an earlier one', () => {
    const { send, idle, passed } = session();
    send(2, 'c');
    expect(passed()).toBe('');
    expect(idle(0)).toBe(true);
    expect(idle(1)).toBe(true);
    expect(passed()).toBe('c');
  });

  test('an idle 1 has overtaken a send 0: only a send begins at 1', () => {
    const { send, idle, passed } = session();
    expect(idle(1)).toBe(false);
    send(0, 'a');
    expect(passed()).toBe('a');
  });

  test('bytes pass while the body is still coming', () => {
    const { order, passed } = session();
    const slot = order.arrive(0, 'send', 6, 0)!;
    order.body(slot, 0, Buffer.from('ab'), 0);
    expect(passed()).toBe('ab');
    expect(order.isSettled(0, 'send')).toBe(false);
    order.body(slot, 2, Buffer.from('cdef'), 0);
    expect(order.isSettled(0, 'send')).toBe(true);
    expect(passed()).toBe('abcdef');
  });
});

describe('numbers out of order', () => {
  test('wait for their predecessors', () => {
    const { memory, send, passed } = session();
    send(0, 'a');
    send(3, 'd');
    send(2, 'c');
    expect(passed()).toBe('a');
    expect(memory.bytes).toBe(2);
    send(1, 'b');
    expect(passed()).toBe('abcd');
    expect(memory.bytes).toBe(0);
  });

  test('an idle waits for the heads of its predecessors, not for their bodies', () => {
    const { order, idle } = session();
    expect(idle(0)).toBe(true);
    expect(idle(1)).toBe(true);
    expect(idle(3)).toBe(false);
    const slot = order.arrive(2, 'send', 4, 0)!;
    expect(order.isSettled(3, 'idle')).toBe(true);
    order.body(slot, 0, Buffer.from('abcd'), 0);
    expect(order.next).toBe(4);
  });

  test('a send behind one whose body is still coming is parked, and passed on behind it', () => {
    const { order, send, passed } = session();
    const slot = order.arrive(0, 'send', 4, 0)!;
    send(1, 'next');
    order.body(slot, 0, Buffer.from('abcd'), 0);
    expect(passed()).toBe('abcdnext');
  });

  test('sixteen numbers ahead are taken, the seventeenth ends the session', () => {
    const { send } = session();
    send(0, 'a');
    send(17, 'b');
    expect(() => send(18, 'c')).toThrow(LimitError);
  });

  test('as many bytes as the limit says may be parked, and not one more', () => {
    const { send } = session();
    send(1, 'base');
    send(3, 'x'.repeat(100));
    expect(() => send(4, 'y')).toThrow(LimitError);
  });

  test('parked bytes are copies', () => {
    const { order, send, passed } = session();
    const bytes = Buffer.from('good');
    const slot = order.arrive(1, 'send', 4, 0)!;
    const later = order.arrive(2, 'send', 4, 0)!;
    order.body(later, 0, bytes, 0);
    bytes.write('evil');
    order.body(slot, 0, Buffer.from('base'), 0);
    send(3, '!');
    expect(passed()).toBe('basegood!');
  });
});

describe('repeats', () => {
  test('of a send that is done pass nothing on', () => {
    const { send, passed } = session();
    send(0, 'a');
    send(0, 'a');
    expect(passed()).toBe('a');
  });

  test('of a send that broke off pass on only what lies beyond', () => {
    const { order, passed } = session();
    const first = order.arrive(0, 'send', 6, 0)!;
    order.body(first, 0, Buffer.from('abc'), 0);
    const again = order.arrive(0, 'send', 6, 0)!;
    order.body(again, 0, Buffer.from('ab'), 0);
    expect(passed()).toBe('abc');
    order.body(again, 2, Buffer.from('cd'), 0);
    order.body(first, 3, Buffer.from('de'), 0);
    order.body(again, 4, Buffer.from('ef'), 0);
    expect(passed()).toBe('abcdef');
    expect(order.next).toBe(1);
  });

  test('of a parked send count its bytes once', () => {
    const { memory, send, passed } = session();
    send(2, 'cc');
    send(2, 'cc');
    expect(memory.bytes).toBe(2);
    send(1, 'b');
    expect(passed()).toBe('bcc');
  });

  test.each([
    ['a shorter one', 'send', 2],
    ['a longer one', 'send', 4],
    ['an idle', 'idle', 1],
  ] as const)('with %s end the session', (_, kind, length) => {
    const { order } = session();
    order.arrive(0, 'send', 3, 0);
    expect(() => order.arrive(0, kind, length, 0)).toThrow(ProtocolError);
  });

  test('an idle that comes again as a send ends the session while it is not done', () => {
    const { order } = session();
    order.arrive(1, 'idle', 1, 0);
    order.arrive(3, 'idle', 1, 0);
    expect(() => order.arrive(3, 'send', 1, 0)).toThrow(ProtocolError);
  });
});

describe('bodies without a length', () => {
  test('are done when they say so', () => {
    const { order, passed } = session();
    const slot = order.arrive(0, 'send', Infinity, 0)!;
    order.body(slot, 0, Buffer.from('abc'), 0);
    expect(order.next).toBe(0);
    order.complete(slot, 3, 0);
    expect(order.next).toBe(1);
    expect(passed()).toBe('abc');
  });

  test('a repeat may tell the length', () => {
    const { order } = session();
    const slot = order.arrive(0, 'send', Infinity, 0)!;
    order.body(slot, 0, Buffer.from('abc'), 0);
    order.arrive(0, 'send', 3, 0);
    expect(order.next).toBe(1);
  });

  test.each([
    ['says so at once', 2],
    ['says so at its end', Infinity],
  ])('a repeat that is shorter than what is here, and %s, ends the session', (_, length) => {
    const { order } = session();
    const slot = order.arrive(0, 'send', Infinity, 0)!;
    order.body(slot, 0, Buffer.from('abc'), 0);
    expect(() => order.complete(order.arrive(0, 'send', length, 0)!, 2, 0)).toThrow(ProtocolError);
  });
});

describe('what never comes', () => {
  test('is skipped after 2 s when only idles wait for it', () => {
    const { order, idle } = session();
    idle(0);
    expect(idle(2, 100)).toBe(false);
    expect(order.deadline()).toBe(2100);
    expect(order.tick(2099)).toBe(false);
    expect(order.tick(2100)).toBe(true);
    expect(order.isSettled(2, 'idle')).toBe(true);
    expect(order.next).toBe(3);
  });

  test('ends the session after 5 s when a send waits for it', () => {
    const { order, send, idle } = session();
    idle(0);
    idle(2, 100);
    send(3, 'x', 1000);
    expect(order.deadline()).toBe(5100);
    expect(order.tick(5099)).toBe(false);
    expect(() => order.tick(5100)).toThrow(ProtocolError);
  });

  test('ends the session after 5 s without progress when part of it is here and others came behind it', () => {
    const { order, idle } = session();
    const slot = order.arrive(0, 'send', 4, 0)!;
    order.body(slot, 0, Buffer.from('ab'), 0);
    expect(order.deadline()).toBe(Infinity);
    idle(1, 60_000);
    expect(order.deadline()).toBe(65_000);
    order.body(slot, 2, Buffer.from('c'), 64_000);
    expect(order.deadline()).toBe(69_000);
    expect(() => order.tick(69_000)).toThrow(ProtocolError);
  });

  test('several missing numbers are skipped one after the other', () => {
    const { order, idle } = session();
    idle(0);
    idle(3, 0);
    idle(6, 0);
    expect(order.tick(2000)).toBe(true);
    expect(order.next).toBe(4);
    expect(order.deadline()).toBe(4000);
    expect(order.tick(4000)).toBe(true);
    expect(order.next).toBe(7);
  });

  test('when it comes after all, as a send, ends the session; as an idle it does no harm', () => {
    const { order, send, idle } = session();
    idle(0);
    idle(3);
    order.tick(2000);
    expect(idle(1)).toBe(true);
    expect(() => send(2, 'late')).toThrow(ProtocolError);
  });

  test('a send numbered 0 after the session began with 1 ends it', () => {
    const { send } = session();
    send(1, 'a');
    expect(() => send(0, 'late')).toThrow(ProtocolError);
  });
});

test('clear gives the memory back, even from within', () => {
  const memory = new Memory(Infinity);
  const order: Order = new Order(LIMITS, memory, () => order.clear());
  const parked = order.arrive(1, 'send', 3, 0)!;
  const later = order.arrive(3, 'send', 3, 0)!;
  order.body(later, 0, Buffer.from('abc'), 0);
  order.body(parked, 0, Buffer.from('abc'), 0);
  expect(memory.bytes).toBe(0);
});
