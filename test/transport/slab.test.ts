import { describe, expect, it } from 'vitest';
import { keep, release, SLAB_BYTES } from '../../src/transport/slab.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

describe('pieces of a slab', () => {
  it('are copies', () => {
    const source = bytes('abc');
    const piece = keep(source);
    source.fill('x');
    expect(piece.toString()).toBe('abc');
  });

  it('do not touch each other while they are kept', () => {
    const pieces = Array.from({ length: 10_000 }, (_, index) => keep(bytes(`piece ${index}`)));
    expect(pieces.every((piece, index) => piece.toString() === `piece ${index}`)).toBe(true);
  });

  it('make room for the next one when they are given back', () => {
    const first = keep(bytes('first'));
    release(first);
    const second = keep(bytes('again'));
    expect(second.byteOffset).toBe(first.byteOffset);
    expect(second.buffer).toBe(first.buffer);
  });

  it('stay what they are when others are given back, or themselves twice or too late', () => {
    const old = keep(bytes('old'));
    const newest = keep(bytes('new'));
    release(old);
    release(newest);
    release(newest);
    release(bytes('foreign'));
    const next = keep(bytes('next'));
    expect(old.toString()).toBe('old');
    expect(next.toString()).toBe('next');
  });

  it('may be as long as a slab', () => {
    const whole = Buffer.alloc(SLAB_BYTES, 'whole');
    expect(keep(whole).equals(whole)).toBe(true);
    expect(keep(whole).equals(whole)).toBe(true);
  });
});
