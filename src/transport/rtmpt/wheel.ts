/** Something that wants to be woken at a time. The two fields belong to the wheel. */
export interface Sleeper {
  wakeAt: number;
  bed: Set<Sleeper> | undefined;
  /** Its time has come (never early). It asks again for its next time, if it has one. */
  tick(now: number): void;
}

/** Idle holds need no better, and a hundred sessions that fall due within it are answered in one turn. */
const STEP_MS = 10;
/** 10 s in one turn of the wheel; later times are looked at once a turn. */
const SLOTS = 1024;

/**
 * One timer for thousands: a ring of slots, 10 ms each. Asking for a time that is later than the one already asked for
 * costs nothing, which is what a polled session does with every poll. Pure: its owner has the clock and the timer.
 */
export class Wheel {
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<Sleeper>());
  /** The last step whose slot has been emptied. */
  #step: number;
  #count = 0;

  constructor(now: number) {
    this.#step = Math.floor(now / STEP_MS);
  }

  /** Sleepers in the ring. */
  get count(): number {
    return this.#count;
  }

  /** Wakes `sleeper` at `at` or at the time that it asked for before, whichever comes first. */
  schedule(sleeper: Sleeper, at: number): void {
    if (sleeper.bed !== undefined && sleeper.wakeAt <= at) return;
    this.cancel(sleeper);
    if (at === Infinity) return;
    sleeper.wakeAt = at;
    const step = Math.max(this.#step + 1, Math.ceil(at / STEP_MS));
    sleeper.bed = this.#slots[Math.min(step, this.#step + SLOTS - 1) % SLOTS]!;
    sleeper.bed.add(sleeper);
    this.#count += 1;
  }

  /** Forgets `sleeper`. */
  cancel(sleeper: Sleeper): void {
    if (sleeper.bed === undefined) return;
    sleeper.bed.delete(sleeper);
    sleeper.bed = undefined;
    this.#count -= 1;
  }

  /** When `advance` has something to do next, or undefined when nobody sleeps. */
  next(): number | undefined {
    if (this.#count === 0) return undefined;
    let step = this.#step + 1;
    while (this.#slots[step % SLOTS]!.size === 0) step += 1;
    return step * STEP_MS;
  }

  /** Wakes everybody whose time has come. */
  advance(now: number): void {
    const last = Math.floor(now / STEP_MS);
    // After a long stop of the process every slot is looked at once, not once for each turn missed.
    if (last - this.#step > SLOTS) this.#step = last - SLOTS;
    while (this.#step < last) {
      this.#step += 1;
      this.#wake(this.#slots[this.#step % SLOTS]!, now);
    }
  }

  #wake(slot: Set<Sleeper>, now: number): void {
    if (slot.size === 0) return;
    // A copy: whoever is woken may put somebody to bed.
    for (const sleeper of Array.from(slot)) {
      // Another one's tick may have cancelled it.
      if (sleeper.bed !== slot) continue;
      this.cancel(sleeper);
      if (sleeper.wakeAt <= now) sleeper.tick(now);
      // Its time lies beyond the ring.
      else this.schedule(sleeper, sleeper.wakeAt);
    }
  }
}
