import { afterEach, describe, expect, it } from 'vitest';
import { keep, release, SLAB_LIMITS } from '../../src/transport/slab.ts';

const { minBytes, maxBytes, maxIdleBytes } = SLAB_LIMITS;
const bytes = (text: string, length = minBytes): Buffer => Buffer.alloc(length, text);
const memoryOf = (pieces: readonly Buffer[]): Set<ArrayBufferLike> => new Set(pieces.map(({ buffer }) => buffer));

describe('pieces', () => {
  const kept: Buffer[] = [];
  const taken = (text: string, length?: number): Buffer => {
    const piece = keep(bytes(text, length));
    kept.push(piece);
    return piece;
  };

  afterEach(() => kept.splice(0).forEach(release));

  it.each([1, minBytes / 2, minBytes / 2 + 1, minBytes, minBytes + 1, 30_000, maxBytes, maxBytes + 1, 200_000])(
    'of %i bytes are copies',
    (length) => {
      const source = bytes('abc', length);
      const piece = keep(source);
      source.fill('x');
      expect(piece.equals(bytes('abc', length))).toBe(true);
      release(piece);
    },
  );

  it('do not touch each other while they are kept, whatever happens to those between them', () => {
    const pieces = Array.from({ length: 3_000 }, (_, index) => keep(bytes(`piece ${index};`, 1 + index * 3)));
    pieces.filter((_, index) => index % 3 === 0).forEach(release);
    const more = Array.from({ length: 3_000 }, (_, index) => keep(bytes(`more ${index};`, 1 + index * 3)));
    const isWhole = (text: string) => (piece: Buffer, index: number) =>
      piece.equals(bytes(`${text} ${index};`, 1 + index * 3));
    expect(pieces.filter((piece, index) => index % 3 !== 0 && !isWhole('piece')(piece, index))).toEqual([]);
    expect(more.every(isWhole('more'))).toBe(true);
  });

  it('leave their memory to the next one of about their size when they are given back', () => {
    const first = taken('first', 5_000);
    release(first);
    const larger = taken('larger', 9_000);
    const next = taken('next', 8_192);
    expect(larger.buffer).not.toBe(first.buffer);
    expect(next.buffer).toBe(first.buffer);
  });

  it('share memory with no two others when they are given back twice or too late', () => {
    const piece = taken('once');
    release(piece);
    release(piece);
    const second = taken('second');
    release(piece);
    expect(second.buffer).toBe(piece.buffer);
    expect(taken('third').buffer).not.toBe(second.buffer);
    expect(second.equals(bytes('second'))).toBe(true);
  });

  it('are taken back whole only: what is part of one, or never was one, stays with whoever has it', () => {
    const piece = taken('piece');
    const foreign = bytes('foreign');
    release(piece.subarray(0));
    release(piece.subarray(10, 20));
    release(foreign);
    const next = taken('next');
    expect(next.buffer).not.toBe(piece.buffer);
    expect(next.buffer).not.toBe(foreign.buffer);
    expect(piece.equals(bytes('piece'))).toBe(true);
  });

  it('hold less than twice the memory they need', () => {
    for (let length = minBytes / 2 + 1; length < maxBytes; length += 1_000)
      expect(taken('x', length).buffer.byteLength).toBeLessThan(2 * length);
  });

  it.each([minBytes, maxBytes])('of %i bytes leave no more behind than may lie idle', (length) => {
    const count = maxIdleBytes / length;
    const first = Array.from({ length: count + 1 }, () => keep(bytes('x', length)));
    first.forEach(release);
    const memory = memoryOf(first);
    const second = Array.from({ length: count + 1 }, () => taken('y', length));
    expect(second.filter(({ buffer }) => memory.has(buffer))).toHaveLength(count);
    expect(memoryOf(second).size).toBe(count + 1);
  });
});
