import { ConfigError } from '../errors.ts';
import { movedTarget, type Target } from './target.ts';

/** A server that changes its mind more often is broken, and its neighbours may be as well. */
export const MAX_MOVES = 3;
export const MOVES_WITHIN_MS = 60_000;

const SECURE = /^rtmpt?s:/i;

/** Where a server sends us (Enhanced RTMP v2, "Reconnect request"), as far as we go there. */
export class Moves {
  readonly #at: number[] = [];

  /** The place to go to next, or in words why we stay. */
  next(from: Target, tcUrl: string | undefined, now: number): Target | string {
    while (this.#at.length > 0 && now - this.#at[0]! >= MOVES_WITHIN_MS) this.#at.shift();
    if (this.#at.length >= MAX_MOVES)
      return `it has sent us elsewhere ${MAX_MOVES} times in ${MOVES_WITHIN_MS / 1000} s`;
    const target = place(from, tcUrl);
    if (target === undefined) return 'what it names is no address of RTMP';
    if (SECURE.test(from.dial) && !SECURE.test(target.dial)) return 'the way there would not be encrypted';
    this.#at.push(now);
    return target;
  }
}

function place(from: Target, tcUrl: string | undefined): Target | undefined {
  try {
    return movedTarget(from, tcUrl);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
