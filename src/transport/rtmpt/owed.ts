import type { Post } from './post.ts';
import type { Fixed } from './tunnels.ts';

/** An answer that is known at once. */
export interface OwedReply {
  readonly reply: Fixed;
  /** The body of its request is here; only then may it be written, unless it closes the connection anyway. */
  complete: boolean;
  /** As of a post. */
  before: number;
}

export type Owed = Post | OwedReply;

export function isPost(owed: Owed): owed is Post {
  return 'tunnel' in owed;
}

/**
 * The answers that one connection owes, in the order of its requests. A librtmp publisher sends for hours and reads
 * nothing, so posts of one session in a row become a run: the last post, and a count of bare answers before it.
 */
export class OwedAnswers {
  #runs: Owed[] = [];

  get runs(): number {
    return this.#runs.length;
  }

  get first(): Owed | undefined {
    return this.#runs[0];
  }

  /** Appends what is owed next. The body of everything before it is here. */
  push(owed: Owed): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && isPost(last) && isPost(owed) && continues(last, owed)) {
      owed.before = last.before + 1;
      this.#runs[this.#runs.length - 1] = owed;
    } else this.#runs.push(owed);
  }

  /** The request read last gets this answer instead of its own. */
  replaceLast(reply: Fixed): void {
    const before = this.#runs.at(-1)?.before ?? 0;
    this.#runs[Math.max(0, this.#runs.length - 1)] = { reply, complete: true, before };
  }

  /** The first one has been written. */
  shift(): void {
    this.#runs.shift();
  }

  posts(): Post[] {
    return this.#runs.filter(isPost);
  }

  clear(): void {
    this.#runs = [];
  }
}

/** Whether the answer to `last` is now sure to be bare, and can be counted instead of kept. */
function continues(last: Post, next: Post): boolean {
  const isNext = last.tunnel === next.tunnel && next.number === last.number + 1;
  if (!isNext || !last.fresh || !next.fresh || !last.inOrder || !last.persistent || last.early > 0) return false;
  // A copy of it on another connection may have been answered in the meantime.
  return !last.tunnel.remembers(last.number);
}
