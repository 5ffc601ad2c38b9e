/** A reproducible source of numbers: the same seed gives the same run, so that a failure can be played again. */
export interface SeededRandom {
  /** A whole number from 0 up to but not including `max` (which is at least 1). */
  int(max: number): number;
  /** `length` bytes in a Buffer of their own. */
  bytes(length: number): Buffer;
  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
}

/** mulberry32: 32 bits of state, good enough to choose test inputs with. */
export function seeded(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const int = (max: number): number => Math.floor((next() / 0x1_0000_0000) * max);
  return {
    int,
    bytes(length) {
      const bytes = Buffer.alloc(length);
      for (let i = 0; i < length; i++) bytes[i] = next() & 0xff;
      return bytes;
    },
    pick(list) {
      if (list.length === 0) throw new RangeError('nothing to pick from');
      return list[int(list.length)]!;
    },
  };
}
