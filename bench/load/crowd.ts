import type { Player } from './player.ts';
import type { Publishers } from './publishers.ts';

/**
 * Lets a publisher send as fast as its slowest player receives, a window of pictures ahead of it: a server that may drop
 * what a player is late for is then never asked to, and nothing piles up anywhere.
 */
export class Crowd {
  readonly #publishers: Publishers;
  readonly #window: number | undefined;
  #players: readonly Player[] = [];
  #isDue = false;

  /** Without a window it does nothing. */
  constructor(publishers: Publishers, window: number | undefined) {
    this.#publishers = publishers;
    this.#window = window;
  }

  /** From now on there is no pace. All of `players` have begun. */
  hurry(players: readonly Player[]): void {
    if (this.#window === undefined) return;
    this.#players = players;
    this.#push();
  }

  /** A player has one picture more. Looked at once a turn, however many there were. */
  moved(): void {
    if (this.#isDue || this.#players.length === 0) return;
    this.#isDue = true;
    setImmediate(() => this.#push());
  }

  stop(): void {
    this.#players = [];
  }

  #push(): void {
    this.#isDue = false;
    if (this.#players.length === 0) return;
    const slowest = Math.min(...this.#players.map(({ expected }) => expected));
    this.#publishers.hurry(slowest + this.#window!);
  }
}
