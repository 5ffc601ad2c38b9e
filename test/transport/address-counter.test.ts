import { describe, expect, it } from 'vitest';
import { AddressCounter } from '../../src/transport/address-counter.ts';

describe('the address counter', () => {
  it('gives each address its places and not one more', () => {
    const counter = new AddressCounter({ max: 10, maxPerAddress: 2 });
    const first = counter.acquire('192.0.2.1');
    expect(first).toBeTypeOf('function');
    expect(counter.acquire('::ffff:192.0.2.1')).toBeTypeOf('function');
    expect(counter.acquire('192.0.2.1')).toBeUndefined();
    expect(counter.acquire('192.0.2.2')).toBeTypeOf('function');
    first?.();
    expect(counter.acquire('192.0.2.1')).toBeTypeOf('function');
    expect(counter.count).toBe(3);
  });

  it('gives all addresses together their places and not one more', () => {
    const counter = new AddressCounter({ max: 2, maxPerAddress: Infinity });
    expect(counter.max).toBe(2);
    const places = ['a', 'b', 'c'].map((address) => counter.acquire(address));
    expect(places.map(Boolean)).toEqual([true, true, false]);
    places[0]?.();
    expect(counter.acquire('c')).toBeTypeOf('function');
  });

  it('counts an IPv6 /64 as one client', () => {
    const counter = new AddressCounter({ max: 10, maxPerAddress: 1 });
    expect(counter.acquire('2001:db8::1')).toBeTypeOf('function');
    expect(counter.acquire('2001:db8::2')).toBeUndefined();
    expect(counter.acquire('2001:db8:0:1::2')).toBeTypeOf('function');
  });

  it('takes a place back once, however often it is returned', () => {
    const counter = new AddressCounter({ max: 10, maxPerAddress: 2 });
    const release = counter.acquire('a');
    counter.acquire('a');
    release?.();
    release?.();
    expect(counter.count).toBe(1);
    expect(counter.acquire('a')).toBeTypeOf('function');
    expect(counter.acquire('a')).toBeUndefined();
  });

  it('counts exempt addresses only among all', () => {
    const counter = new AddressCounter({ max: 3, maxPerAddress: 1, exempt: (address) => address === 'proxy' });
    expect([1, 2, 3].map(() => Boolean(counter.acquire('proxy')))).toEqual([true, true, true]);
    expect(counter.acquire('proxy')).toBeUndefined();
  });
});
